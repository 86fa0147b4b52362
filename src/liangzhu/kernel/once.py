"""What one page or one action asks several times is read once: a memory as long as a request that only reads, or an action."""

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


_held: ContextVar[dict[Hashable, object] | None] = ContextVar("steady", default=None)


@contextmanager
def acting() -> Iterator[None]:
    """Let `steady` remember for the length of one action; an action inside of another remembers for itself."""
    token = _held.set({})
    try:
        yield
    finally:
        _held.reset(token)


def steady(key: Hashable, make: Callable[[], T]) -> T:
    """What was made under this key in this action, else what ``make`` gives now; outside of one it is asked anew.

    Only for what actions lean on and hardly any alters (releases, units, items); who alters it calls `forget`.
    """
    memory = _held.get()
    if memory is None:
        return make()
    if key not in memory:
        memory[key] = make()
    return memory[key]


def forget() -> None:
    """Ask everything anew that `steady` remembered in this action."""
    if (memory := _held.get()) is not None:
        memory.clear()
