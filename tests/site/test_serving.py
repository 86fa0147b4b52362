"""Serving: what is refused before it starts, and that everything ends together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from liangzhu.site import serving


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("example.gov.cn", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, local):
    assert serving.is_loopback(host) is local


@pytest.mark.parametrize(
    ("host", "own_key", "own_master", "demo", "says"),
    [
        ("0.0.0.0", True, False, False, "LIANGZHU_SECRET_KEY"),
        ("0.0.0.0", False, True, False, "LIANGZHU_MASTER_KEY"),
        ("0.0.0.0", False, False, True, "演示账号"),
        ("10.0.0.5", True, True, True, "演示账号"),
        ("0.0.0.0", False, False, False, None),
        ("127.0.0.1", True, True, True, None),
    ],
)
def test_demonstration_secrets_stay_on_this_machine(host, own_key, own_master, demo, says):
    given = {"own_key": own_key, "own_master": own_master, "demo_accounts": demo}
    if says is None:
        serving.require_own_secrets(host, **given)
        return
    with pytest.raises(serving.NotBeyondLoopback, match=says) as refused:
        serving.require_own_secrets(host, **given)
    assert refused.value.todo


@pytest.fixture
def taken():
    """A port that somebody listens at the way our server does."""
    with contextlib.closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_named_before_the_start(taken):
    with pytest.raises(serving.PortTaken, match=str(taken)) as refused:
        serving.require_free_port("127.0.0.1", taken)
    assert "--port" in refused.value.todo


def test_a_port_that_is_free_is_left_free():
    port = free_port()
    serving.require_free_port("127.0.0.1", port)
    serving.require_free_port("127.0.0.1", port)


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def started(tmp_path, migrated):
    """A served, empty installation: (process of the group, port). Whatever is left of it ends with the test."""
    home, port = tmp_path / "home", free_port()
    migrated(home)
    env = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_DATABASE")}
    env |= {"LIANGZHU_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    script = (
        "from liangzhu.site import cli, serving\n"
        "cli.set_up_django()\n"
        f"raise SystemExit(serving.serve('127.0.0.1', {port}, 1, lambda: print('ready')))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process, port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def group(leader: int) -> list[int]:
    """The processes of a group that are alive."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == leader and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def wait_until(true, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False


def worker_of(leader: int) -> int | None:
    for pid in group(leader):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").endswith(b"\0worker"):
                return pid
    return None


@pytest.mark.own_sqlite
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_server_and_worker(started, number):
    process, port = started
    assert len(group(process.pid)) >= 3
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/account/login/") as page:
        assert page.status == 200
    process.send_signal(number)
    assert process.wait(20) == 0
    assert wait_until(lambda: not group(process.pid))


@pytest.mark.own_sqlite
def test_nothing_stays_behind_when_the_group_is_killed(started):
    process, _ = started
    process.kill()
    process.wait()
    assert wait_until(lambda: not group(process.pid))


@pytest.mark.own_sqlite
def test_a_worker_that_died_is_started_again(started):
    process, _ = started
    first = worker_of(process.pid)
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: worker_of(process.pid) not in (None, first))


@pytest.mark.own_sqlite
def test_no_server_process_outlives_its_main_process(started):
    process, port = started
    processes = [pid for pid in group(process.pid) if b"granian" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    main = next(pid for pid in processes if parent(pid) == process.pid)
    servers = [pid for pid in processes if parent(pid) == main and pid != main]
    assert servers
    os.kill(main, signal.SIGKILL)
    assert wait_until(lambda: not set(servers) & set(group(process.pid)))


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
