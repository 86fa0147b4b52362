"""Events as CloudEvents 1.0 in JSON (structured mode of the NATS binding), and back."""

import json

from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from liangzhu.kernel.events import public_fields
from liangzhu.kernel.inbox import Message
from liangzhu.kernel.models import OutboxEvent

TYPE_PREFIX = "liangzhu."
CONTENT_TYPE = "application/cloudevents+json"


class NotACloudEvent(ValueError):
    """Bytes that are no CloudEvent 1.0 in JSON; the text says why."""


def event_id(row: OutboxEvent) -> str:
    """The id outside. With its instant: after a restore from a backup numbers are given out a second time."""
    return f"{row.pk}-{int(row.at.timestamp() * 1_000_000):x}"


def pack_event(row: OutboxEvent, source: str) -> bytes:
    """The message for an event: ids, kind and time, and of its body only what the event's class lets outside."""
    attributes = {
        "specversion": "1.0",
        "id": event_id(row),
        "source": source,
        "type": f"{TYPE_PREFIX}{row.name}",
        "subject": row.subject,
        "time": row.at,
    }
    data = public_fields(row) or None
    if data is not None:
        attributes["datacontenttype"] = "application/json"
    return JSONFormat().write(CloudEvent(attributes, data))


def unpack(body: bytes) -> Message:
    """Read a message from outside. Raises NotACloudEvent."""
    try:
        # The reader fills in an id that is missing; without its own id a message cannot be told from another.
        if not json.loads(body).get("id"):
            raise NotACloudEvent("不是 CloudEvents 1.0：缺少或写错 id。")
        found = JSONFormat().read(CloudEvent, body)
        attributes = found.get_attributes()
    except NotACloudEvent:
        raise
    except CloudEventValidationError as error:
        raise NotACloudEvent(
            f"不是 CloudEvents 1.0：缺少或写错 {'、'.join(sorted(error.errors))}。"
        ) from None
    except (ValueError, TypeError, AttributeError, KeyError):
        raise NotACloudEvent("不是 JSON 格式的 CloudEvents 1.0。") from None
    return Message(
        source=attributes["source"],
        ident=attributes["id"],
        type=attributes["type"],
        subject=attributes.get("subject", ""),
        data=found.get_data(),
    )
