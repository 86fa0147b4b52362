"""The text of a code, and the provincial hall protocol over real HTTP: spelt as on the wire, in time, every fault by name."""

import contextlib
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from liangzhu.adapters.service_code import texts, wire
from liangzhu.adapters.service_code.client import Hall
from liangzhu.adapters.service_code.simulator import SIMULATOR, make
from liangzhu.adapters.service_code.wording import DEMO_APP, DEMO_SECRET, Wording, WordingError, read_wording
from liangzhu.beams.people.codes import api as codes
from liangzhu.kernel import crypto
from liangzhu.kernel.simulating import serving
from liangzhu.site import config

PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"
WORDING = read_wording(PACK)
MARKS = WORDING.marks
KEY, PUBLIC = crypto.generate_keypair()
ASKED = codes.Asked(
    case="matter:12",
    item="clinic",
    title="诊所备案",
    licences=("identity_card",),
    operator=codes.Operator(
        "account:1", "苏婉", "329999198001011239", "科长", "某局", "100001", "某区", "329999"
    ),
    outlet="大厅",
    device="窗口1号",
    request_id="r",
)

numbers = st.builds(
    lambda mark, body: mark + body + texts.check_character(mark + body),
    st.sampled_from(sorted(MARKS)),
    st.text(texts.ALPHABET, min_size=10, max_size=10),
)
codes_of = st.builds(
    texts.Text,
    st.sampled_from([one.prefix for one in WORDING.provinces]),
    numbers,
    st.sampled_from(sorted(texts.LETTERS)),
    st.integers(1_577_836_800, 2_208_988_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.integers(1, 3599),
    st.binary(min_size=64, max_size=64),
)


class TestText:
    @given(numbers, st.data())
    def test_a_typed_number_survives_every_usual_way_to_type_it(self, number, data):
        written = texts.grouped(number)
        typed = data.draw(
            st.sampled_from(
                [
                    written,
                    written.lower(),
                    written.replace("-", " "),
                    f"  {number}\n",
                    written.replace("2", "Z").replace("5", "s").replace("8", "B").replace("6", "g"),
                    "".join(chr(ord(one) + 0xFEE0) for one in written),
                ]
            )
        )
        found = texts.read(typed, MARKS)
        assert found is not None and found.typed and found.number == number

    @given(numbers, st.integers(0, texts.LENGTH - 1), st.sampled_from(texts.ALPHABET))
    def test_every_wrong_character_is_found(self, number, place, other):
        assume(number[place] != other)
        changed = number[:place] + other + number[place + 1 :]
        if place == 0 and other not in MARKS:
            assert texts.read(changed, MARKS) is None
        else:
            with pytest.raises(texts.BadText):
                texts.read(changed, MARKS)

    @given(numbers, st.integers(0, texts.LENGTH - 1), st.integers(0, texts.LENGTH - 1))
    def test_every_two_that_changed_places_are_found(self, number, one, other):
        assume(number[one] != number[other])
        swapped = list(number)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        if swapped[0] in MARKS:
            with pytest.raises(texts.BadText):
                texts.read("".join(swapped), MARKS)

    @given(codes_of)
    def test_what_is_written_is_read_again_also_after_a_field_that_was_not_emptied(self, text):
        written = texts.write(text)
        assert texts.read(written, MARKS) == texts.read(written.lower(), MARKS) == text
        assert texts.read(f"SFM1.OLD.P.1.1.XX{written}", MARKS) == text
        assert set(written) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")

    @given(codes_of, st.data())
    def test_what_is_cut_off_is_no_code(self, text, data):
        written = texts.write(text)
        for part in (written[: data.draw(st.integers(6, len(written) - 1))],):
            with pytest.raises(texts.BadText):
                texts.read(part, MARKS)

    @given(st.text(max_size=500))
    def test_nothing_that_is_scanned_breaks_it(self, raw):
        try:
            found = texts.read(raw, MARKS)
        except texts.BadText:
            return
        assert found is None or found.number

    @given(codes_of, st.data())
    def test_the_signature_covers_everything(self, text, data):
        signed = texts.sign(text, KEY)
        assert texts.holds(signed, PUBLIC)
        other = data.draw(codes_of)
        for name in ("prefix", "number", "kind", "issued", "seconds"):
            changed = replace(signed, **{name: getattr(other, name)})
            assert texts.holds(changed, PUBLIC) is (changed == signed)

    def test_a_new_number_is_sound_and_not_guessed(self):
        made = {texts.new_number("J") for _ in range(200)}
        assert len(made) == 200 and all(texts.read(one, MARKS).number == one for one in made)


@pytest.fixture(scope="module")
def served():
    simulator = make(PACK)
    with serving(simulator) as address:
        simulator.address = address
        yield simulator


@pytest.fixture
def province(served):
    served.configure({})
    return served


def hall(province, **more):
    given = {"keys": province.public, "seconds": 1, "rest": 0} | more
    return Hall(province.address, DEMO_APP, DEMO_SECRET, WORDING, **given)


def shown(province, key="linxiaohe", firm="", consent=("identity_card", "doctor")):
    session = province.begin(province._showing(key, firm))
    return texts.write(province.make(session, [WORDING.licences[one][1] for one in consent]).text)


def test_what_goes_out_and_comes_back_is_spelt_as_on_the_wire(province):
    client = hall(province)
    answer = client.present(client.read(shown(province)), ASKED)
    assert (answer.holder.name, answer.holder.document_kind) == ("林晓禾", "citizen_id")
    assert [one.key for one in answer.licences] == ["identity_card"]
    assert answer.licences[0].fields == {
        "name": "居民身份证",
        "number": "329999198803121026",
        "holder_name": "林晓禾",
        "holder_document_kind": "10",
        "holder_document_number": "329999198803121026",
        "issued_on": "20180504",
        "issuer": "虚构市公安局虚构分局",
    }
    assert answer.consented == ((codes.SOURCE, ("identity_card", "doctor")),)
    sent = province.asked[-1]
    assert set(sent) == {
        *("qrcode", "casecode", "casename", "description", "items", "num", "operator"),
        *("equipmentName", "equipmentCode", "caseid", "ouguid", "itemOuName"),
    }
    assert set(sent["operator"]) == {
        *("account", "name", "identity_num", "role", "division", "division_code"),
        *("service_org_code", "service_org"),
    }


def test_an_agent_s_code_says_who_for_whom_until_when(province):
    client = hall(province)
    answer = client.present(client.read(shown(province, "hejun", "0")), ASKED)
    assert (answer.holder.kind, answer.holder.number) == ("enterprise", "913299990000000198")
    assert answer.agency.person.name == "何俊" and answer.agency.granted_on == date(2022, 9, 1)
    assert answer.agency.until.isoformat() == "2023-09-01T00:00:00+08:00"


def test_the_token_is_kept_and_renewed_when_it_is_refused(province):
    client = hall(province)
    for _ in range(3):
        client.present(client.read(shown(province)), ASKED)
    assert len(province.tokens) and client._token in province.tokens
    first = client._token
    province.tokens.clear()
    client.present(client.read(shown(province)), ASKED)
    assert client._token != first and list(province.tokens) == [client._token]
    province.configure({"wrong": "dead_token"})
    with pytest.raises(codes.IssuerWrong, match="401"):
        client.present(client.read(shown(province)), ASKED)
    with pytest.raises(codes.IssuerWrong, match="没有给出令牌"):
        Hall(province.address, DEMO_APP, "wrong", WORDING, keys={}).issue(codes.ShowFor(session="x"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"silent": True}, codes.IssuerDown),
        ({"delay": 3}, codes.IssuerDown),
        ({"wrong": "fault"}, codes.IssuerDown),
        ({"wrong": "garbage"}, codes.IssuerWrong),
        ({"wrong": "code"}, codes.IssuerWrong),
        ({"wrong": "long"}, codes.IssuerWrong),
        ({"wrong": "pdf"}, codes.IssuerWrong),
        ({"wrong": "empty"}, codes.CodeEmpty),
    ],
    ids=str,
)
def test_every_fault_has_its_name_and_takes_no_longer_than_its_time(province, fault, error):
    client = hall(province)
    code = client.read(shown(province))
    client._bearer(True)
    province.configure(fault)
    began = time.monotonic()
    with pytest.raises(error) as raised:
        client.present(code, ASKED)
    assert time.monotonic() - began < 2.5 and raised.value.todo


def test_after_a_failure_nobody_waits_again(province):
    client = hall(province, rest=30)
    code = client.read(shown(province))
    province.configure({"delay": 3})
    with pytest.raises(codes.IssuerDown):
        client.present(code, ASKED)
    began = time.monotonic()
    with pytest.raises(codes.IssuerDown, match="刚才"):
        client.present(code, ASKED)
    assert time.monotonic() - began < 0.1
    gone = Hall("http://127.0.0.1:9", DEMO_APP, DEMO_SECRET, WORDING, keys={}, seconds=1)
    with pytest.raises(codes.IssuerDown):
        gone.present(code, ASKED)


def test_where_no_key_is_known_the_province_tells_the_forged(province):
    client = hall(province, keys={})
    text = texts.read(shown(province), MARKS)
    forged = texts.write(texts.sign(replace(text, seconds=59), KEY))
    code = client.read(forged)
    with pytest.raises(codes.CodeForged):
        client.present(code, ASKED)
    with pytest.raises(codes.CodeForged):
        hall(province).read(forged)


def test_a_code_is_issued_and_goes_on_and_the_two_forms_must_agree(province, monkeypatch):
    client = hall(province)
    who = codes.Party("person", "林晓禾", "citizen_id", "329999198803121026")
    first = client.issue(codes.ShowFor(person=who, licences=("doctor",)))
    assert texts.read(first.typed, MARKS).number == texts.read(first.content, MARKS).number
    second = client.issue(codes.ShowFor(session=first.session))
    assert second.session == first.session and second.content != first.content
    with pytest.raises(codes.CodeReplaced):
        client.present(client.read(first.content), ASKED)
    with pytest.raises(codes.SessionOver):
        client.issue(codes.ShowFor(session="unknown"))
    monkeypatch.setattr(
        texts, "write", lambda text, write=texts.write: write(replace(text, number=texts.new_number("J")))
    )
    with pytest.raises(codes.IssuerWrong, match="不完整|对不上"):
        client.issue(codes.ShowFor(session=first.session))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row.pop("liscenseInfo"),
        lambda row: row["liscenseInfo"].update(certificate_type_code="other"),
        lambda row: row["liscenseInfo"].update(data_fields="{"),
        lambda row: row["liscenseInfo"].update(data_fields="[1]"),
        lambda row: row.update(pdf="###"),
        lambda row: row["liscenseInfo"].update(holder_name=["x"]),
        lambda row: row["liscenseInfo"].update(license_status="x" * 1000),
    ],
)
def test_a_licence_that_is_not_what_was_agreed_spoils_the_answer(province, spoil):
    holder = province.told(province.people["linxiaohe"])
    row = province._licence(province.held[holder["identity_num"]][0], holder)
    assert wire.read_answer(WORDING, {"data": [row]}).holder.name == "林晓禾"
    spoil(row)
    with pytest.raises(wire.BadAnswer):
        wire.read_answer(WORDING, {"data": [row], "extra": {"holder": holder}})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "name",
                        "pdf",
                        "liscenseInfo",
                        "identity_num",
                        "identity_type",
                        "holder",
                        "consent",
                        "fields",
                        "source",
                        "agentInfo",
                        "scope",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    ),
    st.sampled_from(["data", "extra", "agent"]),
)
def test_no_answer_breaks_the_reader(given_value, place):
    body = {"data": [], "extra": {}, "agent": {}} | {place: given_value}
    with contextlib.suppress(wire.BadAnswer):
        wire.read_answer(WORDING, body)


def test_the_doctor_says_how_it_stands(province):
    levels = lambda **more: [report.level for report in hall(province, **more).check_config()]  # noqa: E731
    assert levels() == ["warn", "warn", "good"]
    assert levels(keys={}) == ["warn", "warn", "warn", "good"]
    province.configure({"wrong": "fault"})
    assert [one.level for one in Hall(province.address, DEMO_APP, "x", WORDING, keys={}).check_config()][
        -1
    ] == "bad"


def test_the_settings_of_the_simulator_are_read_back(monkeypatch):
    for name, value in SIMULATOR.environ("http://127.0.0.1:8141").items():
        monkeypatch.setenv(name, value)
    assert set(config.read("LIANGZHU_CODE_PUBLIC")) == {one.key for one in WORDING.provinces}
    monkeypatch.setenv("LIANGZHU_CODE_PUBLIC", "jiangsu")
    with pytest.raises(config.SettingError):
        config.read("LIANGZHU_CODE_PUBLIC")


def test_a_pack_that_confuses_provinces_is_refused(root):
    import tomllib

    whole = tomllib.loads((PACK / "codes.toml").read_text())
    whole["province"][1]["mark"] = whole["province"][0]["mark"]
    with pytest.raises(WordingError, match="mark"):
        Wording.read(whole)
    del whole["paths"]["token"]
    with pytest.raises(WordingError, match="token"):
        Wording.read(whole)


def test_the_phone_of_the_simulator_shows_a_code_that_is_good(province):
    import http.client

    connection = http.client.HTTPConnection(province.address.removeprefix("http://"), timeout=5)
    connection.request("GET", "/")
    front = connection.getresponse().read().decode()
    assert "模拟" in front and "林晓禾" in front
    body = "person=linxiaohe&firm=0&province=jiangsu&consent_business_licence=1"
    connection.request("POST", "/phone", body, {"Content-Type": "application/x-www-form-urlencoded"})
    page = connection.getresponse().read().decode()
    raw = page.split('readonly value="')[1].split('"')[0]
    client = hall(province)
    answer = client.present(client.read(raw), replace(ASKED, licences=("business_licence",)))
    assert answer.bearer.name == "林晓禾" and answer.licences[0].key == "business_licence"
    connection.close()
