"""The guide: from the answers to a bundle's questions to what must be applied for, what is needed, and how long it takes.

Reads only; what is shown before anybody signs in, and what an application is begun from.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from liangzhu.beams.work.decisions import api as decisions
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.now import today
from liangzhu.pillars.services import planning
from liangzhu.pillars.services.bundles import Bundle
from liangzhu.pillars.services.offers import Offer, offer


@dataclass(frozen=True)
class RoutePart:
    """One item that must be applied for. ``why`` is the ground of the row that asked for it."""

    name: str
    offer: Offer
    needs: frozenset[str]
    why: str = ""
    makes: frozenset[str] = frozenset()

    @property
    def planned(self) -> planning.Part:
        """What the planner knows of it."""
        one = self.offer
        return planning.Part(
            self.name,
            one.name,
            legal=one.legal,
            promised=one.promised,
            needs=self.needs,
            steps=one.steps,
            permit=one.permit,
        )


@dataclass(frozen=True)
class Spared:
    """A part that is not needed, and the one thing that kept it out."""

    title: str
    because: str


@dataclass(frozen=True)
class Route:
    """What follows from the answers. ``materials`` holds each once."""

    bundle: Bundle
    on: date
    answers: dict[str, Any]
    said: tuple[tuple[str, str], ...]
    parts: tuple[RoutePart, ...]
    spared: tuple[Spared, ...]
    materials: tuple[planning.Wanted, ...]
    plan: planning.Plan
    decision: dict

    @property
    def not_needed(self) -> tuple[planning.Wanted, ...]:
        """Materials that the applicant need not bring."""
        return tuple(one for one in self.materials if one.why)

    @property
    def needed(self) -> tuple[planning.Wanted, ...]:
        """Materials that only the applicant has."""
        return tuple(one for one in self.materials if not one.why)

    @property
    def site_check(self) -> bool:
        """Whether a site is checked before the decision."""
        return any(one.offer.needs_check for one in self.parts)

    @property
    def fees(self) -> list[str]:
        """The items that cost something."""
        return [one.offer.name for one in self.parts if one.offer.fee]

    @property
    def asked_singly(self) -> int:
        """Materials counted as often as the parts would ask for them one by one."""
        return sum(len(one.parts) for one in self.materials)

    def title(self, part: str) -> str:
        """The name of a part's item."""
        return next((one.offer.name for one in self.parts if one.name == part), part)


def questions(bundle: Bundle) -> list[decisions.Column]:
    """What must be answered before the parts are known: the inputs of its table. None for one item."""
    return list(decisions.in_force(bundle.rule).inputs) if bundle.rule else []


def route(bundle: Bundle, answers: dict[str, Any], *, on: date | None = None) -> Route:
    """What must be applied for. Raises Invalid (each question named), decisions.NoRow."""
    day = on or today()
    decided, chosen, why, spared = None, list(bundle.parts), {}, []
    table = None
    if bundle.rule:
        table = decisions.in_force(bundle.rule)
        decided = decisions.decide_by(table, answers, day)
        chosen = list(dict.fromkeys(decided.outputs["part"] or ()))
        by_row = {row.name: row.then["part"] for row in table.rows}
        for tried in decided.trace:
            part = by_row.get(tried.name)
            if tried.used and part:
                why[part] = "；".join(filter(None, (why.get(part), tried.basis)))
        for tried in decided.near_misses:
            part = by_row.get(tried.name)
            if part and part not in chosen and part not in {one for one, _ in spared}:
                spared.append((part, tried.missed))
        if not chosen:
            raise Invalid(
                table.gaps or "按您的回答，没有需要办理的事项。",
                todo="请核对回答；仍不清楚的，请拨打咨询电话。",
            )
    parts = tuple(
        RoutePart(
            name,
            offer(bundle.parts[name].item, on=day),
            bundle.parts[name].needs & set(chosen),
            why.get(name, ""),
            bundle.parts[name].makes,
        )
        for name in chosen
    )
    return Route(
        bundle=bundle,
        on=day,
        answers=answers,
        said=_said(table, decided) if decided else (),
        parts=parts,
        spared=tuple(Spared(offer(bundle.parts[name].item, on=day).name, text) for name, text in spared),
        materials=tuple(planning.fewest(_needs(parts), {one.name: one.offer.name for one in parts})),
        plan=planning.plan([one.planned for one in parts], promise=bundle.promise),
        decision=decided.as_json() if decided else {},
    )


def _said(table: decisions.Table, decided: decisions.Decision) -> tuple[tuple[str, str], ...]:
    columns = {one.name: one for one in table.inputs}
    return tuple((columns[name].title, columns[name].words(value)) for name, value in decided.inputs.items())


def _needs(parts: tuple[RoutePart, ...]) -> list[planning.Need]:
    makers = {one.offer.certificate_type: one for one in parts if one.offer.certificate_type}
    found = []
    for part in parts:
        for one in part.offer.materials:
            maker = next((each for each in parts if one.key in each.makes and each is not part), None)
            maker = maker or (makers.get(one.certificate_type) if one.certificate_type else None)
            found.append(
                planning.Need(
                    part=part.name,
                    material=one.key,
                    title=one.title,
                    required=one.required,
                    held=one.held_by,
                    made_by=maker.name if maker and maker.name != part.name else "",
                )
            )
    return found
