"""The API of indicators, read only."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from liangzhu.beams.data.indicators import queries
from liangzhu.beams.data.indicators.models import Indicator
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.http import Id, Instant, Paging, Router, Schema, Text, linked

router = Router("indicators", "指标")
Key = Annotated[Text, Field(max_length=80, description="指标的键", examples=["services.online_rate_items"])]


class ValueOut(Schema):
    """A value of an indicator at a day (指标数值)."""

    id: Id
    as_of: date = Field(description="时点")
    value: Decimal | None = Field(examples=["81.300000"])
    text: str = Field(description="带单位的写法", examples=["81.3%"])
    numerator: Decimal | None
    denominator: Decimal | None
    state: str
    state_title: str
    edition: int = Field(description="按第几版口径")
    row_count: int | None = Field(description="计数时的行数")
    rows_hash: str = Field(description="参与计数的行的指纹；填报的为空")
    source: str = Field(description="出处")
    recorded_at: Instant


class IndicatorOut(Schema):
    """An indicator (指标)."""

    key: str = Field(examples=["services.online_rate_items"])
    title: str
    kind: str
    kind_title: str = Field(examples=["测算"])
    measure_unit: str = Field(description="计量单位", examples=["%"])
    caliber: str = Field(description="口径")
    formula: str = Field(description="算式")
    frequency: str
    frequency_title: str
    owner_unit_id: Id
    owner_unit_title: str
    unconfirmed: bool = Field(description="口径待确认")
    edition: int
    latest: ValueOut | None


class IndicatorFilter(Schema):
    """Which indicators."""

    q: Annotated[Text, Field(max_length=60)] = Field("", description="名称中的字")


def _value(view: queries.SnapshotView | None) -> ValueOut | None:
    return view and ValueOut(
        id=view.snapshot_id,
        as_of=view.as_of,
        value=view.value,
        text=view.text,
        numerator=view.numerator,
        denominator=view.denominator,
        state=view.state,
        state_title=view.state_title,
        edition=view.edition,
        row_count=view.row_count,
        rows_hash=view.rows_hash,
        source=view.source,
        recorded_at=view.at,
    )


def _indicator(row: Indicator, latest: queries.SnapshotView | None) -> IndicatorOut:
    return IndicatorOut(
        key=row.key,
        title=row.title,
        kind=row.kind,
        kind_title=row.get_kind_display(),
        measure_unit=row.measure_unit,
        caliber=row.caliber,
        formula=row.formula,
        frequency=row.frequency,
        frequency_title=row.get_frequency_display(),
        owner_unit_id=row.owner_unit_id,
        owner_unit_title=directory.unit_name(row.owner_unit_id),
        unconfirmed=row.unconfirmed,
        edition=row.edition,
        latest=_value(latest),
    )


@router.read("/indicators", policy="indicators.read", answer=list[IndicatorOut], summary="指标列表")
def indicators(request: HttpRequest, wanted: Query[IndicatorFilter]) -> list[IndicatorOut]:
    """指标的口径和最新数值。"""
    return [_indicator(line.indicator, line.latest) for line in queries.listing(request.actor, wanted.q)]


@router.read("/indicators/{key}", policy="indicators.read", answer=IndicatorOut, summary="一个指标")
def indicator(request: HttpRequest, key: Key) -> IndicatorOut:
    """一个指标的口径和最新数值。"""
    return _indicator(queries.one(request.actor, key), queries.latest(key))


@router.read(
    "/indicators/{key}/values", policy="indicators.read", answer=list[ValueOut], summary="指标的数值"
)
def values(request: HttpRequest, response: HttpResponse, key: Key, wanted: Query[Paging]) -> list[ValueOut]:
    """按时点由近到远，含未确认和被退回的。"""
    found = linked(
        request,
        response,
        lambda: queries.snapshots(
            request.actor, queries.one(request.actor, key), request, wanted.limit, strict=True
        ),
    )
    return [_value(view) for view in found]
