"""Indicators: what counts, who confirms, and that every number opens."""

from datetime import date
from decimal import Decimal

import pytest

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.data.indicators import queries
from liangzhu.beams.data.indicators.actions import MeasuringFailed
from liangzhu.beams.data.indicators.loading import load_indicators
from liangzhu.beams.data.indicators.measuring import fingerprint
from liangzhu.beams.data.indicators.models import Indicator, Row, RowSet, Snapshot
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.log import sm3
from liangzhu.kernel.models import LogLeaf, OutboxEvent
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import Pack, PackError
from liangzhu.kernel.refs import Ref

KEY = "services.online_rate"


def report(actor, value="81.3", as_of=date(2022, 10, 15), **given):
    given = {"source": "省平台统计表"} | given
    return indicators.report(actor, key=KEY, as_of=as_of, value=Decimal(value), **given)


class TestReporting:
    def test_a_reported_value_counts_only_when_a_second_person_confirmed_it(self, people, reported):
        snapshot = report(people.officer)
        assert indicators.latest(KEY) is None
        indicators.confirm(people.head, snapshot_id=snapshot.pk)
        assert indicators.latest(KEY).text == "81.3%"

    def test_nobody_confirms_what_they_reported_under_any_post(self, people, reported):
        snapshot = report(people.head_as_officer)
        with pytest.raises(Denied, match="自己填报"):
            indicators.confirm(people.head, snapshot_id=snapshot.pk)
        indicators.confirm(people.office, snapshot_id=snapshot.pk)
        assert indicators.latest(KEY).value == Decimal("81.3")

    def test_only_the_owner_unit_reports_and_its_head_confirms(self, people, reported):
        with pytest.raises(Denied):
            report(people.stranger)
        snapshot = report(people.officer)
        for outsider in (people.stranger, people.officer):
            with pytest.raises(Denied):
                indicators.confirm(outsider, snapshot_id=snapshot.pk)

    def test_a_refused_value_never_counts_and_keeps_its_reason(self, people, reported):
        snapshot = report(people.officer)
        with pytest.raises(Invalid) as raised:
            indicators.refuse(people.head, snapshot_id=snapshot.pk, reason=" ")
        assert "reason" in raised.value.fields
        indicators.refuse(people.head, snapshot_id=snapshot.pk, reason="分母漏了街道事项")
        assert indicators.latest(KEY) is None
        assert indicators.snapshot(snapshot.pk).reason == "分母漏了街道事项"
        report(people.officer, "80.1")

    def test_a_value_decided_on_says_who_decided(self, people, reported):
        snapshot = report(people.officer)
        indicators.confirm(people.head, snapshot_id=snapshot.pk)
        with pytest.raises(Conflict, match="第2人.*已确认"):
            indicators.refuse(people.office, snapshot_id=snapshot.pk, reason="迟了")

    @pytest.mark.parametrize(
        ("given", "field", "says"),
        [
            ({"source": ""}, "source", "佐证"),
            ({"value": "81.34"}, "value", "1 位小数"),
            ({"value": "1e20"}, "value", "超出"),
            ({"value": "NaN"}, "value", "超出"),
            ({"as_of": date(2022, 10, 21)}, "as_of", "还没有到"),
            ({"numerator": Decimal(8)}, "denominator", "都填"),
            ({"numerator": Decimal(8), "denominator": Decimal(0)}, "denominator", "大于 0"),
            ({"numerator": Decimal(8), "denominator": Decimal(10)}, "value", "80.0"),
        ],
    )
    def test_bad_values_are_named_beside_their_field(self, people, reported, given, field, says):
        with pytest.raises(Invalid) as raised:
            report(people.officer, **given)
        assert says in raised.value.fields[field]
        assert not Snapshot.objects.exists()

    def test_a_share_agrees_with_its_parts(self, people, reported):
        snapshot = report(people.officer, numerator=Decimal(813), denominator=Decimal(1000))
        assert indicators.snapshot(snapshot.pk).denominator == 1000

    def test_a_second_value_for_a_day_waits_for_the_first(self, people, reported):
        report(people.officer)
        with pytest.raises(Invalid, match="第1人"):
            report(people.office, "82.0")

    def test_a_correction_replaces_the_value_of_its_day(self, people, reported):
        for value in ("81.3", "81.1"):
            indicators.confirm(people.head, snapshot_id=report(people.officer, value).pk)
        assert [view.text for view in indicators.series(KEY)] == ["81.1%"]
        assert Snapshot.objects.count() == 2

    def test_computed_indicators_take_no_report(self, people, computed):
        with pytest.raises(StepNotAllowed):
            indicators.report(
                people.officer, key=computed.key, as_of=date(2022, 10, 1), value=Decimal(1), source="x"
            )

    def test_report_and_confirmation_are_logged_and_announced(self, people, reported):
        snapshot = report(people.officer)
        indicators.confirm(people.head, snapshot_id=snapshot.pk)
        actions = LogLeaf.objects.filter(subject=str(snapshot.ref)).values_list("action", flat=True)
        assert set(actions) == {"indicators.report", "indicators.confirm"}
        names = list(OutboxEvent.objects.filter(subject=str(snapshot.ref)).values_list("name", flat=True))
        assert names == ["indicators.value_reported", "indicators.snapshot_taken"]


class TestMeasuring:
    def test_a_snapshot_keeps_value_query_version_and_the_hash_of_its_rows(self, computed):
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        view = indicators.snapshot(snapshot.pk)
        assert (view.text, view.numerator, view.denominator) == ("50.0%", 1, 2)
        assert (view.query, view.query_version) == ("toy.rate", 3)
        assert view.rows_hash == sm3(b"thing:1\n\nthing:2")
        assert queries.rows_hold(snapshot.pk)

    def test_rows_that_were_tampered_with_are_found_out(self, computed):
        snapshot = indicators.measure(SYSTEM, key=computed.key)
        Row.objects.filter(ref="thing:2").update(counted=True)
        assert not queries.rows_hold(snapshot.pk)

    def test_the_same_rows_are_kept_once(self, computed):
        for day in (18, 19, 20):
            indicators.measure(SYSTEM, key=computed.key, day=date(2022, 10, day))
        assert Snapshot.objects.count() == 3
        assert RowSet.objects.count() == 1

    def test_the_daily_job_measures_once_a_day(self, computed):
        assert indicators.measure_all() == 1
        assert indicators.measure_all() == 0
        with at("2022-10-21 00:10"):
            assert indicators.measure_all() == 1
        assert Snapshot.objects.count() == 2

    def test_one_that_fails_does_not_keep_the_others_from_it(self, computed, define, finds):
        broken = define("services.broken", "computed")
        Indicator.objects.filter(pk=broken.pk).update(query="toy.gone")
        with pytest.raises(MeasuringFailed, match=r"services\.broken.*toy\.gone"):
            indicators.measure_all()
        assert indicators.latest(computed.key).text == "50.0%"

    def test_measuring_again_adds_a_snapshot_only_when_something_changed(self, computed, people, finds):
        first = indicators.measure(SYSTEM, key=computed.key)
        assert indicators.measure(people.officer, key=computed.key) == first
        finds(indicators.Measured(Decimal(100), 2, 2, [Ref("thing", "1"), Ref("thing", "2")]))
        second = indicators.measure(people.officer, key=computed.key)
        assert second != first
        assert indicators.latest(computed.key).text == "100.0%"

    def test_nothing_to_measure_gives_no_value(self, computed, finds):
        finds(indicators.Measured(None))
        view = indicators.snapshot(indicators.measure(SYSTEM, key=computed.key).pk)
        assert (view.value, view.text, view.row_count) == (None, "—", 0)

    def test_a_day_to_come_cannot_be_measured(self, computed):
        with pytest.raises(Invalid, match="2022-10-21"):
            indicators.measure(SYSTEM, key=computed.key, day=date(2022, 10, 21))

    def test_strangers_do_not_measure(self, computed, people):
        with pytest.raises(Denied):
            indicators.measure(people.stranger, key=computed.key)

    def test_a_long_list_of_rows_gives_the_same_hash_in_any_order(self):
        refs = [Ref("thing", str(n)) for n in range(50)]
        assert fingerprint(refs) == fingerprint(reversed(refs))
        assert fingerprint(refs[:25], refs[25:]) != fingerprint(refs)


class TestChecks:
    @pytest.fixture
    def measured(self, people, reported):
        for value, day in (("74.2", 1), ("85.0", 10)):
            indicators.confirm(people.head, snapshot_id=report(people.officer, value, date(2022, 10, day)).pk)

    @pytest.mark.parametrize(
        ("op", "target", "day", "state", "gap"),
        [
            (">=", "85", 20, "kept", 0),
            (">", "85", 20, "failing", 0),
            ("<=", "85", 20, "kept", 0),
            ("<", "80", 20, "failing", 5),
            ("=", "85", 20, "kept", 0),
            (">=", "85", 9, "failing", Decimal("10.8")),
            (">=", "85", 0, "unmeasured", None),
        ],
    )
    def test_a_check_is_judged_by_the_value_of_its_day(self, measured, op, target, day, state, gap):
        at_day = date(2022, 10, day) if day else date(2022, 9, 30)
        result = indicators.evaluate(indicators.Check(KEY, op, Decimal(target)), at_day)
        assert (result.state, result.gap) == (state, gap)

    def test_a_value_of_nothing_is_not_measured(self, computed, finds):
        finds(indicators.Measured(None))
        indicators.measure(SYSTEM, key=computed.key)
        result = indicators.evaluate(indicators.Check(computed.key, ">=", Decimal(1)), date(2022, 10, 20))
        assert result.state == "unmeasured"

    def test_an_unknown_comparison_is_refused(self):
        with pytest.raises(ValueError, match="≈"):
            indicators.Check(KEY, "≈", Decimal(1))

    def test_many_checks_cost_two_queries(self, measured, computed, django_assert_num_queries):
        indicators.measure(SYSTEM, key=computed.key)
        checks = {n: indicators.Check(KEY, ">=", Decimal(n)) for n in range(80, 90)}
        checks[99] = indicators.Check(computed.key, ">=", Decimal(99))
        with django_assert_num_queries(2):
            results = indicators.evaluate_many(checks, date(2022, 10, 20))
        assert [results[n].state for n in (80, 85, 86, 99)] == ["kept", "kept", "failing", "failing"]

    def test_latest_of_all_names_only_what_has_a_value(self, measured, define):
        define("services.empty")
        assert [view.key for view in indicators.latest_of_all(date(2022, 10, 20))] == [KEY]


class TestDefinition:
    def test_a_changed_caliber_begins_a_new_edition_and_old_values_keep_theirs(
        self, people, reported, define
    ):
        before = report(people.officer)
        define(KEY, caliber="办件口径：网上申请的办件所占比例")
        indicators.confirm(people.head, snapshot_id=before.pk)
        after = report(people.officer, as_of=date(2022, 10, 16))
        assert (indicators.snapshot(before.pk).edition, indicators.snapshot(after.pk).edition) == (1, 2)

    def test_confirming_a_caliber_is_no_new_edition(self, define):
        define("services.doubtful", unconfirmed=True, to_confirm="市里怎么算")
        row = define("services.doubtful", unconfirmed=False)
        assert (row.edition, row.version, row.unconfirmed, row.to_confirm) == (1, 2, False, "")

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"key": "nodot"}, "key"),
            ({"kind": "computed", "query": ""}, "query"),
            ({"kind": "computed", "query": "toy.unknown"}, "query"),
            ({"unconfirmed": True}, "to_confirm"),
            ({"decimals": 9}, "decimals"),
            ({"owner_unit_id": 999999}, "owner_unit_id"),
            ({"caliber": " "}, "caliber"),
        ],
    )
    def test_a_definition_that_cannot_work_is_named(self, define, given, field):
        with pytest.raises(Invalid) as raised:
            define(**({"key": "services.new"} | given))
        assert field in raised.value.fields

    def test_two_people_do_not_overwrite_each_other(self, people, reported, define):
        define(KEY, source="第一人改的", version=1)
        with pytest.raises(Conflict, match="系统 已在 2022-10-20 09:00 改过"):
            define(KEY, source="第二人改的", version=1)

    def test_a_key_that_is_taken_changes_nothing(self, people, reported, define):
        with pytest.raises(Invalid, match="已经用于") as raised:
            define(KEY, caliber="另一个人的新指标", version=None)
        assert "key" in raised.value.fields

    def test_an_unknown_indicator_is_named(self, units):
        with pytest.raises(NotThere, match="no.such"):
            indicators.indicator_id("no.such")


class TestPack:
    ENTRY = """
source = "test"
[[indicator]]
key = "services.online_rate"
name = "一网通办率"
reading = "事项口径"
kind = "reported"
owner = "approval"
unit = "%"
caliber = "甲"
formula = "乙"
unconfirmed = true
to_confirm = "丙"
"""

    def load(self, tmp_path, text=ENTRY):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "indicators.toml").write_text(text)
        load_indicators(Pack(folder))
        return Indicator.objects.get(key="services.online_rate")

    def test_loading_twice_changes_nothing(self, units, tmp_path):
        self.load(tmp_path)
        leaves = LogLeaf.objects.count()
        row = self.load(tmp_path)
        assert (row.title, row.unconfirmed, row.version) == ("一网通办率（事项口径）", True, 1)
        assert LogLeaf.objects.count() == leaves

    def test_a_newer_pack_is_applied(self, units, tmp_path):
        self.load(tmp_path)
        row = self.load(tmp_path, self.ENTRY.replace('"甲"', '"新甲"'))
        assert (row.caliber, row.edition) == ("新甲", 2)

    def test_what_people_changed_stands(self, people, units, tmp_path):
        """Also a confirmation, which begins no new edition."""
        row = self.load(tmp_path)
        indicators.define(
            people.office,
            key=row.key,
            name=row.name,
            kind=row.kind,
            caliber=row.caliber,
            formula=row.formula,
            owner_unit_id=row.owner_unit_id,
            source="会议纪要",
            frequency=row.frequency,
            version=row.version,
        )
        row = self.load(tmp_path, self.ENTRY.replace('"甲"', '"新甲"'))
        assert (row.caliber, row.unconfirmed, row.source) == ("甲", False, "会议纪要")

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('owner = "approval"', 'owner = "nobody"', "nobody"),
            ('formula = "乙"', "", "缺少 formula"),
            ('kind = "reported"', 'kind = "computed"\nquery = "no.query"', "no.query"),
            ('unit = "%"', "decimals = 7", "小数位"),
        ],
    )
    def test_a_wrong_entry_names_file_and_entry(self, units, tmp_path, old, new, says):
        with pytest.raises(PackError, match=r"indicators\.toml.*services\.online_rate") as raised:
            self.load(tmp_path, self.ENTRY.replace(old, new))
        assert says in str(raised.value)
