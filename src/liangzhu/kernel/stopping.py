"""Ctrl-C that cannot get lost (中断).

Python raises KeyboardInterrupt wherever it happens to be. Inside a callback (a finalizer, a weak reference, a function that
SQLite calls) it is printed and dropped, or comes out as another error, and the command would go on as if nobody had asked it
to stop. So the signal also leaves a mark, which is looked at between steps: `check` at the beginning of every action, before
long work is committed, and at the end of the command.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = False


def asked() -> bool:
    """Whether the command was asked to stop."""
    return _asked


def check() -> None:
    """Stop here if the command was asked to. Raises KeyboardInterrupt."""
    if _asked:
        raise KeyboardInterrupt


def _mark(number, frame) -> None:
    global _asked
    _asked = True
    raise KeyboardInterrupt


@contextmanager
def watching() -> Iterator[None]:
    """Keep the mark while a command runs. Commands that serve bring a handler of their own, and are not marked."""
    global _asked
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:
        yield
        return
    _asked = False
    signal.signal(signal.SIGINT, _mark)
    try:
        yield
    finally:
        _asked = False
        signal.signal(signal.SIGINT, signal.default_int_handler)
