"""What the program says about its own work: fields for the lines of its log, and facts for who counts.

with about(event=12, handler="matters.handlers.told"):   # stands in every line that is logged meanwhile
    ...
tell("action", name="matters.step", outcome="done")       # reaches whoever listens, and never fails
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

logger = logging.getLogger("liangzhu.observing")

_fields: ContextVar[Mapping[str, object]] = ContextVar("liangzhu_log_fields", default=MappingProxyType({}))
_listeners: list[Callable[[str, dict], None]] = []

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,39}")


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Let every line that is logged in this context meanwhile carry these fields."""
    token = _fields.set({**_fields.get(), **{name: value for name, value in fields.items() if value}})
    try:
        yield
    finally:
        _fields.reset(token)


def fields() -> Mapping[str, object]:
    """The fields that stand now."""
    return _fields.get()


def request_id(given: str = "") -> str:
    """The id of a request: the one that came with it if it is well-formed (8-40 letters, digits, - or _), else a new one."""
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def listen(to: Callable[[str, dict], None]) -> None:
    """Have ``to(what, facts)`` called for everything that is told."""
    if to not in _listeners:
        _listeners.append(to)


def tell(what: str, **facts: object) -> None:
    """Tell who listens. A listener that fails is logged: nobody's work stops because somebody counts it."""
    for to in _listeners:
        try:
            to(what, facts)
        except Exception:
            logger.exception("a listener failed at %s", what)
