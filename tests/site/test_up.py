"""`liangzhu up`: one command from nothing to a product that answers."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from liangzhu.site import cli

LIANGZHU = Path(sys.executable).parent / "liangzhu"


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("installation") / "home"


def start(home: Path, *words: str) -> subprocess.Popen:
    env = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
    return subprocess.Popen(
        [LIANGZHU, *words],
        env=env | {"LIANGZHU_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def until(process: subprocess.Popen, mark: str) -> str:
    """What it says up to and with the line that holds the mark."""
    said = ""
    for line in process.stdout:
        said += line
        if mark in line:
            return said
    raise AssertionError(said)


def end(process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_port_that_is_taken_is_said_before_anything_is_done(capsys):
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SystemExit) as ended:
            cli.main.main(args=["up", "--port", str(other.getsockname()[1])], prog_name="liangzhu")
    assert ended.value.code == 1
    assert "端口不能使用" in capsys.readouterr().err


@pytest.mark.slow
def test_a_history_that_was_interrupted_leaves_nothing_half_done(home):
    process = start(home, "load")
    until(process, "生成演示历史")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(3)
    assert end(process) == 130
    with contextlib.closing(sqlite3.connect(home / "liangzhu.sqlite3")) as database:
        (issued,) = database.execute(
            "select count(*) from programme_plantask where matter_id is not null"
        ).fetchone()
    assert issued == 0


@pytest.mark.slow
def test_one_command_shows_address_accounts_and_day_and_serves(home):
    port = free_port()
    process = start(home, "up", "--port", str(port))
    try:
        said = until(process, "Ctrl-C")
        assert f"http://localhost:{port}" in said
        assert "演示日期：2022-10-20" in said
        for role in ("系统管理员", "安全审计员", "承办人", "单位负责人", "区领导"):
            assert role in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert page.status == 200
            assert "2022-10-20" in page.read().decode()
        with contextlib.closing(sqlite3.connect(home / "liangzhu.sqlite3")) as database:
            found = dict(
                database.execute(
                    "select state, count(*) from matters_matter where kind like '%\\_case' escape '\\' group by state"
                )
            )
        # In all stages, so that whoever looks finds something to go on with.
        assert {
            "received",
            "accepted",
            "correcting",
            "special",
            "granted",
            "refused",
            "withdrawn",
        } <= found.keys()
    finally:
        assert end(process) == 0


@pytest.mark.slow
def test_the_second_start_does_nothing_twice(home):
    process = start(home, "up", "--port", str(free_port()))
    try:
        assert "生成演示历史" not in until(process, "Ctrl-C")
    finally:
        assert end(process) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [(["--host", "0.0.0.0"], "不能对外提供服务"), (["--no-demo"], "演示与正式不能混用")],
)
def test_a_demonstration_is_neither_shown_to_a_network_nor_made_real(home, words, says):
    process = start(home, "up", "--port", str(free_port()), *words)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert says in said
