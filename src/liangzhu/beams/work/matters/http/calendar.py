"""The API of the working-day calendar."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from liangzhu.beams.work.matters import queries
from liangzhu.kernel.http import Router, Schema

router = Router("calendar", "工作日历")
YearNumber = Annotated[int, Field(ge=1900, le=2200, description="年份", examples=[2022])]


class DayOut(Schema):
    """A day that is not what its weekday says."""

    date: date
    workday: bool = Field(description="是否工作日")
    reason: str = Field(examples=["国庆节放假"])
    provisional: bool = Field(description="国务院还没有公布这一年的放假安排，按固定节日推算")


class YearOut(Schema):
    """A year (工作日历)."""

    year: int
    workdays: int = Field(description="全年工作日数", examples=[249])
    provisional: bool
    exceptions: list[DayOut] = Field(description="与周几不一致的日子：节假日、调休上班、本地调整")


class DueOut(Schema):
    """Where so many working days end."""

    date: date
    workdays: int
    provisional: bool
    exceptions: list[DayOut] = Field(description="途中与周几不一致的日子")


class CountOut(Schema):
    """How many working days lie between two days."""

    workdays: int = Field(description="从 since 次日数到 until（含）；until 在前时为负", examples=[5])


Since = Annotated[date, Field(description="起始日，不计入", examples=["2022-10-20"])]


@router.read("/calendar/due", policy="matters.read_calendar", answer=DueOut, summary="几个工作日之后是哪天")
def due(
    request: HttpRequest,
    since: Query[Since],
    workdays: Query[
        Annotated[int, Field(ge=-2000, le=2000, description="几个工作日，负数往前", examples=[10])]
    ],
) -> DueOut:
    """起始日不计入（民法典第二百零一条），放假和调休按国务院通知，本地另有调整的按调整。"""
    found = queries.due(request.actor, since, workdays)
    return DueOut(
        date=found.date,
        workdays=workdays,
        provisional=found.provisional,
        exceptions=[_day(day) for day in found.skipped],
    )


@router.read("/calendar/count", policy="matters.read_calendar", answer=CountOut, summary="两天之间几个工作日")
def count(
    request: HttpRequest,
    since: Query[Since],
    until: Query[Annotated[date, Field(description="截止日，计入", examples=["2022-10-27"])]],
) -> CountOut:
    """两天之间的工作日数。"""
    return CountOut(workdays=queries.workdays_between(request.actor, since, until))


@router.read("/calendar/{year}", policy="matters.read_calendar", answer=YearOut, summary="一年的工作日历")
def year(request: HttpRequest, year: YearNumber) -> YearOut:
    """一年的工作日数，和与周几不一致的日子。"""
    found = queries.calendar_year(request.actor, year)
    days = [day for month in found.months for week in month for day in week if day]
    return YearOut(
        year=found.number,
        workdays=found.workdays,
        provisional=found.provisional,
        exceptions=[_day(day) for day in days if day.workday != (day.date.weekday() < 5)],
    )


def _day(day: object) -> DayOut:
    return DayOut(date=day.date, workday=day.workday, reason=day.reason, provisional=day.provisional)
