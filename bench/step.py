"""One step of a matter: policy, lock, write, history, log leaf, event. In process, and over HTTP; on both databases.

In process it stands beside saving the same rows through the ORM, beside inserting them with bare SQL (the limit), and
beside a step that SpiffWorkflow loads, does and saves. Over HTTP it stands beside Open Zaak and Signalen, as measured on
two cores: server, database and client share them. Loopback only. ``--quick``: SQLite only.
"""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench._house import OPINION, found, home, served, token
from bench._report import Row, options, rate, show

OPEN_ZAAK, SIGNALEN, SPIFF, VIEWFLOW = 21, 27, 1356, 84
"""Steps a second that others measured or that were measured on a machine of this kind: see bench/README.md."""

CLIENTS, WRITERS = 4, 16

WARM_UP = 3.0
"""Seconds of load before a server is measured."""


def main() -> None:
    """Every part in a process of its own, because Django reads its settings once; then the table."""
    if part := os.environ.get("BENCH_PART"):
        print(json.dumps(PARTS[part](float(os.environ["BENCH_SECONDS"]))))
        return
    arguments = options(__doc__)
    seconds = 2.0 if arguments.quick else 10.0
    names = ("inside", "http") if arguments.quick else ("inside", "http", "http_postgresql", "writers")
    with tempfile.TemporaryDirectory(prefix="liangzhu-bench-") as migrated:
        os.environ["BENCH_MIGRATED"] = migrated
        found = {name: _part(name, seconds) for name in names}
    inside, faster = found["inside"], max(OPEN_ZAAK, SIGNALEN)
    rows = [
        Row(
            "进程内，SQLite：办理一步", inside["ours"], "同样的行经 ORM 保存", inside["ours"] / inside["orm"]
        ),
        Row("　同样的行经 ORM 保存", inside["orm"]),
        Row(
            "　同样的行直接 INSERT（极限）",
            inside["bare"],
            note=f"我们达到 {inside['ours'] / inside['bare']:.2f}",
        ),
    ]
    if inside.get("spiff"):
        rows.append(
            Row(
                "　SpiffWorkflow：读出、走一步、存回 SQLite",
                inside["spiff"],
                note=f"我们 ×{inside['ours'] / inside['spiff']:.2f}；另一次测得 {SPIFF:,}",
            )
        )
    for name, title in (("http", "SQLite"), ("http_postgresql", "PostgreSQL")):
        if name in found:
            rows.append(
                Row(
                    f"HTTP 接口，{title}：办理一步（{CLIENTS} 个客户端）",
                    found[name]["ours"],
                    f"Open Zaak 与 Signalen 中较快的（{faster}/s）",
                    found[name]["ours"] / faster,
                    f"viewflow {VIEWFLOW}/s；p95 {found[name]['p95']:.0f} ms",
                )
            )
    if writers := found.get("writers"):
        rows += [
            Row("PostgreSQL 进程内：1 个写入者", writers["one"]),
            Row(
                f"PostgreSQL 进程内：{WRITERS} 个写入者，日志编号同时进行",
                writers["many"],
                "同样的写入，不写日志",
                writers["many"] / writers["unlogged"],
            ),
        ]
    show(
        "办理一步（每秒）",
        rows,
        arguments,
        ratio=found["http"]["ours"] / faster,
        in_process_ratio=inside["ours"] / inside["orm"],
        bare_ratio=inside["ours"] / inside["bare"],
        calibration_commits=inside["calibration"],
    )


def _part(name: str, seconds: float) -> dict:
    environment = os.environ | {"BENCH_PART": name, "BENCH_SECONDS": str(seconds)}
    done = subprocess.run(
        [sys.executable, "-m", "bench.step"], env=environment, stdout=subprocess.PIPE, text=True, timeout=600
    )
    if done.returncode:
        raise SystemExit(f"bench.step：{name} 这一部分失败，见上面的输出。")
    return json.loads(done.stdout.splitlines()[-1])


# In process ---------------------------------------------------------------------------------------------------


class Stepper:
    """Moves matters to and fro, each in turn."""

    def __init__(self, officer, ids: list[int]):
        from liangzhu.beams.work.matters import api as matters
        from liangzhu.beams.work.matters.models import Matter

        self.step, self.officer, self.ids, self.count = matters.step, officer, ids, 0
        self.states = dict(Matter.objects.filter(pk__in=ids).values_list("pk", "state"))

    def __call__(self) -> None:
        ident = self.ids[self.count % len(self.ids)]
        name, self.states[ident] = ("go", "there") if self.states[ident] == "here" else ("back", "here")
        self.step(self.officer, matter_id=ident, transition=name, data={"opinion": OPINION})
        self.count += 1


def inside(seconds: float) -> dict:
    """Steps in this process beside their rows saved by the ORM, by bare SQL, and beside SpiffWorkflow."""
    with home() as folder:
        officer, ids = found(500)
        step = Stepper(officer, ids)
        step()
        copies = Copies(step)
        figures = {
            "ours": rate(step, seconds=seconds),
            "orm": rate(copies.save, seconds=seconds),
            "bare": rate(copies.insert, seconds=seconds),
            "calibration": calibration(Path(folder)),
        }
        if spiff := spiff_step(Path(folder)):
            figures["spiff"] = rate(spiff, seconds=seconds)
        return figures


class Copies:
    """The rows that one real step wrote, whatever tables they are in, to be written again in two other ways."""

    def __init__(self, step: Stepper):
        from django.apps import apps
        from django.db import connection

        statements: list[str] = []

        def listen(execute, sql, params, many, context):
            statements.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(listen):
            step()
        tables = [sql.split('"')[1] for sql in statements if sql.startswith("INSERT")]
        models = {model._meta.db_table: model for model in apps.get_models()}
        unknown = [table for table in tables if table not in models]
        if unknown:
            raise SystemExit(f"bench.step：写入了没有模型的表 {unknown}，请在这里补上。")
        newest: dict[str, int] = {}
        self.rows = []
        for table in reversed(tables):
            skip = newest[table] = newest.get(table, -1) + 1
            self.rows.insert(0, models[table].objects.order_by("-pk")[skip])
        updated = [sql.split('"')[1] for sql in statements if sql.startswith("UPDATE")]
        self.updated = [models[table].objects.order_by("-pk").first() for table in updated]

    def save(self) -> None:
        """Save them through the ORM: new rows as copies that point to each other, updated rows whole."""
        from django.db import transaction

        made: dict[tuple, object] = {}
        with transaction.atomic():
            for row in self.rows:
                values = {}
                for field in row._meta.local_concrete_fields:
                    value = getattr(row, field.attname)
                    if field.is_relation and (field.related_model, value) in made:
                        value = made[field.related_model, value]
                    elif field.primary_key:
                        continue
                    values[field.attname] = value
                new = type(row).objects.create(**values)
                made[type(row), row.pk] = new.pk
            for row in self.updated:
                row.save()

    def insert(self) -> None:
        """Insert them with statements and values made beforehand."""
        from django.db import connection, transaction

        if not hasattr(self, "_bare"):
            self._bare = [self._statement(row) for row in self.rows]
            self._bare_updates = [self._update(row) for row in self.updated]
        made: dict[tuple, int] = {}
        with transaction.atomic(), connection.cursor() as cursor:
            for sql, values, links, key in self._bare:
                values = list(values)
                for place, target in links:
                    values[place] = made.get(target, values[place])
                cursor.execute(sql, values)
                made[key] = cursor.fetchone()[0]
            for sql, values in self._bare_updates:
                cursor.execute(sql, values)

    @staticmethod
    def _statement(row) -> tuple:
        from django.db import connection

        # A key that is a link (one to one) is given; a number of its own is not.
        fields = [f for f in row._meta.local_concrete_fields if not f.primary_key or f.is_relation]
        names = ", ".join(f'"{field.column}"' for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        key = row._meta.pk.column
        sql = f'INSERT INTO "{row._meta.db_table}" ({names}) VALUES ({marks}) RETURNING "{key}"'
        values = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
        links = [
            (place, (field.related_model, getattr(row, field.attname)))
            for place, field in enumerate(fields)
            if field.is_relation
        ]
        return sql, values, links, (type(row), row.pk)

    @staticmethod
    def _update(row) -> tuple:
        from django.db import connection

        fields = [field for field in row._meta.local_concrete_fields if not field.primary_key]
        sets = ", ".join(f'"{field.column}" = %s' for field in fields)
        values = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
        return f'UPDATE "{row._meta.db_table}" SET {sets} WHERE "{row._meta.pk.column}" = %s', [
            *values,
            row.pk,
        ]


def calibration(folder: Path) -> float:
    """One-row commits a second on SQLite (WAL, NORMAL): by it a ratio can be read on another machine."""
    link = sqlite3.connect(folder / "calibration.sqlite3", isolation_level=None)
    link.execute("PRAGMA journal_mode=WAL")
    link.execute("PRAGMA synchronous=NORMAL")
    link.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, text TEXT)")
    return rate(lambda: link.execute("INSERT INTO one (text) VALUES ('x')"), seconds=1.0)


def spiff_step(folder: Path):
    """A step as SpiffWorkflow does it when its state outlives the process: load, complete a task, save. None without it."""
    try:
        from SpiffWorkflow.bpmn.parser import BpmnParser
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
        from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
        from SpiffWorkflow.util.task import TaskState
    except ImportError:
        return None
    parser = BpmnParser()
    parser.add_bpmn_str(ROUND_BPMN.encode())
    serializer = BpmnWorkflowSerializer()
    workflow = BpmnWorkflow(parser.get_spec("round"))
    workflow.do_engine_steps()
    link = sqlite3.connect(folder / "spiff.sqlite3", isolation_level=None)
    link.execute("PRAGMA journal_mode=WAL")
    link.execute("PRAGMA synchronous=NORMAL")
    link.execute("CREATE TABLE state (id INTEGER PRIMARY KEY, body TEXT)")
    fresh = serializer.serialize_json(workflow)
    link.execute("INSERT INTO state VALUES (1, ?)", [fresh])
    count = 0

    def step() -> None:
        nonlocal count
        # Its file of finished tasks grows with every round; it is begun anew before that tells.
        count += 1
        (text,) = link.execute("SELECT body FROM state WHERE id = 1").fetchone()
        current = serializer.deserialize_json(fresh if count % 4 == 0 else text)
        task = current.get_next_task(state=TaskState.READY, manual=True)
        task.run()
        current.do_engine_steps()
        link.execute("UPDATE state SET body = ? WHERE id = 1", [serializer.serialize_json(current)])

    return step


ROUND_BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:round">
  <bpmn:process id="round" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="merge"/>
    <bpmn:exclusiveGateway id="merge"><bpmn:incoming>a</bpmn:incoming><bpmn:incoming>d</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:exclusiveGateway>
    <bpmn:sequenceFlow id="b" sourceRef="merge" targetRef="go"/>
    <bpmn:manualTask id="go"><bpmn:incoming>b</bpmn:incoming><bpmn:outgoing>c</bpmn:outgoing></bpmn:manualTask>
    <bpmn:sequenceFlow id="c" sourceRef="go" targetRef="back"/>
    <bpmn:manualTask id="back"><bpmn:incoming>c</bpmn:incoming><bpmn:outgoing>d</bpmn:outgoing></bpmn:manualTask>
    <bpmn:sequenceFlow id="d" sourceRef="back" targetRef="merge"/>
  </bpmn:process>
</bpmn:definitions>
"""


# Over HTTP ----------------------------------------------------------------------------------------------------


def http_part(database: str, seconds: float) -> dict:
    """Steps through the API by some clients, each with matters of its own, against the product's own server."""
    with home(database):
        officer, ids = found(400)
        secret = token(officer)
        from django.db import connections

        connections.close_all()
        with served() as port:
            clients = [Client(port, secret, ids[n::CLIENTS]) for n in range(CLIENTS)]
            # Both processes of the server are cold at first: not one of their first steps is measured.
            _all_at_once(clients, WARM_UP)
            elapsed = _all_at_once(clients, seconds)
        times = sorted(one for client in clients for one in client.times)
        return {"ours": len(times) / elapsed, "p95": 1000 * times[int(len(times) * 0.95)]}


def _all_at_once(clients: list["Client"], seconds: float) -> float:
    """Let all clients step for so long, their times begun anew; returns the seconds it took."""
    threads = [threading.Thread(target=client.run, args=(seconds,)) for client in clients]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


class Client:
    """One client with one connection. It reads answers by hand, so that its own work weighs little on the two cores."""

    def __init__(self, port: int, secret: str, ids: list[int]):
        self.link = socket.create_connection(("127.0.0.1", port))
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"Host: localhost\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
        self.body = json.dumps({"data": {"opinion": OPINION}}).encode()
        self.ids, self.count, self.times = ids, 0, []

    def one(self) -> None:
        """One step; anything but success ends the bench."""
        place, turn = self.count % len(self.ids), self.count // len(self.ids)
        path = f"/api/v1/matters/{self.ids[place]}/steps/{'back' if turn % 2 else 'go'}"
        head = f"POST {path} HTTP/1.1\r\n{self.head}Content-Length: {len(self.body)}\r\n\r\n"
        self.link.sendall(head.encode() + self.body)
        answer = self.link.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += self.link.recv(65536)
        top, _, rest = answer.partition(b"\r\n\r\n")
        if not top.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"bench.step：{top.decode()}\n{rest.decode()}")
        length = int(re.search(rb"(?i)content-length: *(\d+)", top)[1])
        while len(rest) < length:
            rest += self.link.recv(65536)
        self.count += 1

    def run(self, seconds: float) -> None:
        """Steps until the time is over, each timed."""
        self.times = []
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            self.one()
            self.times.append(time.perf_counter() - start)


# Many writers on PostgreSQL -----------------------------------------------------------------------------------


def writers(seconds: float) -> dict:
    """Steps by one and by sixteen processes while leaves are numbered, and by sixteen that write no leaf."""
    with home("postgresql"):
        _, ids = found(WRITERS * 20)
        from django.db import connections

        connections.close_all()
        return {
            "one": _write(ids, 1, seconds, logged=True),
            "many": _write(ids, WRITERS, seconds, logged=True),
            "unlogged": _write(ids, WRITERS, seconds, logged=False),
        }


def _write(ids: list[int], count: int, seconds: float, *, logged: bool) -> float:
    """Steps a second by so many processes, beside one that works the outbox and numbers the log."""
    command = [sys.executable, "-m", "bench.step"]
    environment = os.environ | {"BENCH_SECONDS": str(seconds), "BENCH_PART": "writer"}
    worker = subprocess.Popen(
        [sys.executable, "-m", "liangzhu.site.cli", "worker"], stdout=subprocess.DEVNULL
    )
    try:
        children = [
            subprocess.Popen(
                command,
                env=environment | {"BENCH_IDS": json.dumps(ids[n::count]), "BENCH_LOGGED": str(int(logged))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(count)
        ]
        for child in children:
            child.stdout.readline()
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        return sum(json.loads(child.communicate(timeout=120)[0])["ours"] for child in children)
    finally:
        worker.terminate()
        worker.wait(20)


def writer(seconds: float) -> dict:
    """One of the processes: ready, then steps until the time is over."""
    import django

    django.setup()
    from liangzhu.beams.people.directory import api as directory
    from liangzhu.beams.people.directory.models import Holding
    from liangzhu.kernel import actions
    from liangzhu.kernel.refs import Ref

    if os.environ["BENCH_LOGGED"] == "0":
        # What the log costs is seen by leaving it out; actions insist on a leaf, so it gets one that is not kept.
        actions.write_leaf = lambda actor, action, subject, details: actions.LogLeaf(subject=str(subject))
    holding = Holding.objects.get(post__key="bench")
    officer = directory.staff(holding.person_id, holding.post_id, Ref("account", "1"))
    step = Stepper(officer, json.loads(os.environ["BENCH_IDS"]))
    print("ready", flush=True)
    sys.stdin.readline()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        count += 1
    return {"ours": count / (time.perf_counter() - start)}


PARTS = {
    "inside": inside,
    "http": lambda seconds: http_part("sqlite", seconds),
    "http_postgresql": lambda seconds: http_part("postgresql", seconds),
    "writers": writers,
    "writer": writer,
}

if __name__ == "__main__":
    main()
