"""The client of NATS JetStream: publishes what the outbox owes it, and takes in what others publish.

NATS speaks asyncio and the outbox speaks threads: the client runs a loop of its own in one thread, and others call it.
A lost connection is closed and made anew by the next call; the outbox keeps what is owed meanwhile.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from urllib.parse import urlsplit

import nats
from nats.errors import ConnectionClosedError, Error, MaxPayloadError, NoServersError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, Header, StreamConfig
from nats.js.errors import APIError, NotFoundError

from liangzhu.adapters.nats.envelope import CONTENT_TYPE, NotACloudEvent, event_id, pack_event, unpack
from liangzhu.kernel.events import Courier, CourierAway, courier
from liangzhu.kernel.inbox import Message, accepted, refuse, take_in
from liangzhu.kernel.models import OutboxEvent
from liangzhu.kernel.neighbours import Neighbour, Report, neighbour
from liangzhu.kernel.worker import companion

logger = logging.getLogger("liangzhu.nats")

KEY = "nats"
CONNECT_SECONDS = 2
ACK_SECONDS = 3
"""A whole batch is in flight at once, so this bounds the batch; it stays below half a lease."""

DUPLICATE_SECONDS = 3600
"""How long the server remembers message ids: an event sent again within it is stored once."""

KEEP_SECONDS = 30
"""A message that was not acknowledged by then, because whoever took it is gone, comes again."""

SHORT_WAIT = 0.05

MOST = 200
"""Messages taken in before one looks again whether to stop."""


class Broker:
    """One JetStream server: where our events go, and the stream that messages are taken from."""

    def __init__(self, address: str, *, prefix: str, stream: str, region: str, incoming: str = ""):
        self.address, self.prefix, self.stream, self.incoming = address, prefix, stream, incoming
        self.source = f"urn:liangzhu:{region}"
        self.durable = f"liangzhu-{region}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self._client: nats.NATS | None = None
        self._js: JetStreamContext | None = None
        self._waiting: JetStreamContext.PullSubscription | None = None

    def register(self) -> None:
        """Let the outbox owe every event to this server, the worker listen to it, and `doctor` ask about it."""
        courier(Courier(KEY, "消息服务 NATS", self.carry))
        neighbour(Neighbour(KEY, "消息服务", self.check_config))
        if self.incoming:
            companion("nats listener", self.listen)

    @property
    def shown(self) -> str:
        """The addresses without user and password."""
        parts = [urlsplit(one if "://" in one else f"nats://{one}") for one in self.address.split(",")]
        return ",".join(f"{one.hostname}:{one.port or 4222}" for one in parts)

    # The loop and the connection

    def _call(self, work: Coroutine, seconds: float):
        """Run ``work`` in the loop's thread and wait for it. Raises CourierAway when the server is not there."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
                self._thread.start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except FutureTimeout:
            future.cancel()
            raise CourierAway(f"{self.shown} 没有回答") from None
        except (NoServersError, ConnectionClosedError, NatsTimeout, OSError) as error:
            raise CourierAway(f"{self.shown} 连接不上：{error or type(error).__name__}") from error
        except Error as error:
            raise CourierAway(f"{self.shown} 拒绝：{error or type(error).__name__}") from error

    async def _connected(self) -> JetStreamContext:
        if self._client is None or not self._client.is_connected:
            await self._drop()
            client = nats.NATS()
            await client.connect(
                self.address.split(","),
                name=self.durable,
                # Who calls again decides when, so that nothing waits here while the server is away.
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0.1,
                connect_timeout=CONNECT_SECONDS,
                error_cb=_say,
            )
            js = client.jetstream(timeout=ACK_SECONDS)
            try:
                await self._make_stream(js)
            except Exception:
                await client.close()
                raise
            self._client, self._js = client, js
        return self._js

    async def _make_stream(self, js: JetStreamContext) -> None:
        """The stream, if nobody made it: whoever runs the server may have made it with limits of their own."""
        try:
            await js.stream_info(self.stream)
        except NotFoundError:
            await js.add_stream(
                StreamConfig(
                    name=self.stream, subjects=[f"{self.prefix}.>"], duplicate_window=DUPLICATE_SECONDS
                )
            )

    async def _drop(self) -> None:
        client, self._client, self._js, self._waiting = self._client, None, None, None
        if client is not None and not client.is_closed:
            await client.close()

    def close(self) -> None:
        """End the connection and the loop."""
        loop = self._loop
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(CONNECT_SECONDS + ACK_SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(ACK_SECONDS)
            loop.close()
            self._loop = None

    async def _end(self) -> None:
        await self._drop()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    # Going out

    def carry(self, rows: list[OutboxEvent]) -> list[Exception | None]:
        """Publish events, all in flight at once, and wait for every acknowledgement. Raises CourierAway."""
        return self._call(self._carry(rows), CONNECT_SECONDS + ACK_SECONDS)

    async def _carry(self, rows: list[OutboxEvent]) -> list[Exception | None]:
        js = await self._connected()
        sent = [
            js.publish(
                f"{self.prefix}.{row.name}",
                pack_event(row, self.source),
                stream=self.stream,
                timeout=ACK_SECONDS,
                headers={Header.MSG_ID: event_id(row), "Content-Type": CONTENT_TYPE},
            )
            for row in rows
        ]
        outcomes = [self._outcome(one) for one in await asyncio.gather(*sent, return_exceptions=True)]
        if any(isinstance(one, CourierAway) for one in outcomes):
            # A stream that is gone is made again by the next connection.
            await self._drop()
        return outcomes

    def _outcome(self, answer: object) -> Exception | None:
        """None when it is stored; what this one event is refused for; CourierAway for what is no event's fault."""
        if not isinstance(answer, BaseException):
            return None
        refused = isinstance(answer, MaxPayloadError) or (
            isinstance(answer, APIError) and answer.code is not None and 400 <= answer.code < 500
        )
        if refused and not isinstance(answer, NotFoundError):
            return answer
        if isinstance(answer, Error | OSError):
            return CourierAway(f"{self.shown} 没有确认：{answer or type(answer).__name__}")
        return answer if isinstance(answer, Exception) else RuntimeError(repr(answer))

    # Coming in

    def listen(self, stop: threading.Event) -> None:
        """Take in what the stream holds, until told to stop. A message is acknowledged when it is kept."""
        away = 0
        while not stop.is_set():
            try:
                self.take_some()
                away = 0
            except CourierAway as error:
                away += 1
                if away == 1:
                    logger.warning("incoming: %s", error)
                stop.wait(min(2 ** (away - 1), 30))

    def take_some(self, wait: float = 1.0) -> int:
        """Take in what waits, one after the other; returns how many came, after ``wait`` seconds without one.

        Raises CourierAway, and what the database raises: then the message comes again before any later one.
        """
        taken = 0
        while taken < MOST:
            message = self._call(self._fetch(wait), CONNECT_SECONDS + ACK_SECONDS + wait)
            if message is None:
                break
            try:
                self._keep(message)
            except Exception:
                self._call(message.nak(), ACK_SECONDS)
                raise
            self._call(message.ack(), ACK_SECONDS)
            taken += 1
            wait = min(wait, SHORT_WAIT)
        return taken

    def _keep(self, message) -> None:
        try:
            found = unpack(message.data)
        except NotACloudEvent as why:
            where = f"nats:{self.incoming}"
            refuse(Message(where, f"seq:{message.metadata.sequence.stream}", "", "", None), str(why))
            return
        if found.source != self.source:
            take_in(found)

    async def _fetch(self, wait: float):
        """The next message, or None. Only one is under way at a time: that keeps their order, also when one is sent again."""
        js = await self._connected()
        if self._waiting is None:
            try:
                await js.consumer_info(self.incoming, self.durable)
            except NotFoundError:
                await js.add_consumer(
                    self.incoming,
                    ConsumerConfig(
                        durable_name=self.durable,
                        ack_policy=AckPolicy.EXPLICIT,
                        ack_wait=KEEP_SECONDS,
                        max_ack_pending=1,
                    ),
                )
            self._waiting = await js.pull_subscribe_bind(self.durable, stream=self.incoming)
        try:
            return (await self._waiting.fetch(1, timeout=wait))[0]
        except NatsTimeout:
            if not self._client.is_connected:
                raise
            return None

    # Looking at it

    def check_config(self) -> Iterator[Report]:
        """Whether the server answers, keeps our events, and what of the incoming stream waits."""
        try:
            yield from self._call(self._look(), CONNECT_SECONDS + 2 * ACK_SECONDS)
        except CourierAway as error:
            yield Report(
                "bad", f"{error}。事件留在发件箱里，恢复后补发。", "请检查 LIANGZHU_NATS 和消息服务。"
            )
        except Error as error:
            yield Report("bad", f"{self.shown} 拒绝：{error}", "请检查账号权限，以及是否启用了 JetStream。")

    async def _look(self) -> list[Report]:
        js = await self._connected()
        info = await js.stream_info(self.stream)
        version = self._client.connected_server_version
        found = [
            Report(
                "good",
                f"{self.shown}，NATS {version}，流 {self.stream} 有 {info.state.messages} 条，"
                f"{info.state.bytes / 1024 / 1024:.1f} MB。",
            )
        ]
        wanted = f"{self.prefix}.>"
        if wanted not in (info.config.subjects or []):
            found = [
                Report(
                    "bad",
                    f"流 {self.stream} 不收 {wanted}，事件发不进去。",
                    f"请给这个流加上主题 {wanted}，或改 LIANGZHU_NATS_STREAM。",
                )
            ]
        if not self.incoming:
            return found
        if not accepted():
            found.append(Report("warn", f"从流 {self.incoming} 收件，但没有程序登记要收的类型。"))
        try:
            state = await js.consumer_info(self.incoming, self.durable)
            found.append(Report("good", f"从流 {self.incoming} 收件，{state.num_pending} 条待收。"))
        except NotFoundError:
            try:
                await js.stream_info(self.incoming)
                found.append(
                    Report("warn", f"还没有从流 {self.incoming} 收过件。", "启动后台进程后自动开始。")
                )
            except NotFoundError:
                found.append(
                    Report(
                        "bad",
                        f"没有流 {self.incoming}。",
                        "请核对 LIANGZHU_NATS_INCOMING，或请对方建立这个流。",
                    )
                )
        return found


async def _say(error: Exception) -> None:
    logger.info("nats: %s", error or type(error).__name__)
