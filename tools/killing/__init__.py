"""Kill the product again and again while it works, and look whether anything was lost or done twice.

An installation of its own is served the way `liangzhu up` serves it, with a second worker beside; staff do steps on
matters over HTTP; server and workers are killed with SIGKILL at random moments. At the end every change that was
answered as accepted must be there once, every event must have had its effect once and in order, and the log must match.
"""

import contextlib
import ctypes
import http.client
import json
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
CSRF = "k" * 32
STARTED = "worker started"

BESIDE = 2
"""Workers that run beside the one of the group."""

SHARES = {"server": 0.16, "server's main process": 0.04, "everything": 0.04, "worker": 0.2}
"""Who is killed how often; the workers beside have the rest. The server takes seconds to come up again, and meanwhile
nothing happens."""

SERVE = """
from liangzhu.site import cli, serving
cli.set_up_django()
raise SystemExit(serving.serve("127.0.0.1", {port}, 1, lambda: print("ready", flush=True)))
"""


@dataclass
class Tally:
    """What the clients were told. ``accepted`` maps a form's key to the matter; ``unsure`` were still unanswered.

    ``interrupted`` are the labels of runs that ended themselves before they could tell.
    """

    accepted: dict[str, int] = field(default_factory=dict)
    unsure: dict[str, int] = field(default_factory=dict)
    interrupted: list[str] = field(default_factory=list)
    requests: int = 0
    broken: int = 0
    """Requests that ended without an answer, because somebody was killed."""


class House:
    """An installation in a folder: prepared once, then started, killed and looked at."""

    def __init__(self, folder: Path, database: str = "", matters: int = 6):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
        self.env |= {
            "DJANGO_SETTINGS_MODULE": "killing.settings",
            "PYTHONPATH": f"{ROOT / 'tools'}{os.pathsep}{ROOT / 'src'}",
            "PYTHONUNBUFFERED": "1",
            "LIANGZHU_HOME": str(folder),
            **({"LIANGZHU_DATABASE": database} if database else {}),
        }
        known = folder / "prepared.json"
        if not known.exists():
            known.write_text(self._inside("prepare", str(matters)))
        self.prepared = json.loads(known.read_text())
        self.group: subprocess.Popen | None = None
        self.beside: list[subprocess.Popen] = []
        self.fresh()

    def fresh(self) -> None:
        """Forget what one run has seen."""
        self.stop, self.gone = threading.Event(), threading.Event()
        self.beside_up: set[int] = set()
        # When a client last had an answer, and when somebody was last killed: only who works is killed.
        self.answered = self.last_kill = 0.0
        # Workers of the group that said they began, and how many of them there were when one was last killed.
        self.group_workers = self.group_workers_killed = 0

    def _inside(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "killing.inside", *words],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout

    # Starting and killing

    def start(self) -> None:
        """Start whatever does not run."""
        if self.group is None or self.group.poll() is not None:
            script = SERVE.format(port=self.port)
            self.group = self._process([sys.executable, "-c", script])
            threading.Thread(target=self._listen, args=(self.group,), daemon=True).start()
        self.beside = [one for one in self.beside if one.poll() is None]
        while len(self.beside) < BESIDE:
            one = self._process([sys.executable, "-m", "liangzhu.site.cli", "worker"])
            self.beside.append(one)
            threading.Thread(target=self._listen, args=(one,), daemon=True).start()

    def _process(self, command: list[str]) -> subprocess.Popen:
        return subprocess.Popen(
            command,
            env=self.env,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def _listen(self, process: subprocess.Popen) -> None:
        with (self.folder / "said.txt").open("a") as kept:
            for line in process.stdout:
                kept.write(line)
                kept.flush()
                if STARTED in line:
                    if process is self.group:
                        self.group_workers += 1
                    else:
                        self.beside_up.add(process.pid)

    def victims(self) -> dict[str, int]:
        """Who is up and may be killed, by what it is; nobody until a change was accepted after the last kill."""
        found = {}
        if self.answered <= self.last_kill:
            return found
        for one in self.beside:
            if one.poll() is None and one.pid in self.beside_up:
                found["worker beside"] = one.pid
        if self.group is None or self.group.poll() is not None:
            return found
        for pid, parent, line in _processes(self.group.pid):
            if line.endswith("\0worker"):
                if self.group_workers > self.group_workers_killed:
                    found["worker"] = pid
            elif "granian" in line:
                found["server's main process" if parent == self.group.pid else "server"] = pid
        if "worker" in found:
            found["everything"] = self.group.pid
        return found

    def kill(self, chance: random.Random, allowed: set[str]) -> str | None:
        """Kill one of those that are up and allowed; returns what it was, None when there is nobody."""
        up = self.victims()
        names = sorted(allowed & up.keys())
        if not names:
            return None
        name = chance.choice(names)
        with contextlib.suppress(ProcessLookupError):
            if name == "everything":
                os.killpg(up[name], signal.SIGKILL)
            else:
                os.kill(up[name], signal.SIGKILL)
        if name == "worker":
            self.group_workers_killed = self.group_workers
        self.last_kill = time.monotonic()
        if name in ("everything", "server's main process"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.group.wait(5)
            self.group_workers_killed = self.group_workers
        return name

    def end(self) -> None:
        """End everything."""
        self.stop.set()
        for process in [*self.beside, *([self.group] if self.group else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    # The load

    def work(self, tally: Tally, matter: int, session: str, label: str) -> None:
        """One person who reports progress on one matter, again and again, and repeats what was not answered."""
        number, key, version = 0, "", None
        while True:
            if not key:
                if self.stop.is_set():
                    return
                number += 1
                key = f"{label}-{matter:04d}-{number:06d}"
                tally.unsure[key] = matter
            try:
                if version is None:
                    version = self._version(matter, session)
                status = self._send(matter, session, key, version)
            except (OSError, http.client.HTTPException):
                tally.broken += 1
                version = None
                if self.gone.is_set():
                    return
                time.sleep(0.05)
                continue
            tally.requests += 1
            if status == 302:
                self.answered = time.monotonic()
                tally.accepted[key] = matter
                del tally.unsure[key]
                key, version = "", version + 1
            else:
                # Another version, or a page of the server that says it is not well: look again and repeat.
                version = None
                time.sleep(0.02)

    def _version(self, matter: int, session: str) -> int:
        status, page = self._ask("GET", f"/work/{matter}/step/note_progress/", session)
        found = re.search(r'name="version" value="(\d+)"', page)
        if status != 200 or not found:
            raise http.client.HTTPException(f"{status}")
        return int(found[1])

    def _send(self, matter: int, session: str, key: str, version: int) -> int:
        body = urlencode(
            {"csrfmiddlewaretoken": CSRF, "once": key, "version": version, "progress": f"进展 {key}"}
        )
        return self._ask("POST", f"/work/{matter}/step/note_progress/", session, body)[0]

    def _ask(self, method: str, path: str, session: str, body: str | None = None) -> tuple[int, str]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "Host": "localhost"}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            link.close()

    # The end

    def look(self, tally: Tally) -> list[str]:
        """Everything that is wrong, in words; an empty list is the good answer."""
        given = self.folder / "tally.json"
        told = {"accepted": tally.accepted, "unsure": tally.unsure, "interrupted": tally.interrupted}
        given.write_text(json.dumps(told))
        return json.loads(self._inside("look", str(given)))

    def settle(self) -> None:
        """Wait until everything owed is delivered, at most a minute."""
        self._inside("settle")


def _end_with_parent() -> None:
    """Linux: whoever kills this program leaves nothing running."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _processes(leader: int) -> Iterator[tuple[int, int, str]]:
    """(pid, parent, command line) of the living processes of a group, without its leader."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            if int(fields[2]) == leader and pid != leader and fields[0] != "Z":
                yield pid, int(fields[1]), (stat.parent / "cmdline").read_bytes().decode().rstrip("\0")


def run(
    house: House, *, kills: int, seed: int, label: str, say=lambda text: None, seconds: float = 3600
) -> tuple[Tally, dict[str, int]]:
    """Serve, work and kill; returns what the clients were told and how often what was killed.

    Ends early ``seconds`` after the first change was accepted, or when nobody came up to be killed for a minute.
    """
    chance, tally, counts = random.Random(seed), Tally(), {}
    turns = Counter({one: math.ceil(share * kills) for one, share in SHARES.items()})
    turns["worker beside"] = max(kills - turns.total(), 0)
    house.fresh()
    house.start()
    people = [
        threading.Thread(target=house.work, args=(tally, each["matter"], each["session"], label))
        for each in house.prepared["people"]
    ]
    for person in people:
        person.start()
    begin, last = 0.0, time.monotonic()
    try:
        while sum(counts.values()) < kills and (not begin or time.monotonic() - begin < seconds):
            time.sleep(chance.uniform(0.02, 0.5))
            house.start()
            begin = begin or house.answered
            open_turns = +(turns - Counter(counts))
            # Now and then the server's turn comes, else it would use up its share in the beginning.
            workers = open_turns.keys() & {"worker", "worker beside"}
            servers = open_turns.keys() - workers
            name = house.kill(
                chance, servers if not workers or (servers and chance.random() < 0.3) else workers
            )
            if name:
                counts[name] = counts.get(name, 0) + 1
                last = time.monotonic()
                say(f"{sum(counts.values())}/{kills} {name}")
            elif time.monotonic() - last > 60:
                raise AssertionError(f"nobody came up again; see {house.folder / 'said.txt'}")
        house.stop.set()
        # Everybody gets the answer to the last form, then what is owed is delivered.
        deadline = time.monotonic() + 60
        for person in people:
            while person.is_alive() and time.monotonic() < deadline:
                house.start()
                person.join(0.2)
        house.settle()
    finally:
        house.gone.set()
        house.end()
        for person in people:
            person.join(30)
    return tally, counts
