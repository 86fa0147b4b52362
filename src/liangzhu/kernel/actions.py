"""Actions: the only way to change state. One change = policy, lock, validate, write, log leaf, event, in one transaction."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import DatabaseError, IntegrityError, models, transaction

from liangzhu.kernel import stopping
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import AlreadyDone, NotThere, Problem
from liangzhu.kernel.events import publish
from liangzhu.kernel.log import write_leaf
from liangzhu.kernel.models import LogLeaf, OutboxEvent, Submission
from liangzhu.kernel.now import now
from liangzhu.kernel.observing import about, tell
from liangzhu.kernel.once import acting
from liangzhu.kernel.policies import Policy
from liangzhu.kernel.refs import Ref

M = TypeVar("M", bound=models.Model)


class PolicyNotChecked(AssertionError):
    """An action returned without asking a policy. A fault of the program, never of the person."""


class NothingLogged(AssertionError):
    """An action returned without adding a leaf to the log. A fault of the program."""


class Act:
    """One run of one action: who acts, what was checked, locked, logged and announced."""

    def __init__(self, actor: Actor, name: str):
        self.actor = actor
        self.name = name
        self.checked: list[str] = []
        self.leaves: list[LogLeaf] = []
        self._held: dict[tuple[type, Any], models.Model] = {}
        self._said: set[tuple[str, str]] = set()

    def check(self, policy: Policy, target: Any = None) -> None:
        """Ask a policy; raises Denied. The system itself (timers, loaders) is allowed, and its leaf says so."""
        if not self.actor.is_system:
            policy.require(self.actor, target)
        self.checked.append(policy.name)

    def lock(self, model: type[M], **lookup) -> M:
        """Fetch one row for change; others wait. Raises NotThere."""
        row = model._default_manager.select_for_update().filter(**lookup).first()
        if row is None:
            raise NotThere(f"没有找到这一{model._meta.verbose_name}。")
        self.hold(row)
        return row

    def hold(self, row: models.Model) -> None:
        """Note that this very object was read under a lock of this action; a second object of the row replaces it."""
        self._held[type(row), row.pk] = row

    def holds(self, row: models.Model) -> bool:
        """Whether this very object is the latest that was read under a lock: reading it again would show the same."""
        return self._held.get((type(row), row.pk)) is row

    def log(self, subject: Ref, **details) -> LogLeaf:
        """Add a leaf. Details are plain values; a personal value does not belong here."""
        leaf = write_leaf(self.actor, self.name, subject, details)
        self.leaves.append(leaf)
        return leaf

    def emit(self, happened) -> OutboxEvent:
        """Announce an event to the parts above, in the same transaction."""
        self._said.add((happened.event_name, str(happened.subject)))
        return publish(happened, self.actor)

    def said(self, event_name: str, subject: Ref) -> bool:
        """Whether this action announced such an event of that subject."""
        return (event_name, str(subject)) in self._said


_actions: dict[str, Callable] = {}
_held_back: ContextVar[Problem | None] = ContextVar("liangzhu_held_back", default=None)


@contextmanager
def held_back(problem: Problem) -> Iterator[None]:
    """Refuse every action inside with this problem: a page is drawn with what was typed, and nothing may be done yet."""
    place = _held_back.set(problem)
    try:
        yield
    finally:
        _held_back.reset(place)


def action(name: str) -> Callable[[Callable], Callable]:
    """Make ``fn(act, *, …)`` an action, called as ``fn(actor, …, once=form_key)``.

    ``name`` is "app.verb_noun". ``once`` is a form's key: sent twice by the same actor, the second raises AlreadyDone.
    """

    def wrap(fn: Callable) -> Callable:
        if name in _actions:
            raise ValueError(f"action {name} is registered twice")

        @functools.wraps(fn)
        def run(actor: Actor, *, once: str = "", **kwargs):
            if (problem := _held_back.get()) is not None:
                raise problem
            stopping.check()
            with about(action=name), _told(name), acting(), transaction.atomic():
                act = Act(actor, name)
                if once:
                    _claim(once, act)
                result = fn(act, **kwargs)
                if not act.checked:
                    raise PolicyNotChecked(f"action {name} checked no policy")
                if not act.leaves:
                    raise NothingLogged(f"action {name} logged nothing")
                if once:
                    ref = getattr(result, "ref", None) or Ref.parse(act.leaves[0].subject)
                    Submission.objects.filter(key=once).update(result=str(ref))
                return result

        run.action_name = name
        _actions[name] = run
        return run

    return wrap


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell who counts how an action ended: done, refused (a Problem), failed (a fault)."""
    try:
        yield
    except Problem:
        tell("action", name=name, outcome="refused")
        raise
    except Exception as fault:
        error = type(fault).__name__ if isinstance(fault, DatabaseError) else ""
        tell("action", name=name, outcome="failed", error=error)
        raise
    tell("action", name=name, outcome="done")


def _claim(key: str, act: Act) -> None:
    """Take the form's key, or say that it was taken. A key of somebody else is no key at all."""
    try:
        with transaction.atomic():
            Submission.objects.create(key=key[:64], action=act.name, actor=str(act.actor.ref), at=now())
    except IntegrityError:
        row = Submission.objects.get(key=key[:64])
        same = row.action == act.name and row.actor == str(act.actor.ref)
        raise AlreadyDone(row.result if same else "") from None


def all_actions() -> dict[str, Callable]:
    """Every action by name."""
    return dict(_actions)
