"""Identifiers: real codes, generated codes, and every single slip that the standards promise to catch.

The generators compute check characters in another way than the code under test: by the recursive form of
ISO 7064, or by trying all characters against the weights.
"""

import csv
import re
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from liangzhu.kernel.errors import Problem
from liangzhu.kernel.identifiers import KINDS, IdentifierError, check, mask

DIGITS = "0123456789"
ALNUM = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PROVINCES = [
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
]
ROOT = "1.2.156.3005.2."
TODAY = date(2026, 11, 23)


def text_of(alphabet: str, size: int, most: int | None = None):
    return st.text(alphabet, min_size=size, max_size=most or size)


def mod_11_2(body: str) -> str:
    product = 0
    for digit in body:
        product = (product + int(digit)) * 2 % 11
    return "0123456789X"[(12 - product) % 11]


def organisation_check(body: str) -> str:
    total = sum(ALNUM.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return next(c for value, c in enumerate("0123456789X") if (total + value) % 11 == 0)


def credit_check(body: str) -> str:
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(CREDIT.index(c) * w for c, w in zip(body, weights, strict=True))
    return next(c for c in CREDIT if (total + CREDIT.index(c)) % 31 == 0)


def mod_37_36(body: str) -> str:
    product = 36
    for c in body:
        total = (product + ALNUM.index(c)) % 36
        product = (total or 36) * 2 % 37
    return next(c for c in ALNUM if (product + ALNUM.index(c)) % 36 == 1)


@st.composite
def persons(draw):
    province = st.sampled_from(PROVINCES)
    region = draw(
        st.one_of(
            st.builds("{}{}".format, province, text_of(DIGITS, 4)),
            st.sampled_from(["810000", "820000", "830000"]),
            st.builds("9{}{}".format, province, text_of(DIGITS, 3)),
        )
    )
    body = f"{region}{draw(st.dates(date(1800, 1, 1), TODAY)):%Y%m%d}{draw(text_of(DIGITS, 3))}"
    return body + mod_11_2(body)


@st.composite
def organisations(draw, alphabet=ALNUM):
    body = draw(text_of(alphabet, 8))
    return body + organisation_check(body)


@st.composite
def enterprises(draw):
    head = draw(text_of(CREDIT, 2)) + draw(text_of(DIGITS, 6))
    body = head + draw(organisations(alphabet=CREDIT))
    return body + credit_check(body)


@st.composite
def certificates(draw):
    parts = [
        draw(enterprises()) + draw(text_of(DIGITS, 3)),
        draw(st.one_of(enterprises(), text_of(DIGITS, 6))),
        draw(text_of(ALNUM, 1, 32)),
        draw(text_of(DIGITS, 3)),
    ]
    return ROOT + ".".join([*parts, mod_37_36("".join(parts))])


@st.composite
def items(draw):
    basic = draw(text_of(DIGITS, 12))
    implementation = draw(enterprises()) + draw(st.sampled_from("123456")) + basic
    return draw(st.sampled_from([basic, implementation, implementation + draw(text_of(DIGITS, 2))]))


@st.composite
def regions(draw):
    code = str(draw(st.sampled_from(PROVINCES))) + "".join(
        f"{draw(st.integers(1, 10**size - 1)):0{size}}" for size in (2, 2, 3, 3)
    )
    code = code[: draw(st.sampled_from([2, 4, 6, 9, 12]))]
    return code.ljust(draw(st.sampled_from([size for size in (6, 9, 12) if size >= len(code)])), "0")


documents = st.builds(
    "{}〔{}〕{}号".format,
    st.sampled_from(["国发", "苏政办函", "发改高技", "环办（水）函", "连12345办"]),
    st.integers(1949, TODAY.year),
    st.integers(1, 99999),
)

VALID = {
    "person": persons(),
    "enterprise": enterprises(),
    "organisation": organisations(),
    "certificate": certificates(),
    "item": items(),
    "region": regions(),
    "document_number": documents,
}
valid_pairs = st.sampled_from(sorted(VALID)).flatmap(lambda kind: st.tuples(st.just(kind), VALID[kind]))


def fault(kind: str, value: str, **options) -> IdentifierError:
    with pytest.raises(IdentifierError) as caught:
        check(kind, value, **options)
    return caught.value


# --- what holds for all kinds ---


def test_every_kind_is_generated_here():
    assert set(VALID) == set(KINDS)


@given(valid_pairs)
def test_a_valid_value_passes_and_its_normal_form_is_stable(pair):
    kind, value = pair
    result = check(kind, value, not_after=TODAY)
    assert check(kind, result.value) == result


@given(valid_pairs, st.data())
def test_the_way_of_writing_does_not_matter(pair, data):
    kind, value = pair
    written = value.lower() if kind != "document_number" and data.draw(st.booleans()) else value
    if data.draw(st.booleans()):
        wide = {c: chr(ord(c) + 0xFEE0) for c in ALNUM + ALNUM.lower()}
        written = "".join(wide.get(c, c) for c in written)
    place = data.draw(st.integers(0, len(written)))
    blank = data.draw(st.sampled_from([" ", "\u3000", "\t", "\n", "\u200b", "\ufeff"]))
    assert check(kind, f" {written[:place]}{blank}{written[place:]} ").value == check(kind, value).value


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(KINDS)),
    st.one_of(
        st.text(),
        st.text("0123456789X.-〔〕[]（）第号年OIZ国发", max_size=40),
        st.tuples(valid_pairs, st.integers(0, 20), st.characters()).map(
            lambda t: t[0][1][: t[1]] + t[2] + t[0][1][t[1] + 1 :]
        ),
    ),
)
def test_any_text_is_either_read_or_named_wrong(kind, text):
    try:
        check(kind, text, not_after=TODAY)
    except IdentifierError as error:
        assert isinstance(error, Problem)
        assert error.kind == kind
        assert error.part
        assert error.message and error.message == str(error)
        assert error.todo.endswith(("。", "？"))
        if error.position:
            first, last = error.position
            assert 1 <= first <= last
    assert isinstance(mask(kind, text), str)
    assert isinstance(mask(kind, text, public=True), str)


def test_an_error_is_a_problem_document_with_its_place():
    error = fault("person", "110105194912310023")
    assert error.as_json() == {
        "type": "urn:liangzhu:problem:identifier",
        "title": "号码有误",
        "status": 422,
        "detail": "校验位应为 X，现为 3",
        "todo": error.todo,
        "kind": "person",
        "part": "check",
        "position": (18, 18),
    }


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("value", ["", "  \u3000", "1" * 500])
def test_nothing_or_far_too_much_is_a_fault_of_length(kind, value):
    assert fault(kind, value).part == "length"


def test_an_unknown_kind_is_a_mistake_of_the_program():
    with pytest.raises(KeyError):
        check("passport", "E12345678")


@settings(max_examples=150)
@given(
    st.sampled_from(["person", "enterprise"]).flatmap(lambda kind: st.tuples(st.just(kind), VALID[kind])),
    st.integers(0, 16),
)
def test_a_pointed_out_transposition_is_the_one_that_happened_or_would_do(pair, n):
    kind, value = pair
    assume(value[n] != value[n + 1])
    swapped = value[:n] + value[n + 1] + value[n] + value[n + 2 :]
    error = fault(kind, swapped)
    hint = re.search(r"第 (\d+)、(\d+) 位前后颠倒", error.todo)
    if hint:
        a, b = int(hint[1]), int(hint[2])
        assert b == a + 1
        check(kind, swapped[: a - 1] + swapped[a] + swapped[a - 1] + swapped[b:])
        assert "不会自行改动" in error.todo


# --- persons ---


def test_a_resident_number_is_taken_apart():
    person = check("person", "11010519491231002x")
    assert (person.value, person.written) == ("11010519491231002X", "11010519491231002X")
    assert (person.holder, person.region, person.nationality) == ("resident", "110105", None)
    assert (person.birth_date, person.sequence, person.sex) == (date(1949, 12, 31), "002", "female")
    assert check("person", "440524188001010014").sex == "male"


def test_the_first_day_of_1800_is_the_earliest_birth():
    body = "11010518000101002"
    assert check("person", body + mod_11_2(body)).birth_date == date(1800, 1, 1)


def test_a_number_of_the_first_generation_becomes_eighteen_characters():
    person = check("person", "110105491231002")
    assert (person.value, person.written) == ("11010519491231002X", "110105491231002")


@given(text_of(DIGITS, 4), st.dates(date(1900, 1, 1), date(1999, 12, 31)), text_of(DIGITS, 3))
def test_both_generations_of_a_number_are_the_same_person(rest, born, sequence):
    body = f"32{rest}{born:%Y%m%d}{sequence}"
    short = f"32{rest}{born:%y%m%d}{sequence}"
    assert check("person", short).value == check("person", body + mod_11_2(body)).value


@pytest.mark.parametrize(
    ("value", "holder", "region", "nationality"),
    [
        ("810000199408230021", "hongkong", "810000", None),
        ("830000199201300022", "taiwan", "830000", None),
        ("911124198108030024", "foreign", "11", "124"),
        ("320705199001010010", "resident", "320705", None),  # a district that is gone
    ],
)
def test_the_holder_is_known_by_the_region(value, holder, region, nationality):
    value = value[:17] + mod_11_2(value[:17])
    person = check("person", value)
    assert (person.holder, person.region, person.nationality) == (holder, region, nationality)


@pytest.mark.parametrize("value", ["810000199408230021", "830000199201300022", "911124198108030024"])
def test_published_specimens_pass(value):
    assert check("person", value).value == value


@pytest.mark.parametrize(
    ("value", "part", "position", "message"),
    [
        ("110105194912310023", "check", (18, 18), "校验位应为 X，现为 3"),
        ("110105202202300023", "birth_date", (7, 14), "第 7–14 位出生日期 20220230 不存在"),
        ("110105220230002", "birth_date", (7, 12), "第 7–12 位出生日期 220230 不存在"),
        ("110105203012310029", "birth_date", (7, 14), "第 7–14 位出生日期 20301231 晚于 2026-11-23"),
        ("110105179912310029", "birth_date", (7, 14), "第 7–14 位出生日期 17991231 早于 1800 年"),
        ("1101O519491231002X", "region", (5, 5), "第 5 位不能用字母 O，地址码只能用数字"),
        ("11010519491231002A", "check", (18, 18), "第 18 位不能用字母 A，校验位只能用数字或 X"),
        ("11010519491231X02X", "sequence", (15, 15), "第 15 位不能用字母 X，顺序码只能用数字"),
        ("380105194912310023", "region", (1, 2), "第 1–2 位省级代码 38 不存在"),
        ("810101199408230021", "region", (1, 6), "第 1–6 位地址码 810101 不存在"),
        ("999124198108030024", "region", (2, 3), "第 2–3 位受理地省级代码 99 不存在"),
        ("11010519491231002", "length", None, "公民身份号码应为 18 位（第一代证为 15 位），现为 17 位"),
    ],
)
def test_a_wrong_person_number_names_its_wrong_part(value, part, position, message):
    error = fault("person", value, not_after=TODAY)
    assert (error.part, error.position, error.message) == (part, position, message)


def test_the_future_is_checked_only_when_a_day_is_given():
    born = "110105203012310"
    value = born + "02" + mod_11_2(born + "02")
    assert check("person", value).birth_date == date(2030, 12, 31)
    assert fault("person", value, not_after=date(2030, 12, 30)).part == "birth_date"
    assert check("person", value, not_after=date(2030, 12, 31))


def test_a_letter_that_looks_like_a_digit_is_asked_about():
    assert "数字 0" in fault("person", "1101O519491231002X").todo


def test_the_card_of_2017_for_foreigners_is_recognised_and_refused_with_advice():
    error = fault("person", "KAZ110090123105")
    assert "旧版外国人永久居留身份证" in error.message
    assert "9 开头" in error.todo


def test_an_only_possible_transposition_is_pointed_out_but_not_corrected():
    error = fault("person", "11010519491213002X")
    assert error.message == "校验位应为 9，现为 X"
    assert "第 13、14 位前后颠倒" in error.todo


def test_nothing_is_pointed_out_when_several_transpositions_would_do():
    # Places 4 and 5, 6 and 7, or 14 and 15: nobody can know.
    assert "颠倒" not in fault("person", "110105194912310027").todo


@settings(max_examples=15, deadline=None)
@given(persons())
def test_any_wrong_digit_of_a_person_number_is_caught(value):
    for n, right in enumerate(value):
        for wrong in DIGITS if n < 17 else DIGITS + "X":
            if wrong != right:
                fault("person", value[:n] + wrong + value[n + 1 :])


@given(persons())
def test_any_two_swapped_neighbours_of_a_person_number_are_caught(value):
    for n in range(17):
        if value[n] != value[n + 1]:
            fault("person", value[:n] + value[n + 1] + value[n] + value[n + 2 :])


@given(persons(), st.integers(1, 18), st.sampled_from("#日OQ"))
def test_a_wrong_character_is_named_by_its_place(value, place, wrong):
    assert fault("person", value[: place - 1] + wrong + value[place:]).position == (place, place)


# --- enterprises and organisations ---

CREDIT_CODES = [
    "11100000000013338W",
    "11100000MB0143028R",
    "11100000000013127D",
    "11100000MB03271699",
    "12441500196720244T",
    "11450000007565194H",
    "113700000045030270",
    "11330105002500287C",
    "11370800MB28559184",
    "11430000006122244L",
    "11220000013544541J",
    "91610800064834709T",
    "91350100M000100Y43",
]


@pytest.mark.parametrize("value", CREDIT_CODES)
def test_real_credit_codes_pass(value):
    enterprise = check("enterprise", value)
    parts = (enterprise.authority, enterprise.category, enterprise.region, enterprise.body, enterprise.check)
    assert "".join(parts) == value
    assert check("organisation", enterprise.body) == enterprise.organisation


def test_a_credit_code_says_who_registered_what():
    enterprise = check("enterprise", "12441500196720244T")
    assert (enterprise.authority_name, enterprise.category_name) == ("机构编制", "事业单位")
    assert (enterprise.region, enterprise.body) == ("441500", "196720244")
    assert check("enterprise", "91350100m000100y43").category_name == "企业"


@given(text_of(DIGITS, 6), organisations(alphabet=CREDIT))
def test_a_category_that_the_standard_does_not_list_is_no_fault(region, organisation):
    body = "54" + region + organisation
    enterprise = check("enterprise", body + credit_check(body))
    assert (enterprise.authority_name, enterprise.category_name) == ("民政", None)


def test_all_published_codes_pass(shared):
    codes = []
    for name in ("uscc_codes.csv", "named_branches.csv"):
        with (shared / "data/enterprise_uscc" / name).open(encoding="utf-8") as file:
            codes += [row["uscc"] for row in csv.DictReader(file)]
    assert len(codes) == 239
    assert [check("enterprise", code).value for code in codes] == codes


def test_all_published_wrong_codes_fail_by_the_right_part(shared):
    with (shared / "data/enterprise_uscc/uscc_invalid.csv").open(encoding="utf-8") as file:
        codes = [row["uscc"] for row in csv.DictReader(file)]
    parts = {code: (fault("enterprise", code).part, fault("enterprise", code).position) for code in codes}
    assert parts == {
        "12345": ("length", None),
        "A1110000600037341L": ("check", (18, 18)),
        "9111000060003IOZSV": ("body", (14, 14)),
        "91110000600037341N": ("check", (18, 18)),
        "913207001415013Z": ("length", None),
        "91320700111234567H": ("body", (9, 17)),
    }


@pytest.mark.parametrize(
    ("value", "part", "position", "message"),
    [
        ("91110000600037341N", "check", (18, 18), "校验位应为 L，现为 N"),
        ("91350100M00010Y043", "body", (9, 17), "主体标识码（第 9–17 位）自带的校验位应为 2，现为 4"),
        ("9135O100M000100Y43", "region", (5, 5), "第 5 位不能用字母 O，登记管理机关行政区划码只能用数字"),
        ("9S350100M000100Y43", "category", (2, 2), None),
        ("91350100M000100Y4", "length", None, "统一社会信用代码应为 18 位，现为 17 位"),
    ],
)
def test_a_wrong_credit_code_names_its_wrong_part(value, part, position, message):
    error = fault("enterprise", value)
    assert (error.part, error.position) == (part, position)
    assert message in (None, error.message)


@settings(max_examples=5, deadline=None)
@given(enterprises())
def test_any_wrong_character_of_a_credit_code_is_caught(value):
    for n, right in enumerate(value):
        for wrong in CREDIT:
            if wrong != right:
                fault("enterprise", value[:n] + wrong + value[n + 1 :])


@given(enterprises())
def test_any_two_swapped_neighbours_of_a_credit_code_are_caught(value):
    for n in range(17):
        if value[n] != value[n + 1]:
            fault("enterprise", value[:n] + value[n + 1] + value[n] + value[n + 2 :])


@given(enterprises(), organisations(alphabet=CREDIT))
def test_a_forged_body_is_caught_although_the_outer_check_is_right(value, organisation):
    for wrong in DIGITS + "X":
        if wrong != organisation[8]:
            body = value[:8] + organisation[:8] + wrong
            assert fault("enterprise", body + credit_check(body)).part == "body"


@pytest.mark.parametrize("value", ["083372204", "08337220-4", "76726532-X", "76726532x", "00877836X"])
def test_real_organisation_codes_pass_with_and_without_hyphen(value):
    organisation = check("organisation", value)
    assert organisation.value == value.replace("-", "").upper()
    assert organisation.hyphenated == f"{organisation.body}-{organisation.check}"


@given(organisations(), st.sampled_from("-－–—"))
def test_the_hyphen_of_an_organisation_code_is_not_part_of_it(value, hyphen):
    assert check("organisation", f"{value[:8]}{hyphen}{value[8]}").value == value


@pytest.mark.parametrize(
    ("value", "part", "position", "message"),
    [
        ("083372205", "check", (9, 9), "校验位应为 4，现为 5"),
        ("08337220-5", "check", (10, 10), "校验位应为 4，现为 5"),
        ("08337220-B", "check", (10, 10), "第 10 位不能用字母 B，校验位只能用数字或 X"),
        ("0833722-04", "hyphen", (8, 8), "第 8 位的连字符位置不对，只能在末位校验位之前"),
        ("08337220--4", "hyphen", (10, 10), "第 10 位的连字符位置不对，只能在末位校验位之前"),
        ("08337220", "length", None, "组织机构代码应为 9 位（连字符不计），现为 8 位"),
    ],
)
def test_a_wrong_organisation_code_names_its_wrong_part(value, part, position, message):
    error = fault("organisation", value)
    assert (error.part, error.position, error.message) == (part, position, message)


@settings(max_examples=20, deadline=None)
@given(organisations())
def test_a_wrong_character_of_an_organisation_code_is_caught_unless_equal_modulo_11(value):
    for n, right in enumerate(value[:8]):
        for wrong in ALNUM:
            if (ALNUM.index(wrong) - ALNUM.index(right)) % 11:
                fault("organisation", value[:n] + wrong + value[n + 1 :])
    for wrong in DIGITS + "X":
        if wrong != value[8]:
            fault("organisation", value[:8] + wrong)


@given(organisations(alphabet=DIGITS))
def test_two_swapped_neighbouring_digits_of_an_organisation_code_are_caught(value):
    for n in range(7):
        if value[n] != value[n + 1]:
            fault("organisation", value[:n] + value[n + 1] + value[n] + value[n + 2 :])


# --- certificates ---

ISSUED = [
    "11100000000013338W011.11430000006122244L.20230000403.001.U",
    "11100000000013338W011.11430000006122244L.20230000403.002.S",
    "11100000000013338W032.11220000013544541J.2430599.001.F",
    "11100000MB03271699022.340100.000000016.001.9",
    "11100000000013338W009.11330105002500287C.2025052201.002.0",
]
HOUSING = ROOT + ISSUED[0]


@pytest.mark.parametrize("tail", ISSUED)
def test_issued_certificates_pass(tail):
    certificate = check("certificate", ROOT + tail)
    parts = [certificate.type, certificate.issuer, certificate.serial, certificate.version, certificate.check]
    assert ".".join(parts) == tail
    assert certificate.definer.value == tail[:18]


def test_the_issuer_of_an_old_certificate_is_only_a_region():
    assert check("certificate", HOUSING).issuing_body.value == "11430000006122244L"
    old = check("certificate", ROOT + ISSUED[3])
    assert (old.issuer, old.issuing_body) == ("340100", None)


@pytest.mark.parametrize(
    ("value", "part", "place", "message"),
    [
        # Computed by software that counted A = 11.
        (HOUSING[:-1] + "T", "check", "T", "校验位应为 U，现为 T"),
        (HOUSING.replace("244L", "244X"), "issuer.check", "X", None),
        (HOUSING.replace("3338W011", "3338X011"), "type.check", "X", None),
        (HOUSING.replace("W011.", "W0O1."), "type.sequence", "O", None),
        (HOUSING.replace(".001.", ".0A1."), "version", "A", "第 70 位不能用字母 A，版本号只能用数字"),
        (HOUSING.replace("20230000403", "2023#000403"), "serial", "#", None),
    ],
)
def test_a_wrong_certificate_names_its_wrong_part_by_the_place_in_the_whole(value, part, place, message):
    error = fault("certificate", value)
    assert error.part == part
    assert value[error.position[0] - 1] == place
    assert message in (None, error.message)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (ISSUED[0], "root"),
        ("1.2.156.3005.3." + ISSUED[0], "root"),
        (HOUSING.replace(".001.", "001."), "length"),
        (HOUSING.replace("W011.", "W01."), "type"),
        (HOUSING.replace("11430000006122244L", "1143000"), "issuer"),
        (HOUSING.replace("20230000403", ""), "serial"),
        (HOUSING.replace(".001.", ".1."), "version"),
        (HOUSING + "U", "check"),
    ],
)
def test_a_certificate_with_a_missing_or_misshapen_segment_says_which(value, part):
    error = fault("certificate", value)
    assert error.part == part
    assert "1.2.156.3005.2.证照类型代码.颁发机构代码.流水号.版本号.校验位" in error.todo


@settings(max_examples=300)
@given(certificates(), st.integers(min_value=len(ROOT), max_value=len(ROOT) + 80), st.sampled_from(ALNUM))
def test_any_wrong_character_of_a_certificate_is_caught(value, n, wrong):
    n = min(n, len(value) - 1)
    assume(value[n] not in (".", wrong))
    fault("certificate", value[:n] + wrong + value[n + 1 :])


# --- items ---


def test_a_handling_code_is_taken_apart():
    item = check("item", "11450000007565194H200011501500504")
    assert (item.form, item.basic, item.handling) == ("handling", "000115015005", "04")
    assert (item.implementer.value, item.level, item.level_name) == ("11450000007565194H", "2", "省级")
    assert (item.area, item.task_type, item.department, item.main, item.sub) == (
        "00",
        "01",
        "15",
        "015",
        "005",
    )
    assert item.task_type_name == "行政许可"


def test_an_implementation_code_is_taken_apart():
    item = check("item", "11370800MB285591843370117002011")
    assert (item.form, item.handling, item.level_name) == ("implementation", None, "市级")
    assert (item.area, item.task_type, item.department, item.main, item.sub) == (
        "37",
        "01",
        "17",
        "002",
        "011",
    )


def test_a_province_may_use_a_type_of_its_own():
    item = check("item", "12441500196720244T3442199806003")
    assert (item.area, item.task_type, item.task_type_name) == ("44", "21", None)


def test_a_basic_code_has_no_implementer():
    item = check("item", "000115015005")
    assert (item.form, item.basic) == ("basic", "000115015005")
    assert (item.implementer, item.level, item.level_name, item.handling) == (None, None, None, None)


@pytest.mark.parametrize(
    ("value", "part", "position"),
    [
        ("12441500196720245T3442199806003", "implementer.body", (9, 17)),
        ("12441500196720244U3442199806003", "implementer.check", (18, 18)),
        ("12441500196720244T9442199806003", "level", (19, 19)),
        ("12441500196720244T34421998O6003", "main", (27, 27)),
        ("11450000007565194H20001150150050A", "handling", (33, 33)),
        ("00011501500", "length", None),
        ("11450000007565194H2000115015005040", "length", None),
    ],
)
def test_a_wrong_item_code_names_its_wrong_part(value, part, position):
    error = fault("item", value)
    assert (error.kind, error.part, error.position) == ("item", part, position)


def test_a_fault_in_the_implementing_body_says_that_it_is_there():
    error = fault("item", "12441500196720244U3442199806003")
    assert error.message == "实施主体代码的校验位（第 18 位）应为 T，现为 U"


# --- regions ---


@pytest.mark.parametrize(
    ("value", "level", "parts"),
    [
        ("320000", "province", ("32", None, None, None, None)),
        ("320700", "prefecture", ("32", "3207", None, None, None)),
        ("320706", "county", ("32", "3207", "320706", None, None)),
        ("320706000000", "county", ("32", "3207", "320706", None, None)),
        ("320706100", "township", ("32", "3207", "320706", "320706100", None)),
        ("320706001002", "village", ("32", "3207", "320706", "320706001", "320706001002")),
        ("441900003", "township", ("44", "4419", None, "441900003", None)),  # a city without counties
    ],
)
def test_a_region_names_its_levels(value, level, parts):
    region = check("region", value)
    assert region.level == level
    assert (region.province, region.prefecture, region.county, region.township, region.village) == parts


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("320706001", "街道"),
        ("320706100", "镇"),
        ("320706200", "乡"),
        ("320706402", "其他"),
        ("320706700", None),
        ("320706", None),
    ],
)
def test_a_township_code_tells_its_kind(value, kind):
    assert check("region", value).township_kind == kind


@pytest.mark.parametrize(
    ("value", "part", "position"),
    [
        ("000000", "province", (1, 2)),
        ("320006", "prefecture", (3, 4)),
        ("320000001", "prefecture", (3, 4)),
        ("320706000001", "township", (7, 9)),
        ("32O706", "prefecture", (3, 3)),
        ("32070", "length", None),
    ],
)
def test_a_wrong_region_names_its_wrong_part(value, part, position):
    error = fault("region", value)
    assert (error.part, error.position) == (part, position)
    assert "颠倒" not in error.todo  # without a check digit nothing speaks for a transposition


def test_all_divisions_of_the_country_have_the_structure(shared):
    for name, size in (("areas", 2978), ("streets", 41352), ("lianyungang_villages", 1782)):
        with (shared / f"data/divisions/{name}.csv").open(encoding="utf-8") as file:
            codes = [row["code"] for row in csv.DictReader(file)]
        assert len(codes) == size
        assert all(check("region", code).value == code for code in codes)


# --- document numbers ---


def test_a_document_number_is_taken_apart():
    number = check("document_number", " 苏政办发〔２０２２〕 44 号")
    assert (number.value, number.issuer, number.year, number.number) == (
        "苏政办发〔2022〕44号",
        "苏政办发",
        2022,
        44,
    )
    assert check("document_number", "环办（水）函〔2022〕1号").issuer == "环办（水）函"


def test_a_document_may_be_of_the_year_that_is_not_over():
    assert check("document_number", "国发〔2026〕1号", not_after=TODAY).year == 2026


@pytest.mark.parametrize(
    ("value", "part", "words"),
    [
        ("国发[2022]14号", "bracket", "第 3 位年份括号应为六角括号“〔”，现为“[”"),
        ("国发【2022】14号", "bracket", "现为“【”"),
        ("国发（2022）14号", "bracket", "现为“（”"),
        ("国发(2022)14号", "bracket", "现为“(”"),
        ("国发〔2022]14号", "bracket", "第 8 位年份括号应为六角括号“〕”，现为“]”"),
        ("国发〔202214号", "bracket", "年份缺少右括号“〕”"),
        ("国发2022〕14号", "bracket", "年份缺少左括号“〔”"),
        ("国发2022年14号", "bracket", "年份没有加六角括号"),
        ("国发〔2022〕〔14〕号", "bracket", "括号的位置或个数不对"),
        ("国发〔2022〕第14号", "number", "序号前不加“第”"),
        ("国发〔2022〕014号", "number", "序号不编虚位：014 应写作 14"),
        ("国发〔2022〕0号", "number", "序号从 1 编起，不能为 0"),
        ("国发〔2022〕14", "number", "序号后缺少“号”"),
        ("国发〔2022〕14号文", "number", "“号”后不能再有文字"),
        ("国发〔2022〕十四号", "number", "序号“十四”应用阿拉伯数字"),
        ("国发〔2022〕号", "number", "“号”前缺少序号"),
        ("国发〔2022〕1-4号", "number", "不是阿拉伯数字序号"),
        ("国发〔22〕14号", "year", "年份 22 应写全四位"),
        ("国发〔二〇二二〕14号", "year", "年份“二〇二二”应用阿拉伯数字"),
        ("国发〔2022年〕14号", "year", "不加“年”"),
        ("国发〔〕14号", "year", "括号内缺少年份"),
        ("国发〔20222〕14号", "year", "不是四位公历年份"),
        ("国发〔2027〕14号", "year", "年份 2027 晚于 2026 年"),
        ("〔2022〕14号", "issuer", "缺少机关代字"),
        ("国 发,〔2022〕14号", "issuer", "机关代字“国发,”只能用汉字和字母"),
        ("114", "bracket", "年份没有加六角括号"),
    ],
)
def test_a_wrong_document_number_names_its_fault_and_shows_the_right_form(value, part, words):
    error = fault("document_number", value, not_after=TODAY)
    assert error.part == part
    assert words in error.message
    assert "国发〔2022〕14号" in error.todo


# --- masks ---


@given(persons())
def test_a_person_is_known_by_six_and_four_characters_in_public_by_four(value):
    assert mask("person", value) == value[:6] + "*" * 8 + value[14:]
    assert mask("person", value, public=True) == "*" * 14 + value[14:]
    assert mask("person", value[:6] + value[8:17]) == value[:6] + "*" * 6 + value[14:17]


@pytest.mark.parametrize("value", ["320705", "张三", "12345678901234567890", "1101O519491231002X", "9" * 500])
def test_what_has_not_the_form_of_a_person_number_is_hidden_altogether(value):
    assert set(mask("person", value)) == {"*"}


@given(certificates())
def test_a_certificate_keeps_neither_serial_nor_check(value):
    *head, serial, version, _ = value.split(".")
    shown = "*" * len(serial) if len(serial) <= 4 else "*" * (len(serial) - 4) + serial[-4:]
    assert mask("certificate", value) == ".".join([*head, shown, version, "*"])
    assert mask("certificate", value, public=True) == ".".join([*head, "*" * len(serial), version, "*"])


@pytest.mark.parametrize("kind", ["enterprise", "organisation", "item", "region", "document_number"])
@given(data=st.data())
def test_codes_of_public_life_are_shown(kind, data):
    value = data.draw(VALID[kind])
    assert mask(kind, value) == mask(kind, value, public=True) == value


def test_a_person_number_in_the_field_of_another_kind_is_hidden():
    for kind in ("enterprise", "organisation", "certificate", "item", "document_number"):
        assert mask(kind, "11010519491231002X") == "*" * 18


@given(persons())
def test_a_person_does_not_slip_into_text(value):
    person = check("person", value)
    assert str(person) == f"{person}" == mask("person", value)
    assert repr(person) == f"Person({mask('person', value)})"
