"""Reads of ratings."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import policies
from liangzhu.pillars.services.models import Rating


def own(actor: Actor) -> QuerySet[Rating]:
    """What was asked of the one for whom a resident acts, newest first."""
    return (
        Rating.objects.filter(rater__in=actor.principal_refs)
        .select_related("matter")
        .order_by("-asked_at", "-pk")
    )


def own_one(actor: Actor, rating_id: int) -> Rating:
    """One of them. Raises NotThere."""
    row = own(actor).filter(pk=rating_id).first()
    if row is None:
        raise NotThere("没有找到这次评价。")
    return row


def by_number(number: str) -> Rating | None:
    """The rating of a number, for whoever has its code."""
    return Rating.objects.select_related("matter").filter(number=number.strip().upper()).first()


def of_thing(thing: Ref) -> Rating | None:
    """The rating that was asked for of a thing. The caller has made sure that the actor has to do with it."""
    return Rating.objects.filter(rated=str(thing)).first()


@dataclass(frozen=True)
class Figures:
    """Figures of one unit, item or clerk. Rates are None where nothing was rated.

    ``valid`` are given and adopted (有效评价); ``default`` are counted apart and are in no rate of satisfaction.
    """

    title: str
    asked: int
    valid: int
    good: int
    bad: int
    default: int
    void: int
    ended: int

    @property
    def good_rate(self) -> float | None:
        """(5 + 4 + 3) / valid (好评率)."""
        return self.good / self.valid if self.valid else None

    @property
    def active_rate(self) -> float | None:
        """Given by people themselves / asked (主动评价率)."""
        return (self.valid + self.void) / self.asked if self.asked else None

    @property
    def followed_rate(self) -> float | None:
        """Bad ones whose matter ended / bad ones, those not adopted included (差评整改率)."""
        all_bad = self.bad + self.void
        return self.ended / all_bad if all_bad else None


def figures(actor: Actor, by: str) -> list[Figures]:
    """Figures by ``unit``, ``item`` or ``clerk``; clerks of the own unit only."""
    policies.read_ratings.require(actor)
    column = {"unit": "unit_id", "item": "item", "clerk": "clerk"}[by]
    rows = Rating.objects.exclude(**{column: ""}) if by != "unit" else Rating.objects.all()
    if by == "clerk":
        rows = rows.filter(unit_id=getattr(actor, "unit_id", None))
    given = Q(state=Rating.GIVEN)
    counted = (
        rows.values(column)
        .annotate(
            asked=Count("pk"),
            valid=Count("pk", filter=given),
            good=Count("pk", filter=given & Q(level__gte=3)),
            bad=Count("pk", filter=given & Q(level__lt=3)),
            default=Count("pk", filter=Q(state=Rating.DEFAULT)),
            void=Count("pk", filter=Q(state=Rating.VOID)),
            ended=Count("pk", filter=Q(matter__closed_at__isnull=False)),
        )
        .order_by(column)
    )
    return [Figures(_title(by, row.pop(column)), **row) for row in counted]


def _title(by: str, key) -> str:
    if by == "unit":
        unit = directory.units().get(key)
        return unit.short if unit else ""
    return key


def open_bad(actor: Actor) -> QuerySet[Rating]:
    """Bad ratings of the own unit that are not followed to the end."""
    policies.read_ratings.require(actor)
    return Rating.objects.filter(
        matter__closed_at=None, matter__isnull=False, unit_id=getattr(actor, "unit_id", None)
    ).select_related("matter")
