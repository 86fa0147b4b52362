"""What one page asks several times is read once: a memory as long as a request that only reads."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_memory: ContextVar[dict[Hashable, object] | None] = ContextVar("once", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Remember what `once` makes until the end of the block. Only where nothing is changed in between."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def once(key: Hashable, make: Callable[[], T]) -> T:
    """What was made under this key in this request, else what ``make`` gives now. Nobody may change what is returned."""
    memory = _memory.get()
    if memory is None:
        return make()
    if key not in memory:
        memory[key] = make()
    return memory[key]
