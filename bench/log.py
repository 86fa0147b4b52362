"""The log: leaves written and sequenced a second, whether it holds writers up, how long a proof takes at ten million.

Sequenced leaves stand beside bare inserts of the same rows (the limit). The tree of ten million leaves is made from random
hashes, level by level, and stored as tiles: a proof reads hashes only, so that leaves themselves would change nothing.
"""

import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import threading
import time

from bench._house import home
from bench._report import Row, options, show

WRITERS = 16


def main() -> None:
    """Every part in a process of its own, because Django reads its settings once; then the table."""
    if part := os.environ.get("BENCH_PART"):
        print(json.dumps(PARTS[part](bool(os.environ["BENCH_QUICK"]))))
        return
    arguments = options(__doc__)
    sqlite, postgresql, proofs = (_part(name, arguments.quick) for name in PARTS)
    leaves = proofs["leaves"]
    if arguments.quick:
        print(f"--quick：证明的树只有 {leaves:,} 条，不带 --quick 时是一千万条。")
    rows = []
    for title, one in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        rows += [
            Row(
                f"{title}：写一条日志（单独一个事务）",
                one["written"],
                "同样两行直接 INSERT",
                one["written"] / one["bare_written"],
            ),
            Row(
                f"{title}：编号入树",
                one["sequenced"],
                "同样的行成批 INSERT（极限）",
                one["sequenced"] / one["bare"],
            ),
            Row(f"{title}：全部重算核验", one["verified"]),
        ]
    rows += [
        Row(f"PostgreSQL：{WRITERS} 个进程写日志，没有人编号", postgresql["alone"]),
        Row(
            f"PostgreSQL：{WRITERS} 个进程写日志，同时编号",
            postgresql["beside"],
            "没有人编号时",
            postgresql["beside"] / postgresql["alone"],
            f"编号跟到 {postgresql['kept_up']:.0%}；1 个进程 {postgresql['one']:,.0f}/s",
        ),
        Row(
            f"存在证明，{leaves:,} 条的树",
            1000 / proofs["inclusion"],
            note=f"{proofs['inclusion']:.2f} ms，读 {proofs['tiles']} 块",
        ),
        Row(
            f"一致性证明，{leaves:,} 条的树",
            1000 / proofs["consistency"],
            note=f"{proofs['consistency']:.2f} ms",
        ),
    ]
    show(
        "日志（每秒）",
        rows,
        arguments,
        sequenced_per_second=postgresql["sequenced"],
        writers_ratio=postgresql["beside"] / postgresql["alone"],
        proof_ms=proofs["inclusion"],
    )


def _part(name: str, quick: bool) -> dict:
    environment = os.environ | {"BENCH_PART": name, "BENCH_QUICK": "1" if quick else ""}
    done = subprocess.run(
        [sys.executable, "-m", "bench.log"], env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"bench.log：{name} 这一部分失败，见上面的输出。")
    return json.loads(done.stdout.splitlines()[-1])


def _found() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _write_one(n: int) -> None:
    from django.db import transaction

    from liangzhu.kernel import log
    from liangzhu.kernel.actors import SYSTEM
    from liangzhu.kernel.refs import Ref

    with transaction.atomic():
        log.write_leaf(SYSTEM, "bench.did", Ref("matter", str(n)), {"state": "accepted", "version": n})


def _timed(run, count: int) -> float:
    start = time.perf_counter()
    run()
    return count / (time.perf_counter() - start)


def single(quick: bool) -> dict:
    """On the database of this process: leaves written, sequenced and verified a second, and bare inserts of their rows."""
    from django.db import connection, transaction

    from liangzhu.kernel import log
    from liangzhu.kernel.log.verifying import verify
    from liangzhu.kernel.models import LogDetail, LogHead, LogLeaf

    few, many = (500, 5_000) if quick else (5000, 100_000)
    figures = {"written": _timed(lambda: [_write_one(n) for n in range(few)], few)}
    leaf = list(
        LogLeaf.objects.values_list(
            "at", "recorded_at", "action", "actor", "on_behalf", "subject", "request_id", "commitment"
        ).first()
    )
    columns = '"at", "recorded_at", "action", "actor", "on_behalf", "subject", "request_id", "commitment"'
    insert = f'INSERT INTO "kernel_logleaf" ({columns}) VALUES ({", ".join(["%s"] * 8)})'
    fields = [field for field in LogDetail._meta.local_concrete_fields if field.column != "leaf_id"]
    detail = [
        field.get_db_prep_save(getattr(LogDetail.objects.first(), field.attname), connection)
        for field in fields
    ]
    names = ", ".join(f'"{field.column}"' for field in fields)
    second = f'INSERT INTO "kernel_logdetail" ("leaf_id", {names}) VALUES ({", ".join(["%s"] * (len(fields) + 1))})'

    def bare_one() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(insert + ' RETURNING "id"', leaf)
            cursor.execute(second, [cursor.fetchone()[0], *detail])

    figures["bare_written"] = _timed(lambda: [bare_one() for _ in range(few)], few)
    log.sequence_now()

    def bare_many() -> None:
        with connection.cursor() as cursor:
            for start in range(0, many, 2000):
                with transaction.atomic():
                    cursor.executemany(insert, [leaf] * min(2000, many - start))

    figures["bare"] = _timed(bare_many, many)
    figures["sequenced"] = _timed(log.sequence_now, many)
    figures["verified"] = _timed(lambda: _must_hold(verify()), LogHead.objects.latest("size").size)
    return figures


def _must_hold(report) -> None:
    if not report.ok:
        raise SystemExit(f"日志核验不通过：{report.findings[:3]}")


def sqlite(quick: bool) -> dict:
    """On SQLite."""
    with home():
        _found()
        return single(quick)


def postgresql(quick: bool) -> dict:
    """On PostgreSQL, and with many writers."""
    with home("postgresql"):
        _found()
        figures = single(quick)
        seconds = 2.0 if quick else 10.0
        # Twice each, the first round warms up and is not counted.
        _write_together(2, seconds / 3, sequencing=True)
        figures["one"], _ = _write_together(1, seconds, sequencing=False)
        figures["alone"], _ = _write_together(WRITERS, seconds, sequencing=False)
        figures["beside"], figures["kept_up"] = _write_together(WRITERS, seconds, sequencing=True)
        return figures


def _write_together(count: int, seconds: float, *, sequencing: bool) -> tuple[float, float]:
    """Leaves written a second by so many processes, and which share of them had a number when the writers ended."""
    from django.db import connections

    from liangzhu.kernel import log
    from liangzhu.kernel.models import LogLeaf

    log.sequence_now()
    connections.close_all()
    forking = multiprocessing.get_context("fork")
    begin, counts = forking.Event(), forking.Queue()

    def write() -> None:
        _write_one(0)
        begin.wait()
        end, n = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            _write_one(n)
            n += 1
        counts.put(n)

    def sequence() -> None:
        from liangzhu.kernel.log import sequencer

        sequencer.run(threading.Event())

    writers = [forking.Process(target=write, daemon=True) for _ in range(count)]
    sequencer = forking.Process(target=sequence, daemon=True)
    for process in writers:
        process.start()
    if sequencing:
        sequencer.start()
    time.sleep(0.5)
    begin.set()
    total = sum(counts.get() for _ in writers)
    waiting = LogLeaf.objects.filter(number=None).count()
    for process in writers:
        process.join()
    if sequencing:
        sequencer.terminate()
        sequencer.join()
    return total / seconds, 1 - min(waiting / total, 1)


def proofs(quick: bool) -> dict:
    """Proofs in a large tree: median milliseconds and tiles read."""
    with home():
        _found()
        from liangzhu.kernel import log
        from liangzhu.kernel.log import heads, store, tree
        from liangzhu.kernel.now import now

        size = 300_000 if quick else 10_000_000
        step = 64 * tree.WIDTH
        old = size // 3
        for start in range(0, size, step):
            part = os.urandom(min(step, size - start) * tree.HASH)
            hashes = [part[at : at + tree.HASH] for at in range(0, len(part), tree.HASH)]
            store.write_tiles(tree.extend(start, store.read_tiles(tree.edge(start)), hashes))
        for at in (old, size):
            spans = tree.tiles_of([(0, at)])
            heads.make_head(at, tree.root(at, store.read_tiles(spans)), now()).save(force_insert=True)
        dice = random.Random(1)
        numbers = [dice.randrange(size) for _ in range(300)]
        inclusion = [_milliseconds(lambda n=number: log.inclusion_proof(n)) for number in numbers]
        consistency = [_milliseconds(lambda: log.consistency_proof(old, size)) for _ in range(100)]
        return {
            "leaves": size,
            "inclusion": statistics.median(inclusion),
            "consistency": statistics.median(consistency),
            "tiles": max(len(tree.tiles_of(tree.inclusion(number, size))) for number in numbers),
        }


def _milliseconds(run) -> float:
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


PARTS = {"sqlite": sqlite, "postgresql": postgresql, "proofs": proofs}

if __name__ == "__main__":
    main()
