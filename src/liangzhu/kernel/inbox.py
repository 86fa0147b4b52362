"""Messages from outside become events here, once each: by source and id, in one transaction with what they become."""

import dataclasses
from dataclasses import dataclass
from typing import get_args, get_type_hints

from django.db import IntegrityError
from django.utils.timezone import now as machine_now  # noqa: TID251 - when it really came

from liangzhu.kernel import policies
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.events import all_events
from liangzhu.kernel.models import Received
from liangzhu.kernel.refs import Ref

OUTSIDE = Actor(ref=Ref("system", "inbox"), label="外部来件")


@dataclass(frozen=True)
class Message:
    """A CloudEvent as far as it is read here; ``subject`` is ``kind:id``, ``data`` a JSON object."""

    source: str
    ident: str
    type: str
    subject: str
    data: object


class Refused(ValueError):
    """A message that cannot become an event; the text says why."""


def accepted() -> dict[str, type]:
    """Event classes that messages become, by CloudEvents type (`@event(…, accepts=…)`)."""
    return {cls.accepts: cls for cls in all_events().values() if getattr(cls, "accepts", "")}


def take_in(message: Message) -> bool:
    """Take a message in; False when it came before, or when no event accepts its type.

    One that cannot be read is kept with the reason why (`Received.refused`): it would not become readable by coming
    again. Raises what the database raises; then nothing is kept and the message must come again.
    """
    if message.type not in accepted():
        return False
    if Received.objects.filter(source=message.source[:200], ident=message.ident[:200]).exists():
        return False
    return _once(message)


def refuse(message: Message, why: str) -> bool:
    """Keep that a message came that could not be read at all; False when it came before."""
    return _once(message, why)


def _once(message: Message, refused: str = "") -> bool:
    try:
        _take_in(OUTSIDE, message=message, refused=refused)
    except IntegrityError:
        # Another worker was faster with the same one; anything else must be heard.
        if Received.objects.filter(source=message.source[:200], ident=message.ident[:200]).exists():
            return False
        raise
    return True


@action("kernel.take_in")
def _take_in(act: Act, *, message: Message, refused: str) -> Received:
    """Keep that it came, and what it became."""
    act.check(policies.operate)
    happened = None
    if not refused:
        try:
            happened = _as_event(message)
        except Refused as why:
            refused = str(why)
    row = Received.objects.create(
        source=message.source[:200],
        ident=message.ident[:200],
        type=message.type[:200],
        at=machine_now(),
        refused=refused[:300],
    )
    if happened is not None:
        row.event = act.emit(happened)
        row.save(update_fields=["event"])
    act.log(Ref("received", str(row.pk)), type=row.type, refused=bool(row.refused))
    return row


def _as_event(message: Message):
    cls = accepted()[message.type]
    if len(message.source) > 200 or len(message.ident) > 200:
        raise Refused("source 或 id 超过 200 个字符。")
    try:
        subject = Ref.parse(message.subject)
    except ValueError:
        raise Refused(f"subject 应为“类型:编号”，来的是“{message.subject[:80]}”。") from None
    if len(str(subject)) > 80:
        raise Refused("subject 超过 80 个字符。")
    if not isinstance(message.data, dict):
        raise Refused("data 应为 JSON 对象。")
    types, given = get_type_hints(cls), {}
    for field in dataclasses.fields(cls):
        if field.name == "subject":
            continue
        if field.name not in message.data:
            if field.default is dataclasses.MISSING:
                raise Refused(f"data 缺少 {field.name}。")
            continue
        value = message.data[field.name]
        allowed = get_args(types[field.name]) or (types[field.name],)
        # By exact type: a truth value is a whole number to Python, never to us.
        if type(value) not in allowed:
            raise Refused(f"data 的 {field.name} 类型不对。")
        given[field.name] = value
    return cls(subject=subject, **given)
