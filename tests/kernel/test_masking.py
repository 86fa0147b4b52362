"""Masking: nothing that identifies a person remains readable, whatever the text; reading in full leaves a leaf."""

import re
from datetime import date

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.test.utils import isolate_apps
from hypothesis import example, given
from hypothesis import strategies as st

from liangzhu.kernel import masking, sealing
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Masked, Sealed, SealedTextField
from liangzhu.kernel.web import RequestMiddleware

CLERK = Actor(ref=Ref("account", "7"), label="窗口人员")
digits = st.text("0123456789", min_size=1, max_size=20)


def citizen(region: str, birth: str, sequence: str) -> str:
    body = region + birth + sequence
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


citizens = st.builds(
    citizen,
    st.sampled_from(["320706", "320705", "110105", "440524"]),
    st.dates(date(1930, 1, 1), date(2020, 12, 31)).map("{:%Y%m%d}".format),
    st.integers(1, 999).map("{:03}".format),
)
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


def luhn(body: str) -> str:
    return next(body + str(n) for n in range(10) if masking._luhn(body + str(n)))


cards = st.from_regex(r"62[0-9]{16}", fullmatch=True).map(luhn)
words = st.text("海州区居民反映噪声扰民，请尽快处理。", max_size=12)


class TestMasks:
    @pytest.mark.parametrize(
        ("mask", "text", "shown"),
        [
            (masking.name, "张三", "张*"),
            (masking.name, "张三丰", "张**"),
            (masking.name, "欧阳修", "欧阳*"),
            (masking.name, "欧阳修文", "欧阳**"),
            (masking.name, "爱新觉罗溥仪", "爱新觉罗**"),
            (masking.name, "欧阳", "欧*"),
            (masking.name, "张", "*"),
            (masking.name, "", ""),
            (masking.phone, "13812345678", "138****5678"),
            (masking.phone, "+86 138-1234-5678", "138****5678"),
            (masking.phone, "0518-85412345", "0518****2345"),
            (masking.phone, "85412345", "****2345"),
            (masking.phone, "张三", "***"),
            (masking.citizen_id, "32070519491231002X", "320705********002X"),
            (masking.citizen_id_public, "32070519491231002X", "**************002X"),
            (masking.citizen_id, "13812345678", "***********"),
            (masking.bank_card, "6222 0202 0000 1234 567", "***************4567"),
            (masking.email, "abc@example.cn", "a***@example.cn"),
            (masking.email, "不是邮箱", "***"),
            (masking.address, "连云港市海州区新东街道苍梧路8号", "连云港市海州区新东街道***"),
            (masking.address, "海州区浦南镇江浦村三组12号", "海州区浦南镇***"),
            (masking.address, "海州区苍梧路8号", "海州区***"),
            (masking.address, "某处", "***"),
        ],
    )
    def test_each_kind_in_its_form(self, mask, text, shown):
        assert mask(text) == shown

    @given(st.text(max_size=60))
    @example("０" * 18)
    def test_masks_take_anything(self, text):
        for mask in (
            masking.name,
            masking.phone,
            masking.citizen_id,
            masking.bank_card,
            masking.email,
            masking.address,
        ):
            mask(text)
        masking.mask_text(text)
        masking.find(text)

    @given(citizens, mobiles, cards)
    def test_what_is_hidden_cannot_be_read(self, number, mobile, card):
        assert number[6:14] not in masking.citizen_id(number)
        assert mobile[3:7] not in masking.phone(mobile)[3:7]
        assert card[:-4] not in masking.bank_card(card)


class TestFreeText:
    @given(st.lists(st.tuples(st.one_of(citizens, mobiles, cards), words), min_size=1, max_size=5), words)
    def test_every_identifier_is_found_and_nothing_else_is_touched(self, planted, start):
        text = start + "".join(f"，{number}。{word}" for number, word in planted)
        found = masking.find(text)
        assert [one.value for one in found] == [number for number, _ in planted]
        left = masking.mask_text(text)
        for number, _ in planted:
            assert number not in left
        assert re.sub(r"[0-9X*]", "", left) == re.sub(r"[0-9X]", "", text)

    @pytest.mark.parametrize(
        "written",
        ["138 1234 5678", "138-1234-5678", "１３８１２３４５６７８", "+8613812345678", "13812345678"],
    )
    def test_a_number_is_found_however_it_is_written(self, written):
        assert [(one.kind, one.value[-11:]) for one in masking.find(f"电话：{written}，张女士")] == [
            ("phone", "13812345678")
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "海政发〔2022〕114号",
            "PT-2022-0007",
            "2022-10-20",
            "12345",
            "320705194912310020",
            "1234567890123456",
        ],
    )
    def test_numbers_of_another_kind_stay(self, text):
        assert masking.find(text) == []
        assert masking.mask_text(text) == text

    def test_two_numbers_beside_each_other_are_two(self):
        found = masking.find("13812345678 13912345678，11010519491231002X 0518-85412345")
        assert [one.kind for one in found] == ["phone", "phone", "citizen_id", "phone"]

    @given(citizens, words)
    def test_a_token_stands_for_its_number_and_tells_nothing(self, db_keys, number, word):
        text, values = masking.tokenise(f"{word}{number}、{number}")
        assert number not in text
        assert list(values.values()) == [number]
        mark = next(iter(values))
        assert text == f"{word}{mark}、{mark}"


@pytest.fixture(scope="module")
def db_keys(django_db_setup, django_db_blocker):
    """The installation's keys, for tests that run many examples."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def resident():
    with isolate_apps("liangzhu.kernel"):

        class Resident(Sealed):
            name = SealedTextField(max_length=40, grade=3, mask=masking.name)
            number = SealedTextField(max_length=18, grade=3, mask=masking.citizen_id)
            secret = SealedTextField(max_length=18, grade=3)
            street = SealedTextField(max_length=40)

            class Meta:
                app_label = "kernel"

            @property
            def ref(self) -> Ref:
                return Ref("resident", str(self.pk))

        yield Resident


@pytest.fixture
def residents(resident, transactional_db):
    with connection.schema_editor() as editor:
        editor.create_model(resident)
    resident.objects.create(name="欧阳修文", number="32070519491231002X", secret="x", street="新东街道")
    resident.objects.create(name="张三", number="110105194912310021", secret="y", street="浦南镇")
    yield resident.objects
    with connection.schema_editor() as editor:
        editor.delete_model(resident)


def answer(view) -> tuple[bytes, list[LogLeaf]]:
    """What a view answers through the middleware, and the leaves that stood when the answer left."""
    request: WSGIRequest = RequestFactory().get("/")
    response = RequestMiddleware(view)(request)
    if not response.streaming:
        return response.content, list(LogLeaf.objects.filter(action="kernel.read"))
    return b"".join(response.streaming_content), list(LogLeaf.objects.filter(action="kernel.read"))


class TestReading:
    def test_a_page_shows_the_mask_and_leaves_no_leaf(self, residents, reads_logged):
        with reads_logged():
            content, leaves = answer(
                lambda request: HttpResponse(
                    f"{row.name} {row.number} {row.secret}" for row in residents.order_by("pk")
                )
            )
        assert "欧阳** 320705********002X ***" in content.decode()
        assert leaves == []

    def test_reading_in_full_names_the_reader_and_the_reason(self, residents, reads_logged):
        with reads_logged():
            row = residents.order_by("pk").first()
            number, name = masking.reveal(CLERK, row, "number", "name", reason="核对申请材料")
        assert (number, name) == ("32070519491231002X", "欧阳修文")
        leaf = LogLeaf.objects.get(action="kernel.read")
        assert (leaf.actor, leaf.subject) == ("account:7", f"resident:{row.pk}")
        assert leaf.detail.body == '{"fields":["name","number"],"reason":"核对申请材料"}'

    @pytest.mark.parametrize("reason", ["", "  ", "长" * 201])
    def test_without_a_reason_nothing_is_shown(self, residents, reason):
        with pytest.raises(Invalid) as refused:
            masking.reveal(CLERK, residents.first(), "number", reason=reason)
        assert "reason" in refused.value.fields
        assert not LogLeaf.objects.filter(action="kernel.read").exists()

    def test_a_request_writes_its_reads_together_before_the_answer_leaves(self, residents, reads_logged):
        def view(request):
            texts = [
                masking.reveal(CLERK, row, "number", reason="导出核验") for row in residents.order_by("pk")
            ]
            texts += [
                masking.reveal(CLERK, row, "name", reason="导出核验") for row in residents.order_by("pk")
            ]
            assert not LogLeaf.objects.filter(action="kernel.read").exists()
            return HttpResponse(" ".join(texts))

        with reads_logged():
            content, leaves = answer(view)
        assert "110105194912310021" in content.decode()
        assert len(leaves) == 2

    def test_an_answer_whose_reads_cannot_be_written_does_not_leave(self, residents, monkeypatch):
        monkeypatch.setattr(masking, "write_leaf", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer(
                lambda request: HttpResponse(
                    masking.reveal(CLERK, residents.first(), "number", reason="核对")
                )
            )

    def test_a_streamed_export_writes_each_read_before_its_piece_leaves(self, residents, reads_logged):
        def pieces():
            for row in residents.order_by("pk"):
                yield masking.reveal(CLERK, row, "number", reason="导出")

        with reads_logged():
            response = RequestMiddleware(lambda request: StreamingHttpResponse(pieces()))(
                RequestFactory().get("/")
            )
            assert not LogLeaf.objects.filter(action="kernel.read").exists()
            for count, _ in enumerate(response.streaming_content, start=1):
                assert LogLeaf.objects.filter(action="kernel.read").count() == count

    def test_a_way_round_is_found(self, residents, reads_logged, resident):
        row = residents.first()
        with pytest.raises(AssertionError, match="number"), reads_logged():
            assert resident._meta.get_field("number").plain(row)

    def test_a_masked_value_that_is_saved_again_stays_whole(self, residents):
        row = residents.order_by("pk").first()
        assert isinstance(row.number, Masked)
        row.number = row.number
        row.save()
        row.refresh_from_db()
        row.save()
        assert (
            masking.reveal(CLERK, residents.get(pk=row.pk), "number", reason="核对") == "32070519491231002X"
        )

    def test_fields_of_grade_3_are_known(self, residents, resident):
        assert {field.name for field in sealing.grade_3_fields(resident._meta.apps)} == {
            "name",
            "number",
            "secret",
        }
