"""Whose turn it is (轮到谁): read from the process, so that lists and notices need not ask each matter."""

from collections.abc import Iterable

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters.grammar import Flow, Who
from liangzhu.beams.work.matters.models import Matter
from liangzhu.beams.work.matters.process import RELEASE_KIND, by_release_id
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.models import Release


def expected(flow: Flow, state: str) -> list[Who]:
    """Those to whom the process looks in a state: at the unit whose turn it is; others may act, but need not.

    Where no step belongs to that unit's own roles, everybody whom a step names by role alone.
    """
    turn = flow.states[state].turn
    named = [who for step in flow.out_of(state) for who in step.who if who.of_staff]
    own = [who for who in named if who.holding or (who.party and who.party == turn)]
    return own or [who for who in named if not who.party]


def _answers(who: Who, roles: frozenset[str], head: bool) -> bool:
    """Whether a post with these roles is meant."""
    return (head or not who.head) and (not who.roles or not roles.isdisjoint(who.roles))


def states(actor: Actor) -> dict[str, list[int]]:
    """States in which a process looks to the actor's roles, each with the releases in which it does."""
    found: dict[str, list[int]] = {}
    ended = Release.NEVER_RAN
    for release_id in (
        Release.objects.filter(kind=RELEASE_KIND).exclude(state__in=ended).values_list("id", flat=True)
    ):
        flow = by_release_id(release_id).flow
        for name, state in flow.states.items():
            if not state.final and any(
                _answers(who, actor.roles, getattr(actor, "is_head", False)) for who in expected(flow, name)
            ):
                found.setdefault(name, []).append(release_id)
    return found


def posts_of(named: Iterable[Who], parties: dict[str, int], holding_unit_id: int) -> list[int]:
    """The posts that are meant by a process: of a party, of the unit that holds the matter, or of a role anywhere."""
    found = []
    for who in named:
        if who.party and who.party not in parties:
            continue
        unit = parties[who.party] if who.party else holding_unit_id if who.holding else None
        if unit is not None and not who.roles and not who.head:
            found += officers(unit)
        else:
            rows = directory.posts(unit)
            found += [post.id for post in rows if _answers(who, post.roles, post.is_head)]
    return list(dict.fromkeys(found))


def posts(matter: Matter) -> list[int]:
    """The posts that are told of a matter: whom it was given to, else those whose turn it is, else the unit's officers."""
    if matter.assignee_id:
        return [matter.assignee_id]
    looked_to = expected(by_release_id(matter.release_id).flow, matter.state)
    found = [
        post.id
        for post in directory.posts(matter.holding_unit_id)
        if any(_answers(who, post.roles, post.is_head) for who in looked_to)
    ]
    return found or officers(matter.holding_unit_id)


def officers(unit_id: int) -> list[int]:
    """The posts of a unit that are told of its work: its officers, else its heads, else every post."""
    found = directory.posts(unit_id)
    chosen = [post for post in found if "matters.officer" in post.roles]
    chosen = chosen or [post for post in found if post.is_head or "matters.head" in post.roles]
    return [post.id for post in chosen or found]
