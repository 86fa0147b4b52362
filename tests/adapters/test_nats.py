"""Events leave as CloudEvents through a real NATS JetStream server, in order and once; others' messages come in once."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nats
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from liangzhu.adapters.nats.broker import Broker
from liangzhu.kernel import events, inbox, neighbours, outbox, worker
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.events import CourierAway
from liangzhu.kernel.models import Delivery, LogLeaf, OutboxEvent, Received
from liangzhu.kernel.refs import Ref
from liangzhu.site import doctor

pytestmark = pytest.mark.django_db


class Server:
    """A nats-server with JetStream on a free port of loopback, its store in a folder of the test."""

    def __init__(self, folder: Path):
        self.folder = folder
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"nats://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self) -> None:
        program = Path(sys.executable).parent / "nats-server"
        self.process = subprocess.Popen(
            [program, "-js", "-sd", self.folder, "-a", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("nats-server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, work):
        """Run ``await work(js)`` on a connection that has nothing to do with ours."""

        async def run():
            client = await nats.connect(self.address)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(run())

    def stored(self, stream: str = "LIANGZHU") -> list:
        """Every message of a stream, read by a subscription of our own making."""

        async def read(js):
            count = (await js.stream_info(stream)).state.messages
            waiting = await js.pull_subscribe("", stream=stream)
            found = []
            while len(found) < count:
                found += await waiting.fetch(count - len(found), timeout=5)
            return found

        return self.ask(read)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("nats"))
    yield server
    server.kill()


@pytest.fixture
def server(store):
    """The server with no stream in it, running."""
    if store.process.poll() is not None:
        store.start()

    async def clear(js):
        for info in await js.streams_info():
            await js.delete_stream(info.config.name)

    for _ in range(100):
        try:
            store.ask(clear)
            break
        except nats.js.errors.Error:
            time.sleep(0.05)
    return store


@pytest.fixture
def registries(monkeypatch):
    for module, name in (
        (events, "_events"),
        (events, "_couriers"),
        (neighbours, "_neighbours"),
        (worker, "_companions"),
    ):
        monkeypatch.setattr(module, name, dict(getattr(module, name)))
    monkeypatch.setattr(events, "_handlers", {k: list(v) for k, v in events._handlers.items()})


@pytest.fixture
def broker(server, registries):
    one = Broker(server.address, prefix="liangzhu", stream="LIANGZHU", region="000000", incoming="CITY")
    one.register()
    yield one
    with contextlib.suppress(CourierAway):
        one.close()


@pytest.fixture
def ring(registries):
    @events.event("kernel.test_rang", outside=("times",))
    @dataclass(frozen=True)
    class Rang:
        subject: Ref
        times: int
        who: str = "张三"

    return lambda thing, times: events.publish(Rang(subject=Ref("bell", thing), times=times), SYSTEM)


def carry_all() -> int:
    """Carry until nothing is owed. A server that is just starting, on a busy machine, is asked again."""
    total, deadline = 0, time.monotonic() + 20
    while True:
        try:
            taken = worker.carry_due(events.all_couriers()["nats"])
        except CourierAway:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
            continue
        if not taken:
            return total
        total += taken


def data_of(messages) -> list[tuple[str, int]]:
    found = [json.loads(message.data) for message in messages]
    return [(each["subject"], each["data"]["times"]) for each in found]


# Going out ------------------------------------------------------------------------------------------------------------


def test_an_event_leaves_as_a_cloudevent_that_others_can_read(server, broker, ring):
    row = ring("a", 7)
    assert carry_all() == 1
    (message,) = server.stored()
    assert message.subject == "liangzhu.kernel.test_rang"
    assert message.headers["Content-Type"] == "application/cloudevents+json"
    read = JSONFormat().read(CloudEvent, message.data)
    assert read.get_specversion() == "1.0"
    assert read.get_source() == "urn:liangzhu:000000"
    assert read.get_type() == "liangzhu.kernel.test_rang"
    assert read.get_subject() == "bell:a"
    assert read.get_id() == message.headers["Nats-Msg-Id"]
    assert read.get_time() == OutboxEvent.objects.get(pk=row.pk).at
    assert read.get_datacontenttype() == "application/json"


def test_of_the_body_only_what_the_event_declares_leaves_the_machine(server, broker, ring):
    @events.event("kernel.test_silent")
    @dataclass(frozen=True)
    class Silent:
        subject: Ref
        secret: str

    ring("a", 1)
    events.publish(Silent(subject=Ref("bell", "b"), secret="张三的电话"), SYSTEM)
    carry_all()
    told = {json.loads(m.data)["type"]: json.loads(m.data) for m in server.stored()}
    assert told["liangzhu.kernel.test_rang"]["data"] == {"times": 1}
    assert "data" not in told["liangzhu.kernel.test_silent"]
    assert not any("张三" in m.data.decode() or "\\u5f20" in m.data.decode() for m in server.stored())


def test_a_field_that_does_not_exist_cannot_be_let_outside(registries):
    with pytest.raises(TypeError, match="nowhere"):

        @events.event("kernel.test_wrong", outside=("nowhere",))
        @dataclass(frozen=True)
        class Wrong:
            subject: Ref


def test_events_of_a_subject_leave_in_their_order(server, broker, ring):
    for times in range(6):
        for thing in "abc":
            ring(thing, times)
    assert carry_all() == 18
    sent = data_of(server.stored())
    assert len(sent) == 18
    for thing in "abc":
        assert [times for subject, times in sent if subject == f"bell:{thing}"] == list(range(6))


def test_what_is_sent_twice_is_stored_once(server, broker, ring):
    ring("a", 1)
    carry_all()
    Delivery.objects.filter(lane="nats").update(done_at=None)
    assert carry_all() == 1
    assert data_of(server.stored()) == [("bell:a", 1)]


def test_while_the_server_is_away_nothing_is_lost_and_nothing_counts_as_a_failure(server, broker, ring):
    ring("a", 0)
    carry_all()
    server.kill()
    for times in (1, 2):
        ring("a", times)
    ring("b", 1)
    for _ in range(3):
        with pytest.raises(CourierAway, match="连接不上|没有"):
            worker.carry_due(events.all_couriers()["nats"])
    owed = Delivery.objects.filter(lane="nats", done_at=None)
    assert owed.count() == 3
    assert not owed.filter(attempts__gt=0).exists() and not owed.exclude(lease_until=None).exists()
    (finding,) = [one for one in doctor._neighbours() if one.level == doctor.BAD]
    assert "连接不上" in finding.detail and finding.todo
    server.start()
    assert carry_all() == 3
    sent = data_of(server.stored())
    assert sorted(sent) == [("bell:a", 0), ("bell:a", 1), ("bell:a", 2), ("bell:b", 1)]
    assert [times for subject, times in sent if subject == "bell:a"] == [0, 1, 2]


def test_an_event_that_the_server_refuses_is_tried_again_later_and_holds_up_only_its_subject(
    server, broker, ring, monkeypatch
):
    from liangzhu.adapters.nats import broker as module

    whole = module.pack_event
    monkeypatch.setattr(
        module,
        "pack_event",
        lambda row, source: whole(row, source) + b" " * (2**20 * (row.subject == "bell:a")),
    )
    ring("a", 1)
    ring("a", 2)
    ring("b", 1)
    carry_all()
    assert data_of(server.stored()) == [("bell:b", 1)]
    failed = Delivery.objects.get(attempts=1, done_at=None)
    assert "MaxPayload" in failed.words
    monkeypatch.undo()


def test_a_stream_that_somebody_removed_is_made_again(server, broker, ring):
    ring("a", 1)
    carry_all()
    server.ask(lambda js: js.delete_stream("LIANGZHU"))
    ring("a", 2)
    with pytest.raises(CourierAway):
        worker.carry_due(events.all_couriers()["nats"])
    carry_all()
    # What was under way when the stream went may come again; what is owed comes in any case.
    assert data_of(server.stored())[-1:] == [("bell:a", 2)]


def test_what_is_owed_to_a_broker_that_was_switched_off_waits_and_is_said(server, broker, ring, monkeypatch):
    ring("a", 1)
    monkeypatch.setattr(events, "_couriers", {})
    worker.drain()
    assert outbox.outbox_state().unattended == 1
    found = {finding.name: finding for finding in doctor._worker()}["投递"]
    assert found.level == doctor.WARN and "LIANGZHU_NATS" in found.todo


@pytest.mark.django_db(transaction=True)
def test_the_worker_carries_by_itself_and_goes_on_after_the_server_was_away(server, broker, ring):
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(stop,))
    thread.start()
    try:
        ring("a", 1)
        assert until(lambda: not Delivery.objects.filter(done_at=None).exists())
        server.kill()
        ring("a", 2)
        ring("b", 1)
        time.sleep(0.5)
        assert Delivery.objects.filter(done_at=None).count() == 2
        server.start()
        assert until(lambda: not Delivery.objects.filter(done_at=None).exists())
    finally:
        stop.set()
        thread.join(20)
    assert sorted(data_of(server.stored())) == [("bell:a", 1), ("bell:a", 2), ("bell:b", 1)]


def until(true, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


# Coming in ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def notice(registries):
    """An event that messages of the type cn.city.notice become; its handler notes what it hears."""

    @events.event("kernel.test_notice", accepts="cn.city.notice")
    @dataclass(frozen=True)
    class Notice:
        subject: Ref
        level: int
        text: str | None = None

    heard = []

    @events.handles(Notice)
    def hear(event, delivery):
        heard.append((event.subject.id, event.level))

    return heard


def message(ident: str, level: object = 1, subject: str = "thing:1", **attributes) -> bytes:
    body = {
        "specversion": "1.0",
        "id": ident,
        "source": "urn:city",
        "type": "cn.city.notice",
        "subject": subject,
        "datacontenttype": "application/json",
        "data": {"level": level},
    }
    return json.dumps({k: v for k, v in (body | attributes).items() if v is not None}).encode()


@pytest.fixture
def city(server):
    """``city(bytes, …)``: the city publishes."""

    async def make(js):
        await js.add_stream(name="CITY", subjects=["city.>"])

    server.ask(make)

    def send(*bodies: bytes) -> None:
        async def go(js):
            for body in bodies:
                await js.publish("city.notice", body)

        server.ask(go)

    return send


def test_a_message_becomes_an_event_once_however_often_it_comes(broker, city, notice):
    city(message("m1", 1), message("m2", 2), message("m1", 1))
    assert broker.take_some() == 3
    city(message("m1", 1))
    broker.take_some()
    worker.drain()
    assert notice == [("1", 1), ("1", 2)]
    assert Received.objects.count() == 2
    assert LogLeaf.objects.filter(action="kernel.take_in").count() == 2
    assert OutboxEvent.objects.filter(actor=str(inbox.OUTSIDE.ref)).count() == 2


def test_what_was_not_kept_comes_again_after_a_restart_in_its_order(
    server, broker, city, notice, monkeypatch
):
    city(*(message(f"m{n}", n) for n in range(4)))
    monkeypatch.setattr("liangzhu.adapters.nats.broker.KEEP_SECONDS", 1)
    keep, failures = broker._keep, iter([None, RuntimeError("the database is away")])

    def failing(one):
        if error := next(failures, None):
            raise error
        keep(one)

    monkeypatch.setattr(broker, "_keep", failing)
    with pytest.raises(RuntimeError):
        broker.take_some()
    server.kill()
    with pytest.raises(CourierAway):
        broker.take_some()
    server.start()
    city(message("m4", 4))
    assert until(lambda: _took(broker) and Received.objects.count() == 5)
    worker.drain()
    assert notice == [("1", n) for n in range(5)]


def _took(broker) -> bool:
    try:
        broker.take_some(0.3)
    except CourierAway:
        return False
    return True


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (message("m1", "high"), "level"),
        (message("m1", True), "level"),
        (message("m1", data={}), "缺少 level"),
        (message("m1", data=[1]), "JSON 对象"),
        (message("m1", subject="nothing"), "类型:编号"),
        (message("m1", subject=None), "类型:编号"),
        (message("m1", source="x" * 300), "200"),
        (message("m1", id=None), "CloudEvents"),
        (message("m1", specversion="9"), "CloudEvents"),
        (b"\xff\x00", "CloudEvents"),
        (b"[]", "CloudEvents"),
        (b"null", "CloudEvents"),
    ],
)
def test_a_message_that_cannot_be_read_is_kept_with_the_reason_and_holds_up_nobody(
    broker, city, notice, body, says
):
    city(body, message("good", 5))
    assert broker.take_some() == 2
    worker.drain()
    assert notice == [("1", 5)]
    assert says in Received.objects.get(event=None).refused
    found = {finding.name: finding for finding in doctor._worker()}["来件"]
    assert found.level == doctor.WARN and says in found.detail


def test_types_that_nobody_registered_and_our_own_events_are_passed_over(broker, city, notice):
    city(message("m1", type="cn.city.other"), message("m2", source=broker.source))
    assert broker.take_some() == 2
    assert not Received.objects.exists()


def test_doctor_says_how_the_broker_stands(server, broker, city, notice, ring):
    ring("a", 1)
    carry_all()
    city(message("m1"))
    words = [finding.detail for finding in doctor._neighbours()]
    assert any("流 LIANGZHU 有 1 条" in each for each in words)
    assert any("还没有从流 CITY 收过件" in each for each in words)
    broker.take_some()
    assert any("0 条待收" in finding.detail for finding in doctor._neighbours())


def test_a_stream_that_does_not_take_our_subjects_is_found(server, broker):
    server.ask(lambda js: js.add_stream(name="LIANGZHU", subjects=["other.>"]))
    levels = [found.level for found in doctor._neighbours() if "liangzhu.>" in found.detail]
    assert levels == [doctor.BAD]


def test_the_password_of_the_address_is_never_shown(registries):
    one = Broker("nats://user:secret@127.0.0.1:9", prefix="p", stream="S", region="0")
    (report,) = one.check_config()
    assert "secret" not in report.detail and "127.0.0.1:9" in report.detail
