"""The log under several processes: writers that never wait, two sequencers, and kill -9 at any moment."""

import multiprocessing
import os
import random
import threading
import time

import pytest
from django.db import connections, transaction

from liangzhu.kernel import log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.log import heads, sequencer
from liangzhu.kernel.log.verifying import verify
from liangzhu.kernel.models import LogHead, LogLeaf
from liangzhu.kernel.refs import Ref

WRITERS, KILLS = 3, 12
forking = multiprocessing.get_context("fork")


@pytest.fixture
def start(settings, tmp_path):
    """Run a function in a process of its own; whatever still runs at the end is killed."""
    settings.LIANGZHU_HOME = tmp_path
    running = []

    def run(target, *given):
        # A connection belongs to one process.
        connections.close_all()
        process = forking.Process(target=target, args=given, daemon=True)
        process.start()
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.join()


def keep_writing(stop, written) -> None:
    """Three leaves in each transaction; what was committed is counted."""
    n = 0
    while not stop.is_set():
        with transaction.atomic():
            for _ in range(3):
                log.write_leaf(SYSTEM, "test.did", Ref("process", str(os.getpid())), {"n": n})
        n += 1
        time.sleep(0.005)
    written.put(3 * n)


def keep_sequencing() -> None:
    """Small batches, so that many are there to be killed in."""
    sequencer.BATCH, sequencer.BUSY = 20, 0.001
    sequencer.run(threading.Event())


def wait_for_heads(count: int) -> None:
    """Until the sequencers have signed that many."""
    deadline = time.monotonic() + 60
    while LogHead.objects.count() < count:
        assert time.monotonic() < deadline, "nobody sequences"
        time.sleep(0.002)


@pytest.mark.django_db(transaction=True)
def test_writers_two_sequencers_and_kills_leave_no_gap_and_nothing_out(start):
    dice = random.Random(7)
    stop, written = forking.Event(), forking.Queue()
    sequencers = [start(keep_sequencing), start(keep_sequencing)]
    writers = [start(keep_writing, stop, written) for _ in range(WRITERS)]
    for kill in range(KILLS):
        # Once the log has grown, at a random moment, wherever it is in a batch; another takes its place.
        wait_for_heads(LogHead.objects.count() + 1)
        time.sleep(dice.uniform(0, 0.02))
        sequencers[kill % 2].kill()
        sequencers[kill % 2].join()
        sequencers[kill % 2] = start(keep_sequencing)
    assert all(process.is_alive() for process in writers)
    stop.set()
    total = sum(written.get(timeout=60) for _ in writers)
    for process in sequencers:
        process.kill()
        process.join()
    log.sequence_now()
    numbers = list(LogLeaf.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(total))
    heads.append_missing()
    report = verify()
    assert report.findings == [] and report.leaves == total and report.file_heads == LogHead.objects.count()
    # What one process did stands in the order in which it was done.
    for subject in LogLeaf.objects.values_list("subject", flat=True).distinct():
        own = list(LogLeaf.objects.filter(subject=subject).order_by("number").values_list("id", flat=True))
        assert own == sorted(own)
