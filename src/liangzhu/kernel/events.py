"""Events: what an app announces. Defined in its `events.py`, written to the outbox in the transaction of the change."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta

from django.utils.timezone import now as machine_now  # noqa: TID251 - delivery runs on the machine's clock

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.models import Delivery, OutboxEvent
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.rows import insert


@dataclass(frozen=True)
class Handler:
    """One function that is owed every event of one name."""

    key: str
    event: type
    run: Callable


_events: dict[str, type] = {}
_handlers: dict[str, list[Handler]] = {}


def event(name: str) -> Callable[[type], type]:
    """Register a frozen dataclass as the event ``name`` ("app.what_happened"); it has a field ``subject: Ref``."""

    def register(cls: type) -> type:
        if not is_dataclass(cls) or "subject" not in {field.name for field in fields(cls)}:
            raise TypeError(f"{cls.__name__} must be a dataclass with a field `subject`")
        if name in _events and _events[name].__qualname__ != cls.__qualname__:
            raise ValueError(f"event {name} is registered twice")
        cls.event_name = name
        _events[name] = cls
        return cls

    return register


def handles(cls: type) -> Callable[[Callable], Callable]:
    """Owe every such event to the function ``run(event, delivery)``. It may run twice: make it idempotent."""

    def register(run: Callable) -> Callable:
        key = f"{run.__module__.removeprefix('liangzhu.')}.{run.__name__}"
        known = _handlers.setdefault(cls.event_name, [])
        if key not in {handler.key for handler in known}:
            known.append(Handler(key, cls, run))
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
    for handler in _handlers.get(row.name, ()):
        insert(Delivery(event=row, handler=handler.key, subject=row.subject, due_at=due))
    return row


def restore(row: OutboxEvent):
    """The event object of a row. Raises KeyError when its name is no longer known."""
    cls = _events[row.name]
    return cls(subject=Ref.parse(row.subject), **json.loads(row.body))
