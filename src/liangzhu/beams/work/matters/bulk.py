"""The same step for many matters (批量办理): at most a thousand in one transaction, each with its own leaf and history.

What cannot be done for one matter does not hold up the others: it is named with its reason and stays chosen. Nothing
undoes a batch.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from liangzhu.beams.work.matters import actions, engine, policies, queries, timers
from liangzhu.beams.work.matters.grammar import Transition
from liangzhu.beams.work.matters.models import Matter, Party
from liangzhu.beams.work.matters.policies import Attempt
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid, Problem
from liangzhu.kernel.policies import Policy
from liangzhu.kernel.refs import Ref

MOST = 1000
"""Matters of one batch."""


@dataclass
class Outcome:
    """What became of a batch: the matters that were moved, and (matter id, reason) of those that were not."""

    done: list[int] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    owed: list[int] = field(default_factory=list)
    """Matters whose timers the system has to serve first; `step_many` does and tries them again."""


@dataclass(frozen=True)
class Choice:
    """A step that every one of some matters could take now, by state and by who asks."""

    step: Transition
    count: int


def chosen(actor: Actor, ids: Iterable[int]) -> list[Matter]:
    """The open matters of these ids that the actor sees, in the order of the inbox; no more than `MOST`."""
    rows = queries.visible(actor).filter(pk__in=list(ids)[:MOST], closed_at=None)
    return list(rows.order_by(*queries.ORDER))


def choices(actor: Actor, rows: list[Matter]) -> list[Choice]:
    """The steps that are possible for all of them. One policy check for each class of rows: same release, state, parties."""
    if not rows:
        return []
    common: dict[str, Transition] | None = None
    for one, parties in _classes(rows):
        steps = {
            step.name: step
            for step in engine.process_of(one).flow.out_of(one.state)
            if policies.step(actor, Attempt(one, step, parties))
        }
        if common is None:
            common = steps
        # Two processes may call different things by one name: only what asks for the same is the same step.
        common = {
            name: step
            for name, step in common.items()
            if name in steps and (steps[name].title, steps[name].fields) == (step.title, step.fields)
        }
    return [Choice(_without_files(step), len(rows)) for step in (common or {}).values() if _suits(step)]


def _suits(step: Transition) -> bool:
    """A step with a form of its own, or that demands files, belongs to one matter: they are evidence of that one."""
    return not step.form and not any(field.type == "files" and field.required for field in step.fields)


def _without_files(step: Transition) -> Transition:
    return replace(step, fields=tuple(field for field in step.fields if field.type != "files"))


def _classes(rows: list[Matter]) -> list[tuple[Matter, dict[str, int]]]:
    """One matter of each class, with its parties."""
    parties: dict[int, dict[str, int]] = {row.pk: {} for row in rows}
    for matter, name, unit in Party.objects.filter(matter__in=rows).values_list("matter", "name", "unit"):
        parties[matter][name] = unit
    found: dict[tuple, tuple[Matter, dict[str, int]]] = {}
    for row in rows:
        known = tuple(sorted(parties[row.pk].items()))
        found.setdefault((row.release_id, row.state, row.holding_unit_id, known), (row, parties[row.pk]))
    return list(found.values())


def step_many(
    actor: Actor, *, rows: list[tuple[int, int]], transition: str, data: dict[str, Any], once: str = ""
) -> Outcome:
    """Do a step for many matters, given as (id, version seen): `do_step_many`, after what the system owes."""
    outcome = do_step_many(actor, rows=rows, transition=transition, data=data, once=once)
    if outcome.owed:
        for matter_id in outcome.owed:
            timers.catch_up(matter_id)
        versions = dict(rows)
        again = [(matter_id, versions[matter_id]) for matter_id in outcome.owed]
        second = do_step_many(actor, rows=again, transition=transition, data=data, behind=True)
        outcome.done += second.done
        outcome.failed += second.failed
    return outcome


@action("matters.step_many")
def do_step_many(
    act: Act, *, rows: list[tuple[int, int]], transition: str, data: dict[str, Any], behind: bool = False
) -> Outcome:
    """Do a step for many matters. Raises Invalid for more than `MOST`, or for values that suit none."""

    def move(matter: Matter, version: int) -> None:
        engine.advance(act, matter, transition, data=dict(data), version=version, behind=behind)

    return _each(act, rows, transition, policies.step, move)


@action("matters.assign_many")
def assign_many(act: Act, *, rows: list[tuple[int, int]], post_id: int | None) -> Outcome:
    """Give many matters that the unit holds to one of its posts; None takes them back. Raises Invalid."""
    post = actions.own_post(act.actor, post_id)

    def give(matter: Matter, version: int) -> None:
        actions.give(act, matter, None, post, version)

    return _each(act, rows, "matters.assign", policies.assign, give)


def _each(
    act: Act,
    rows: list[tuple[int, int]],
    name: str,
    policy: Policy,
    run: Callable[[Matter, int], None],
) -> Outcome:
    """Run a change for each matter in a savepoint of its own; one leaf more says what the whole was."""
    if not rows:
        raise Invalid({"ids": "请先选择事项。"})
    if len(rows) > MOST:
        raise Invalid({"ids": f"一次最多办理 {MOST:,} 件，现在选了 {len(rows):,} 件。"})
    act.check(policy)
    outcome = Outcome()
    # By id, so that two batches never wait for each other in a ring.
    for matter_id, version in sorted(dict(rows).items()):
        try:
            with transaction.atomic():
                run(queries.matter_to_change(act, matter_id), version)
            outcome.done.append(matter_id)
        except engine.TimerOwed:
            outcome.owed.append(matter_id)
        except Invalid as problem:
            outcome.failed.append((matter_id, "；".join(map(str, problem.fields.values())) or problem.detail))
        except Problem as problem:
            outcome.failed.append((matter_id, problem.detail))
    act.log(
        Ref("post", str(getattr(act.actor, "post_id", 0))),
        step=name,
        done=len(outcome.done),
        failed=len(outcome.failed) + len(outcome.owed),
    )
    return outcome
