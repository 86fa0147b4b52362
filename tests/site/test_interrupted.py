"""Ctrl-C ends a command even where Python drops it: in a finalizer, or inside a function that SQLite calls."""

import signal
import sqlite3

import click
import pytest

from liangzhu.kernel import stopping
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.site.cli import INTERRUPTED, ChineseGroup

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def listening():
    """As at a keyboard: a run that was put into the background from the start has the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class _Dying:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@action("tests.after_interrupt")
def after(act):
    raise AssertionError("an action began after Ctrl-C")


@click.group(cls=ChineseGroup)
def group():
    pass


@group.command()
def acts():
    _Dying()
    after(SYSTEM)


@group.command()
def ends():
    _Dying()


@group.command()
def leaves():
    _Dying()
    raise SystemExit(0)


@group.command()
def asks():
    with sqlite3.connect(":memory:") as database:
        database.create_function("stop", 0, lambda: signal.raise_signal(signal.SIGINT))
        database.execute("select stop()")


@group.command()
def fine():
    pass


@pytest.mark.parametrize("name", ["acts", "ends", "leaves", "asks"])
def test_a_command_that_was_interrupted_says_so_and_begins_nothing_more(name, capsys):
    with pytest.raises(SystemExit) as ended:
        group.main([name], prog_name="liangzhu")
    assert ended.value.code == INTERRUPTED
    assert capsys.readouterr().err.count("已中断") == 1
    assert not stopping.asked() and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_was_not_ends_as_it_does():
    with pytest.raises(SystemExit) as ended:
        group.main(["fine"], prog_name="liangzhu")
    assert ended.value.code == 0
