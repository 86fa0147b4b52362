"""The pages of indicators: what is typed stays, evidence opens, two people are needed."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.data.indicators.models import Row
from liangzhu.beams.people.access import api as access
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters.api import Notice
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.refs import Ref, register_ref
from liangzhu.kernel.ui import nav
from liangzhu.kernel.worker import drain

THINGS = {"1": ("第一件", "/things/1/"), "2": ("第二件", "")}


def resolve_things(ids, actor):
    """Thing 2 exists, but only the system sees it."""
    return {i: THINGS[i] for i in ids if i in THINGS and (i == "1" or actor.is_system)}


register_ref("thing", "物件", resolve_things)


def page(client, name, *args, **query):
    return client.get(reverse(f"indicators:{name}", args=args), query)


def report(client, key, **given):
    data = {"as_of": "2022-10-15", "value": "81.3", "source": "省平台统计表"} | given
    return client.post(reverse("indicators:report", args=[key]), data)


class TestList:
    def test_every_indicator_shows_its_newest_value_and_where_it_opens(self, signed_in, reported, computed):
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        text = page(signed_in("stranger"), "list").content.decode()
        assert reverse("indicators:rows", args=[snapshot.pk]) in text
        assert "50.0%" in text
        assert "还没有数值" in text

    def test_an_unconfirmed_caliber_is_marked(self, signed_in, define):
        define("services.doubtful", unconfirmed=True, to_confirm="市里怎么算")
        assert "待确认" in page(signed_in("stranger"), "list").content.decode()
        assert "市里怎么算" in page(signed_in("stranger"), "indicator", "services.doubtful").content.decode()

    def test_the_list_can_be_narrowed(self, signed_in, reported, computed):
        text = page(signed_in("stranger"), "list", q="办结").content.decode()
        assert "办结率" in text
        assert "一网通办率" not in text
        assert "没有找到" in page(signed_in("stranger"), "list", q="无此指标").content.decode()

    def test_the_number_of_queries_does_not_grow_with_the_list(
        self, signed_in, define, django_assert_max_num_queries
    ):
        client = signed_in("stranger")
        for n in range(20):
            define(f"services.rate_{n}")
        page(client, "list")
        with django_assert_max_num_queries(25):
            page(client, "list")

    def test_the_public_is_sent_to_sign_in(self, client, reported):
        for name, args in (("list", []), ("indicator", [reported.key])):
            answer = page(client, name, *args)
            assert answer.status_code == 302
            assert "login" in answer["Location"]

    def test_an_unknown_indicator_is_not_there(self, signed_in):
        assert page(signed_in("officer"), "indicator", "no.such").status_code == 404


class TestReporting:
    def test_a_value_goes_from_officer_to_head_with_its_evidence(self, signed_in, reported):
        file = SimpleUploadedFile("统计表.txt", "甲 813 乙 1000".encode(), "text/plain")
        answer = report(signed_in("officer"), reported.key, source="", files=file)
        assert answer.status_code == 302
        (waiting,) = reported.snapshots.all()
        shown = page(signed_in("head"), "rows", waiting.pk).content.decode()
        assert "统计表.txt" in shown
        assert "确认或退回" in shown
        answer = signed_in("head").post(reverse("indicators:decide", args=[waiting.pk]), {})
        assert answer.status_code == 302
        assert indicators.latest(reported.key).text == "81.3%"

    def test_evidence_is_for_staff(self, signed_in, reported):
        file = SimpleUploadedFile("统计表.txt", "甲 813 乙 1000".encode(), "text/plain")
        report(signed_in("officer"), reported.key, files=file)
        (waiting,) = reported.snapshots.all()
        (attachment,) = files.of(waiting.ref)
        url = reverse("files:download", args=[attachment.pk])
        assert signed_in("stranger").get(url).status_code == 200
        assert Client().get(url).status_code == 302

    def test_an_error_keeps_what_was_typed(self, signed_in, reported):
        answer = report(signed_in("officer"), reported.key, value="81.345", note="一段说明")
        text = answer.content.decode()
        assert answer.status_code == 422
        assert "保留 1 位小数" in text
        assert "81.345" in text
        assert "一段说明" in text
        assert not reported.snapshots.exists()

    def test_the_same_form_sent_twice_reports_once(self, signed_in, reported):
        client = signed_in("officer")
        for _ in range(2):
            assert report(client, reported.key, once="a" * 32).status_code == 302
        assert reported.snapshots.count() == 1

    def test_strangers_see_no_form_and_cannot_send_one(self, signed_in, reported):
        client = signed_in("stranger")
        assert "填报数值" not in page(client, "indicator", reported.key).content.decode()
        assert report(client, reported.key).status_code == 403
        assert not reported.snapshots.exists()

    def test_who_reported_is_not_offered_to_confirm(self, signed_in, reported):
        client = signed_in("head")
        report(client, reported.key)
        (waiting,) = reported.snapshots.all()
        assert "确认或退回" not in page(client, "rows", waiting.pk).content.decode()
        assert client.post(reverse("indicators:decide", args=[waiting.pk]), {}).status_code == 403

    def test_sending_back_needs_a_reason(self, signed_in, reported):
        report(signed_in("officer"), reported.key)
        (waiting,) = reported.snapshots.all()
        url = reverse("indicators:decide", args=[waiting.pk])
        answer = signed_in("head").post(url, {"refuse": "1"})
        assert answer.status_code == 422
        assert "请写明退回的理由" in answer.content.decode()
        signed_in("head").post(url, {"refuse": "1", "reason": "分母不对"})
        assert "分母不对" in page(signed_in("officer"), "rows", waiting.pk).content.decode()

    def test_the_head_is_told_that_a_value_waits(self, signed_in, reported):
        report(signed_in("officer"), reported.key)
        drain()
        (notice,) = Notice.objects.all()
        assert notice.post.key == "head"
        assert "81.3%" in notice.title

    def test_the_menu_counts_what_waits_for_me(self, signed_in, reported):
        report(signed_in("officer"), reported.key)
        entry = next(entry for entry in nav.entries("workbench") if entry.url == "indicators:list")
        counts = {
            name: entry.count(access.actor_of(name)) for name in ("officer", "head", "office", "stranger")
        }
        assert counts == {"officer": 0, "head": 1, "office": 1, "stranger": 0}


class TestRows:
    def test_a_number_opens_to_its_rows(self, signed_in, computed):
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        text = page(signed_in("stranger"), "rows", snapshot.pk).content.decode()
        assert '<a href="/things/1/">第一件</a>' in text
        assert "不在您的查看范围" in text

    def test_rows_deleted_later_show_as_such(self, signed_in, computed, finds):
        finds(indicators.Measured(1, 1, 1, [Ref("thing", "99")]))
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        text = page(signed_in("stranger"), "rows", snapshot.pk).content.decode()
        assert "物件 99" in text
        assert "已按规定删除" in text

    def test_the_fingerprint_can_be_verified(self, signed_in, computed):
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        client = signed_in("stranger")
        assert "与明细一致" in page(client, "rows", snapshot.pk, verify=1).content.decode()
        Row.objects.filter(ref="thing:1").delete()
        assert "指纹不符" in page(client, "rows", snapshot.pk, verify=1).content.decode()

    def test_many_rows_come_page_by_page(self, signed_in, computed, finds):
        finds(indicators.Measured(1, 250, 250, [Ref("thing", str(n)) for n in range(1000, 1250)]))
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        client = signed_in("stranger")
        first = page(client, "rows", snapshot.pk)
        assert first.content.decode().count("已按规定删除") == 100
        assert first.context["opened"].rows.next


class TestDefinition:
    DATA = {
        "key": "services.new_rate",
        "name": "新指标",
        "kind": "reported",
        "caliber": "口径",
        "formula": "算式",
        "decimals": "1",
        "better": "up",
        "frequency": "month",
        "source": "会议纪要",
    }

    def test_the_office_defines_and_others_do_not(self, signed_in, units):
        data = self.DATA | {"owner_unit_id": str(units.by_key("approval").id)}
        assert signed_in("officer").post(reverse("indicators:new"), data).status_code == 403
        answer = signed_in("office").post(reverse("indicators:new"), data)
        assert answer["Location"] == reverse("indicators:indicator", args=["services.new_rate"])

    def test_a_changed_definition_is_shown_with_its_editions(self, signed_in, reported):
        client = signed_in("office")
        url = reverse("indicators:define", args=[reported.key])
        initial = client.get(url).context["form"]
        data = {name: initial.initial[name] for name in self.DATA} | {
            "owner_unit_id": reported.owner_unit_id,
            "version": reported.version,
            "caliber": "新的口径",
        }
        assert client.post(url, data).status_code == 302
        text = page(client, "indicator", reported.key).content.decode()
        assert "新的口径" in text
        assert "口径改过 1 次" in text

    def test_a_definition_changed_meanwhile_is_a_conflict(self, signed_in, reported, define):
        define(reported.key, source="别人改的")
        client = signed_in("office")
        data = self.DATA | {"key": reported.key, "version": 1, "owner_unit_id": reported.owner_unit_id}
        answer = client.post(reverse("indicators:define", args=[reported.key]), data)
        assert answer.status_code == 409
        assert "已在 2022-10-20 09:00 改过" in answer.content.decode()

    def test_measuring_now_leads_to_the_number(self, signed_in, computed):
        answer = signed_in("officer").post(reverse("indicators:measure", args=[computed.key]))
        assert answer.status_code == 302
        assert (
            page(signed_in("officer"), "rows", indicators.latest(computed.key).snapshot_id).status_code == 200
        )
