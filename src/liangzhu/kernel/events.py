"""Events: what an app announces. Defined in its `events.py`, written to the outbox in the transaction of the change."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Any

from django.utils.timezone import now as machine_now  # noqa: TID251 - delivery runs on the machine's clock

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.models import Delivery, OutboxEvent
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.rows import insert


@dataclass(frozen=True)
class Handler:
    """One function that is owed the events of one name, all of them or those of which ``when`` says so."""

    key: str
    event: type
    run: Callable
    when: Callable | None = None


class CourierAway(Exception):
    """The neighbour cannot be reached. Nothing was tried, so nothing counts as a failed try."""


@dataclass(frozen=True)
class Courier:
    """Carries every event to a neighbour outside, many at once and outside of any transaction.

    ``carry(rows)`` gets events of different subjects and answers in the same order: None for one that the neighbour
    has, the exception that it was refused with, or CourierAway for one that could not be tried. Raises CourierAway
    when none could. It must answer within half a lease
    (`worker.LEASE`), and the neighbour must know an event that comes twice.
    """

    key: str
    title: str
    carry: Callable[[list[OutboxEvent]], list[Exception | None]]


_events: dict[str, type] = {}
_handlers: dict[str, list[Handler]] = {}
_couriers: dict[str, Courier] = {}


def event(
    name: str, title: str = "", *, outside: tuple[str, ...] = (), accepts: str = ""
) -> Callable[[type], type]:
    """Register a frozen dataclass as the event ``name`` ("app.what_happened"); it has a field ``subject: Ref``.

    ``title`` is what people read of it (the name, if absent). ``outside`` names the fields that may leave the machine with a courier; without it only ids, kind and time do.
    ``accepts`` is the CloudEvents type of messages from outside that become this event (`inbox.take_in`).
    """

    def register(cls: type) -> type:
        known = {field.name for field in fields(cls)} if is_dataclass(cls) else set()
        if "subject" not in known:
            raise TypeError(f"{cls.__name__} must be a dataclass with a field `subject`")
        if unknown := set(outside) - (known - {"subject"}):
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))} to let outside")
        if name in _events and _events[name].__qualname__ != cls.__qualname__:
            raise ValueError(f"event {name} is registered twice")
        cls.event_name, cls.title, cls.outside, cls.accepts = name, title or name, tuple(outside), accepts
        _events[name] = cls
        return cls

    return register


def courier(one: Courier) -> None:
    """From now on owe every event to this courier. Raises ValueError for a key registered twice."""
    if one.key in _couriers:
        raise ValueError(f"courier {one.key} is registered twice")
    _couriers[one.key] = one


def all_couriers() -> dict[str, Courier]:
    """Every courier by key."""
    return dict(_couriers)


def title_of(name: str) -> str:
    """What people read of an event; its name when the program no longer knows it."""
    return getattr(_events.get(name), "title", name)


def public_fields(row: OutboxEvent) -> dict:
    """Those fields of an event that its class lets outside; none when its name is no longer known."""
    allowed = getattr(_events.get(row.name), "outside", ())
    body = json.loads(row.body) if allowed else {}
    return {name: body[name] for name in allowed if name in body}


def handles(cls: type, *, when: Callable[[Any], bool] | None = None) -> Callable[[Callable], Callable]:
    """Owe every such event to the function ``run(event, delivery)``. It may run twice: make it idempotent.

    ``when(event)`` is asked where the event is published, with nothing but the event at hand: of the others nothing is owed,
    written and delivered. It must not ask the database.
    """

    def register(run: Callable) -> Callable:
        key = f"{run.__module__.removeprefix('liangzhu.')}.{run.__name__}"
        known = _handlers.setdefault(cls.event_name, [])
        if key not in {handler.key for handler in known}:
            known.append(Handler(key, cls, run, when))
        return run

    return register


def all_events() -> dict[str, type]:
    """Every event by name."""
    return dict(_events)


def all_handlers() -> dict[str, Handler]:
    """Every handler by key."""
    return {handler.key: handler for handlers in _handlers.values() for handler in handlers}


def publish(happened, actor: Actor) -> OutboxEvent:
    """Write the event and what is owed for it, inside the caller's transaction."""
    body = {
        field.name: getattr(happened, field.name) for field in fields(happened) if field.name != "subject"
    }
    row = insert(
        OutboxEvent(
            name=happened.event_name,
            subject=str(happened.subject),
            body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            actor=str(actor.ref),
            request_id=actor.request_id,
            at=now(),
        )
    )
    due = machine_now() - timedelta(milliseconds=1)
    owed = [
        (handler.key, "")
        for handler in _handlers.get(row.name, ())
        if handler.when is None or handler.when(happened)
    ]
    owed += [(key, key) for key in _couriers]
    for key, lane in owed:
        insert(Delivery(event=row, handler=key, lane=lane, subject=row.subject, due_at=due))
    return row


def restore(row: OutboxEvent):
    """The event object of a row. Raises KeyError when its name is no longer known."""
    cls = _events[row.name]
    return cls(subject=Ref.parse(row.subject), **json.loads(row.body))
