"""Every change of indicators: define, measure, report, confirm, refuse."""

import logging
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError

from liangzhu.beams.data.indicators import events, measuring, policies
from liangzhu.beams.data.indicators.models import Edition, Indicator, Row, RowSet, Snapshot
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files_api
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, StepNotAllowed
from liangzhu.kernel.now import SHANGHAI, now, today

MEANING = ("name", "caliber", "formula", "measure_unit", "query")
"""What a value means. When one of these changes, a new edition begins."""

LIMIT = Decimal(10) ** 14

logger = logging.getLogger("liangzhu.indicators")


class MeasuringFailed(RuntimeError):
    """Some indicators could not be measured; the message names them."""


# Definition -----------------------------------------------------------------------------------------------------------


@action("indicators.define")
def define(
    act: Act,
    *,
    key: str,
    name: str,
    kind: str,
    caliber: str,
    formula: str,
    owner_unit_id: int,
    source: str,
    frequency: str,
    query: str = "",
    reading: str = "",
    group: str = "",
    is_default: bool = True,
    measure_unit: str = "",
    decimals: int = 1,
    better: str = Indicator.UP,
    unconfirmed: bool = False,
    to_confirm: str = "",
    version: int | None = None,
    pack_print: str = "",
) -> Indicator:
    """Define a new indicator, or with ``version``, that of the page the change was made on, change one (定义指标).

    Key and kind of an indicator never change: a number of another origin is another indicator. Raises Invalid, Conflict.
    """
    row = Indicator.objects.select_for_update().filter(key=key).first()
    act.check(policies.define, row)
    new = row is None
    if new:
        row = Indicator(key=key, kind=kind)
    elif version is None:
        raise Invalid({"key": f"这个键已经用于“{row.title}”，请换一个，或去改那个指标的定义。"})
    elif kind != row.kind:
        raise Invalid(
            {"kind": f"“{row.title}”是{row.get_kind_display()}的指标，来源不能改；请另建一个指标。"}
        )
    elif version != row.version:
        when = row.changed_at.astimezone(SHANGHAI)
        raise Conflict(f"{row.changed_label} 已在 {when:%Y-%m-%d %H:%M} 改过这个定义。")
    before = {field: getattr(row, field) for field in MEANING}
    row.name, row.reading, row.group, row.is_default = name.strip(), reading.strip(), group, is_default
    row.caliber, row.formula, row.source = caliber.strip(), formula.strip(), source.strip()
    row.query = query if kind == Indicator.COMPUTED else ""
    row.measure_unit, row.decimals, row.better, row.frequency = measure_unit, decimals, better, frequency
    row.owner_unit_id = owner_unit_id
    row.unconfirmed, row.to_confirm = unconfirmed, to_confirm if unconfirmed else ""
    row.pack_print = pack_print or row.pack_print
    row.changed_by, row.changed_label, row.changed_at = str(act.actor.ref), act.actor.label, now()
    _check_definition(row)
    changed = [field for field in MEANING if not new and before[field] != getattr(row, field)]
    if changed:
        row.edition += 1
    if not new:
        row.version += 1
    row.save()
    if new or changed:
        Edition.objects.create(
            indicator=row,
            number=row.edition,
            at=row.changed_at,
            recorded_by=row.changed_by,
            recorded_label=row.changed_label,
            **{field: getattr(row, field) for field in MEANING},
        )
    act.log(row.ref, edition=row.edition, changed=changed, unconfirmed=unconfirmed)
    return row


def _check_definition(row: Indicator) -> None:
    wrong = {}
    if row.kind == Indicator.COMPUTED:
        if not row.query:
            wrong["query"] = "系统计算的指标要指定查询。"
        elif row.query not in measuring.query_names():
            wrong["query"] = f"没有名为 {row.query} 的查询。"
    if row.owner_unit_id and directory.units().get(row.owner_unit_id) is None:
        wrong["owner_unit_id"] = "这个单位现在不存在，请另选责任单位。"
    if row.unconfirmed and not row.to_confirm.strip():
        wrong["to_confirm"] = "请写明还要向谁确认什么。"
    if row.decimals > 6:
        wrong["decimals"] = "小数位最多 6 位。"
    try:
        row.clean_fields(exclude=["query", "owner_unit"])
    except ValidationError as error:
        wrong = {field: messages[0] for field, messages in error.message_dict.items()} | wrong
    if wrong:
        raise Invalid(wrong)


# Measuring ------------------------------------------------------------------------------------------------------------


@action("indicators.measure")
def measure(act: Act, *, key: str, day: date | None = None) -> Snapshot:
    """Measure a computed indicator as of ``day``, by default today (测算).

    Measured again on a day with the same outcome, it stays with the snapshot that is there. Raises StepNotAllowed for a
    reported indicator, Invalid for a day to come, UnknownQuery.
    """
    row = act.lock(Indicator, key=key)
    act.check(policies.measure, row)
    if row.kind != Indicator.COMPUTED:
        raise StepNotAllowed(
            f"“{row.title}”由{directory.unit_name(row.owner_unit_id)}填报，不能测算。",
            todo="请使用“填报数值”。",
        )
    day = day or today()
    _not_to_come(day)
    query = measuring.find_query(row.query)
    found = query.run(day)
    rows = _row_set(found)
    last = row.snapshots.filter(state__in=Snapshot.COUNTS, as_of=day).order_by("-id").first()
    value = None if found.value is None else _exact(Decimal(found.value))
    if last and (last.value, last.row_set_id, last.query_version, last.edition) == (
        value,
        rows.pk,
        query.version,
        row.edition,
    ):
        act.log(last.ref, indicator=key, as_of=day, unchanged=True)
        return last
    snapshot = Snapshot.objects.create(
        indicator=row,
        edition=row.edition,
        as_of=day,
        at=now(),
        value=value,
        numerator=found.numerator,
        denominator=found.denominator,
        query=query.name,
        query_version=query.version,
        row_set=rows,
        state=Snapshot.MEASURED,
        recorded_by=str(act.actor.ref),
        recorded_label=act.actor.label,
    )
    act.log(
        snapshot.ref,
        indicator=key,
        as_of=day,
        value=_plain(value),
        query=query.name,
        query_version=query.version,
        rows=rows.fingerprint,
    )
    act.emit(events.SnapshotTaken(snapshot.ref, key, day.isoformat(), _plain(value)))
    return snapshot


def measure_all(day: date | None = None) -> int:
    """Measure every computed indicator that has no value of ``day`` (default: today) yet; how many were measured.

    One that fails does not keep the others from it; in the end MeasuringFailed names all that did.
    """
    day = day or today()
    open_keys = (
        Indicator.objects.filter(kind=Indicator.COMPUTED)
        .exclude(snapshots__as_of=day)
        .values_list("key", flat=True)
    )
    failed = {}
    keys = list(open_keys)
    for key in keys:
        try:
            measure(SYSTEM, key=key, day=day)
        except Exception as error:
            logger.exception("indicator %s could not be measured", key)
            failed[key] = error
    if failed:
        raise MeasuringFailed(", ".join(f"{key}: {error}" for key, error in failed.items()))
    return len(keys)


def _row_set(found: measuring.Measured) -> RowSet:
    """The row set of what was found, kept once for each fingerprint."""
    counted = sorted({str(ref) for ref in found.rows})
    others = sorted({str(ref) for ref in found.others} - set(counted))
    rows, created = RowSet.objects.get_or_create(
        fingerprint=measuring.fingerprint(counted, others),
        defaults={"counted": len(counted), "others": len(others)},
    )
    if created:
        marked = [(ref, True) for ref in counted] + [(ref, False) for ref in others]
        Row.objects.bulk_create(
            (Row(row_set=rows, ref=ref, counted=is_counted) for ref, is_counted in marked), batch_size=1000
        )
    return rows


# Reporting ------------------------------------------------------------------------------------------------------------


def report_value(
    act: Act,
    *,
    key: str,
    as_of: date,
    value: Decimal,
    numerator: Decimal | None = None,
    denominator: Decimal | None = None,
    files: Sequence[int] = (),
    source: str = "",
    note: str = "",
    evidence: str = "",
) -> Snapshot:
    """Report a value inside the caller's action (填报). It counts once a second person confirmed it.

    ``files`` are ids of uploaded attachments, ``source`` says where the number comes from, ``evidence`` is a Ref; one of
    the three is needed. Raises Denied, Invalid, StepNotAllowed.
    """
    row = act.lock(Indicator, key=key)
    act.check(policies.report, row)
    if row.kind != Indicator.REPORTED:
        raise StepNotAllowed(f"“{row.title}”由系统计算，不接受填报。", todo="对数值有疑问，请看明细和口径。")
    _not_to_come(as_of, "as_of")
    value = _fit(row, value, "value")
    _agree(row, value, numerator, denominator)
    if not (files or source.strip() or evidence):
        raise Invalid({"source": "请上传佐证材料，或写明数值的出处。"})
    waiting = row.snapshots.filter(as_of=as_of, state=Snapshot.REPORTED).first()
    if waiting:
        raise Invalid(
            {
                "as_of": f"{as_of:%Y-%m-%d} 已有 {waiting.recorded_label} 填报的数值在等确认，请先确认或退回那一笔。"
            }
        )
    snapshot = Snapshot.objects.create(
        indicator=row,
        edition=row.edition,
        as_of=as_of,
        at=now(),
        value=value,
        numerator=numerator,
        denominator=denominator,
        source=source.strip(),
        note=note.strip(),
        evidence=evidence,
        state=Snapshot.REPORTED,
        recorded_by=str(act.actor.ref),
        recorded_label=act.actor.label,
        person_id=getattr(act.actor, "person_id", None),
    )
    if files:
        files_api.attach(act, list(files), snapshot.ref)
    act.log(
        snapshot.ref,
        indicator=key,
        as_of=as_of,
        value=_plain(value),
        files=sorted(files),
        source=bool(source),
    )
    act.emit(events.ValueReported(snapshot.ref, key, as_of.isoformat()))
    return snapshot


@action("indicators.report")
def report(act: Act, **given) -> Snapshot:
    """Report a value (填报数值); takes what `report_value` takes."""
    return report_value(act, **given)


@action("indicators.confirm")
def confirm(act: Act, *, snapshot_id: int) -> Snapshot:
    """Confirm a reported value (确认): from now on it counts. Not by the person who reported it (两人复核)."""
    snapshot = _undecided(act, snapshot_id)
    act.check(policies.decide, snapshot.indicator)
    _another_person(act, snapshot)
    _decide(act, snapshot, Snapshot.CONFIRMED)
    key = snapshot.indicator.key
    act.log(snapshot.ref, indicator=key, state=snapshot.state)
    act.emit(events.SnapshotTaken(snapshot.ref, key, snapshot.as_of.isoformat(), _plain(snapshot.value)))
    return snapshot


@action("indicators.refuse")
def refuse(act: Act, *, snapshot_id: int, reason: str) -> Snapshot:
    """Send a reported value back with a reason (退回). It never counts, and stays in the history."""
    snapshot = _undecided(act, snapshot_id)
    act.check(policies.decide, snapshot.indicator)
    _another_person(act, snapshot)
    if not reason.strip():
        raise Invalid({"reason": "请写明退回的理由。"})
    snapshot.reason = reason.strip()
    _decide(act, snapshot, Snapshot.REFUSED)
    key = snapshot.indicator.key
    act.log(snapshot.ref, indicator=key, state=snapshot.state)
    act.emit(events.ValueRefused(snapshot.ref, key, snapshot.as_of.isoformat()))
    return snapshot


def _undecided(act: Act, snapshot_id: int) -> Snapshot:
    snapshot = act.lock(Snapshot, pk=snapshot_id)
    if snapshot.state == Snapshot.MEASURED:
        raise StepNotAllowed("系统测算的数值不需要确认。")
    if snapshot.state != Snapshot.REPORTED:
        raise Conflict(
            f"{snapshot.decided_label} 已在 {snapshot.decided_at:%Y-%m-%d} 把这笔数值{snapshot.get_state_display()}。"
        )
    return snapshot


def _another_person(act: Act, snapshot: Snapshot) -> None:
    person = getattr(act.actor, "person_id", None)
    if str(act.actor.ref) == snapshot.recorded_by or (person is not None and person == snapshot.person_id):
        raise Denied(
            "填报人不能确认或退回自己填报的数值。", todo="请责任单位的另一位负责人，或主管指标的岗位办理。"
        )


def _decide(act: Act, snapshot: Snapshot, state: str) -> None:
    snapshot.state = state
    snapshot.decided_by, snapshot.decided_label = str(act.actor.ref), act.actor.label
    snapshot.decided_at = now()
    snapshot.save(update_fields=["state", "decided_by", "decided_label", "decided_at", "reason"])


# Values ---------------------------------------------------------------------------------------------------------------


def _not_to_come(day: date, field: str = "day") -> None:
    if day > today():
        raise Invalid({field: f"{day:%Y-%m-%d} 还没有到，不能有这一天的数值。"})


def _exact(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _fit(row: Indicator, value: Decimal, field: str) -> Decimal:
    """The value, checked for size and places. Raises Invalid."""
    if not value.is_finite() or abs(value) >= LIMIT:
        raise Invalid({field: "这个数值超出可以记录的范围，请核对单位和位数。"})
    if value != round(value, row.decimals):
        raise Invalid({field: f"请保留 {row.decimals} 位小数。" if row.decimals else "请填整数。"})
    return _exact(value)


def _agree(row: Indicator, value: Decimal, numerator: Decimal | None, denominator: Decimal | None) -> None:
    """A share in percent that was given with its parts must follow from them. Raises Invalid."""
    if (numerator is None) != (denominator is None):
        missing = "denominator" if denominator is None else "numerator"
        raise Invalid({missing: "分子和分母要么都填，要么都不填。"})
    if numerator is None:
        return
    if denominator <= 0:
        raise Invalid({"denominator": "分母应大于 0。"})
    if row.measure_unit != "%":
        return
    follows = round(100 * numerator / denominator, row.decimals)
    if abs(follows - value) > Decimal(1).scaleb(-row.decimals):
        raise Invalid({"value": f"与分子、分母不符：{numerator:f} ÷ {denominator:f} × 100 = {follows:f}。"})


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
