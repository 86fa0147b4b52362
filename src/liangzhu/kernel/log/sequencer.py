"""The sequencer (定序): numbers committed leaves without gaps, extends the tree, signs its head.

Writers never wait for it: they insert leaves without a number. Whatever is committed and has no number is taken up, in
the order of the ids; on PostgreSQL ids commit out of order, so that a lower id may get a higher number, and none is
skipped. A batch is one transaction, and only one process is in it: a kill at any moment leaves the last head as it was.
"""

import logging
import threading
import time
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - a head says when it was really signed

from liangzhu.kernel.errors import Problem
from liangzhu.kernel.log import heads, tree
from liangzhu.kernel.log.leaves import LEAF_FIELDS, leaf_text
from liangzhu.kernel.log.store import read_tiles, write_tiles
from liangzhu.kernel.models import LogHead, LogLeaf

logger = logging.getLogger("liangzhu.log")

BATCH = 2000
"""Leaves in one transaction at most: on SQLite writers wait that long."""
BUSY, IDLE, FAILED = 0.02, 0.5, 5.0
"""Seconds from one batch to the next: while leaves come, when none come, and after a failure."""
LOCK = 0x6C6F6721
"""PostgreSQL's advisory lock of the one sequencer."""


class NotSequenced(Problem):
    """A leaf did not come into the tree in time."""

    code, title, status = "not_sequenced", "日志还没有入树", 503


def _alone(wait: bool) -> bool:
    """Be the only sequencer until the transaction ends. On SQLite whoever writes is alone (BEGIN IMMEDIATE)."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def _number(ids: list[int], first: int) -> None:
    """Give the leaves their numbers, in this order."""
    numbers = list(range(first, first + len(ids)))
    table = connection.ops.quote_name(LogLeaf._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} AS leaf SET number = given.number"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, number)"
                " WHERE leaf.id = given.id AND leaf.number IS NULL",
                [ids, numbers],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET number = %s WHERE id = %s AND number IS NULL",
                list(zip(numbers, ids, strict=True)),
            )
        if cursor.rowcount != len(ids):
            raise tree.TreeDamaged(f"{len(ids)} leaves were to be numbered, {cursor.rowcount} were")


def _batch(*, wait: bool) -> int:
    """Take up what is committed and has no number; returns how many leaves, 0 also when another process is at it."""
    with transaction.atomic():
        if not _alone(wait):
            return 0
        waiting = LogLeaf.objects.filter(number=None).order_by("id")
        leaves = list(waiting.values_list("id", *LEAF_FIELDS, named=True)[:BATCH])
        if not leaves:
            return 0
        before = heads.latest_head()
        size = before.size if before else 0
        edge = read_tiles(tree.edge(size))
        if before and tree.root(size, edge).hex() != before.root:
            raise tree.TreeDamaged(f"the tiles do not give the root of head {size}")
        changed = tree.extend(size, edge, [tree.leaf_hash(leaf_text(leaf).encode()) for leaf in leaves])
        _number([leaf.id for leaf in leaves], size)
        write_tiles(changed)
        grown = size + len(leaves)
        moment = max(machine_now(), before.at) if before else machine_now()
        heads.make_head(grown, tree.root(grown, edge | changed), moment).save(force_insert=True)
        transaction.on_commit(_to_file)
    return len(leaves)


def _to_file() -> None:
    """Append to the heads file. What fails here is appended with the next head, and seen by `liangzhu doctor`."""
    try:
        heads.append_missing()
    except OSError:
        logger.exception("the heads file could not be written: %s", heads.heads_file())


def sequence_now() -> int:
    """Number everything that is committed, waiting for another sequencer if need be; returns how many leaves were.

    For the command line, loaders and tests; the worker runs `run`. Raises TreeDamaged when the kept tree is not that of
    the last head: nothing may be signed on top of it, see ``liangzhu log verify``.
    """
    total = 0
    while done := _batch(wait=True):
        total += done
    return total


def run(stop: threading.Event) -> None:
    """Sequence until told to stop. Run by every worker; whoever comes first does the batch."""
    pause = BUSY
    while not stop.is_set():
        began = time.monotonic()
        try:
            # The look outside a transaction keeps an idle sequencer from taking SQLite's write lock.
            done = _batch(wait=False) if LogLeaf.objects.filter(number=None).exists() else 0
            pause = BUSY if done else min(pause * 1.5, IDLE)
        except Exception:
            # The leaves are committed and will be taken up; a damaged tree must be looked at (liangzhu doctor).
            logger.exception("the log could not be sequenced")
            connection.close()
            done, pause = 0, FAILED
        if done < BATCH:
            stop.wait(max(0.0, began + pause - time.monotonic()))
    connection.close()


def wait_for(leaf: LogLeaf, timeout: float = 5.0) -> LogHead:
    """The first head whose tree holds the leaf; waits for it, at most ``timeout`` seconds.

    Call it after the transaction that wrote the leaf. If no worker takes the leaf up soon, the caller does the batch, for
    all who wait. Raises NotSequenced.
    """
    if connection.in_atomic_block:
        raise RuntimeError("nobody can number a leaf before its transaction ends: call wait_for after it")
    deadline, patience = time.monotonic() + timeout, time.monotonic() + 2 * BUSY
    while True:
        number = LogLeaf.objects.filter(pk=leaf.pk).values_list("number", flat=True).get()
        if number is not None:
            leaf.number = number
            return LogHead.objects.filter(size__gt=number).earliest("size")
        if time.monotonic() > deadline:
            raise NotSequenced(
                "操作已经完成并记入日志，但还没有编入日志树。",
                todo="请稍后再取证明；仍没有时请管理员运行 liangzhu doctor。",
            )
        if time.monotonic() > patience:
            try:
                _batch(wait=False)
            except (DatabaseError, tree.TreeDamaged):
                logger.exception("the log could not be sequenced")
        time.sleep(BUSY / 4)


def waiting_since() -> datetime | None:
    """Since when the oldest leaf without a number waits (the machine's clock), or None."""
    first = LogLeaf.objects.filter(number=None).order_by("id").first()
    return first.recorded_at if first else None
