"""The inbox as whole pages, signed in, in this process: 10,000, 100,000 and 1,000,000 matters, on both databases.

The lists must stay flat: ``ratio`` is the 95th percentile of the largest over that of the smallest, of all lists
together. It stands beside the lists of 50 of Open Zaak and Signalen, as measured on two cores (bench/README.md), with
SQLite one-row commits as calibration. Times are processor time of client and database. ``--quick``: SQLite only, 10,000 and 100,000.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from bench._house import found, home
from bench._report import Row, options, show
from bench.step import calibration

OPEN_ZAAK, SIGNALEN = 12, 6
"""Lists of 50 a second that were measured on a machine of this kind, four clients."""

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (10_000, 100_000)
UNITS, OPEN_SHARE, BATCH, FIRST = 40, 0.3, 2_000, 10_000

SUBJECTS = [
    "噪声扰民",
    "占道经营",
    "路灯不亮",
    "油烟污染",
    "井盖缺失",
    "违章搭建",
    "停水通知",
    "充电桩安装",
    "营业执照变更",
    "诊所备案",
]
PLACES = [
    "中山路",
    "长平路",
    "韩江路",
    "金砂路",
    "珠江路",
    "华山路",
    "嵩山路",
    "黄山路",
    "衡山路",
    "泰山路",
    "天山路",
    "庐山路",
]
WORDS = ["反映", "咨询", "申请办理", "投诉", "建议整治", "要求核查"]

PAGES = {
    "我的": "?scope=mine",
    "本单位": "?scope=unit",
    "协办": "?scope=helping",
    "全部可见": "?scope=all",
    "临期": "?scope=unit&light=near",
    "超法定": "?scope=all&light=law",
    "一类": "?scope=all&kind=bench_round",
    "含词": "?scope=unit&q=噪声",
    "已办结": "?scope=unit&closed=1",
    "全部已办结": "?scope=all&closed=1",
}
SEARCHES = {
    "查常见词": "噪声扰民",
    "查一个字": "路",
    "查两个词": "井盖 中山路",
    "查不到": "核聚变装置",
    "查编号里的词": "B000777",
}


def main() -> None:
    """Each database in a process of its own, because Django reads its settings once; then the table."""
    if database := os.environ.get("BENCH_DATABASE"):
        print(
            json.dumps(
                measure(database, json.loads(os.environ["BENCH_SIZES"]), int(os.environ["BENCH_SHOTS"]))
            )
        )
        return
    arguments = options(__doc__)
    sizes, databases = (QUICK_SIZES, ["sqlite"]) if arguments.quick else (SIZES, ["sqlite", "postgresql"])
    rows, ratios, slowest, commits = [], {}, 0.0, 0.0
    for database in databases:
        result = _part(database, sizes, 12 if arguments.quick else 40)
        commits = result.get("calibration") or commits
        for name, times in result["pages"].items():
            first, last = times[str(sizes[0])], times[str(sizes[-1])]
            slowest = max(slowest, last["p95"])
            spread = "，".join(
                f"{int(size):,} 件 {t['p50']:.0f}/{t['p95']:.0f} ms" for size, t in times.items()
            )
            rows.append(
                Row(
                    f"{database}：{name}",
                    1000 / last["p50"],
                    f"Open Zaak（{OPEN_ZAAK}/s）",
                    1000 / last["p50"] / OPEN_ZAAK,
                    f"p50/p95：{spread}；×{last['p95'] / first['p95']:.2f}",
                )
            )
        totals = {size: result["all"][str(size)]["p95"] for size in (sizes[0], sizes[-1])}
        ratios[f"ratio_{database}"] = totals[sizes[-1]] / totals[sizes[0]]
        ratios |= {f"nothing_found_ms_{database}": result["nothing_found_ms"]}
        ratios |= {f"generated_per_s_{database}": result["generated_per_s"]}
    title = f"收件箱整页，单核（Signalen 列表 {SIGNALEN}/s）"
    if arguments.quick:
        title += "；快速：只测 SQLite，到 100,000 件"
    worst = max(value for name, value in ratios.items() if name.startswith("ratio_"))
    show(title, rows, arguments, ratio=worst, slowest_p95_ms=slowest, calibration_commits=commits, **ratios)


def _part(database: str, sizes: tuple[int, ...], shots: int) -> dict:
    environment = os.environ | {
        "BENCH_DATABASE": database,
        "BENCH_SIZES": json.dumps(sizes),
        "BENCH_SHOTS": str(shots),
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.inbox"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=3600,
    )
    if done.returncode:
        raise SystemExit(f"bench.inbox：{database} 这一部分失败，见上面的输出。")
    return json.loads(done.stdout.splitlines()[-1])


def measure(database: str, sizes: list[int], shots: int) -> dict:
    """Grow an installation from size to size, and time every page at each."""
    with home(database) as folder:
        officer, _ = found(1)
        client = _signed_in(officer)
        district = _District(officer)
        result: dict = {"pages": {}, "all": {}, "generated_per_s": 0.0}
        if database == "sqlite":
            result["calibration"] = calibration(Path(folder))
        for size in sizes:
            began, before = time.perf_counter(), district.count
            district.grow(size)
            result["generated_per_s"] = (district.count - before) / (time.perf_counter() - began)
            _analyse()
            everything: list[float] = []
            addresses = {name: f"/work/{query}" for name, query in PAGES.items()}
            addresses |= {name: f"/work/search/?q={text}" for name, text in SEARCHES.items()}
            for name, address in addresses.items():
                times = _times(client, address, shots)
                everything += times
                result["pages"].setdefault(name, {})[str(size)] = _percentiles(times)
            result["all"][str(size)] = _percentiles(everything)
        result["nothing_found_ms"] = _index_alone(SEARCHES["查不到"])
        return result


def _signed_in(officer):
    from django.test import Client

    from liangzhu.beams.people.access import api as access

    account = access.Account.objects.create(username="bench", person_id=officer.person_id, demo=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(account, backend="liangzhu.beams.people.access.backends.StaffBackend")
    return client


def _times(client, address: str, shots: int) -> list[float]:
    """Milliseconds of processor time of whole pages, after two that warm up: others on the machine do not count."""
    clock = _clock()
    times = []
    for shot in range(shots + 2):
        began = clock()
        answer = client.get(address)
        if shot >= 2:
            times.append(1000 * (clock() - began))
        if answer.status_code != 200:
            raise SystemExit(f"{address} 返回 {answer.status_code}")
    return times


def _clock():
    """Seconds of processor time of this process; on PostgreSQL with those of the server's process of this connection,
    which does all of it: no query may use helpers.
    """
    from django.db import connection

    backend = Path("/")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
        backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    if not backend.is_file():
        return time.perf_counter if connection.vendor == "postgresql" else time.process_time
    return lambda: time.process_time() + int(backend.read_text().split()[0]) / 1e9


def _percentiles(times: list[float]) -> dict[str, float]:
    return {"p50": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}


def _index_alone(text: str) -> float:
    """Milliseconds of the search index for words that occur nowhere: the median of some askings."""
    from liangzhu.kernel import search

    times = []
    for _ in range(9):
        began = time.perf_counter()
        assert search.find(text, kind="matter") == []
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _analyse() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        # What autovacuum, or `PRAGMA optimize`, does in service.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


class _District:
    """Units, posts and matters in bulk: a third open, some given to somebody, some near, late or helped with."""

    def __init__(self, officer):
        from liangzhu.beams.people.directory.models import Post, PostRole, Unit, UnitSpell
        from liangzhu.beams.work.matters.models import Matter

        self.officer, self.count, self.dice = officer, 1, random.Random(7)
        self.release = Matter.objects.earliest("id").release_id
        self.units = [officer.unit_id]
        self.posts = {officer.unit_id: [officer.post_id]}
        for n in range(1, UNITS):
            unit = Unit.objects.create(key=f"bench{n}", kind=Unit.DEPARTMENT)
            UnitSpell.objects.create(
                unit=unit,
                name=f"示例区第{n}局",
                short_name=f"第{n}局",
                valid_from=date(2020, 1, 1),
                source="测速",
            )
            self.units.append(unit.pk)
            self.posts[unit.pk] = []
        for unit in self.units:
            for m in range(4):
                post = Post.objects.create(key=f"bench{unit}-{m}", unit_id=unit, title="科员")
                PostRole.objects.create(post=post, role="matters.officer")
                self.posts[unit].append(post.pk)

    def grow(self, size: int) -> None:
        """Add matters until there are so many: the first ones one by one, then copies of those in the database."""
        from django.db import transaction

        while self.count < min(size, FIRST):
            with transaction.atomic():
                self._batch(min(BATCH, size - self.count))
        while self.count < size:
            with transaction.atomic():
                self._copy(min(FIRST, size - self.count))
        self._set_sequences()

    def _copy(self, amount: int) -> None:
        """Copy the first so many matters with all that is kept for them; only numbers and keys are others."""
        from django.db import connection

        from liangzhu.beams.work.matters.models import Matter, Part, Party, Sight
        from liangzhu.kernel.models import SearchDoc

        low = Matter.objects.earliest("id").pk
        high, shift = low + amount - 1, self.count
        more = ["scope", "words"] if connection.vendor == "postgresql" else []
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            docs = SearchDoc.objects.filter(kind="matter", ident__range=(low, high))
            first_doc = docs.earliest("id").pk
            for model, by in (
                (Matter, "id"),
                (Party, "matter_id"),
                (Part, "matter_id"),
                (Sight, "matter_id"),
                (SearchDoc, "ident"),
            ):
                names = [field.column for field in model._meta.local_concrete_fields]
                if model is not Matter and model is not SearchDoc:
                    names.remove("id")
                taken = {name: f'"{name}"' for name in [*names, *(more if model is SearchDoc else [])]}
                taken |= {by: f'"{by}" + {shift}'} | ({"id": f"id + {shift}"} if "id" in taken else {})
                if "number" in taken:
                    taken["number"] = f"'BR-C-' || (id + {shift})"
                cursor.execute(
                    f"INSERT INTO {model._meta.db_table} ({', '.join(quote(name) for name in taken)}) "
                    f"SELECT {', '.join(taken.values())} FROM {model._meta.db_table} WHERE {by} BETWEEN {low} AND {high}"
                    " ORDER BY 1"
                )
            if connection.vendor != "postgresql":
                cursor.execute(
                    "INSERT INTO kernel_searchtext(rowid, scope, singles, stream) SELECT rowid + %s, scope, singles, stream"
                    " FROM kernel_searchtext WHERE rowid BETWEEN %s AND %s",
                    [shift, first_doc, first_doc + amount - 1],
                )
        self.count += amount

    def _set_sequences(self) -> None:
        from django.core.management.color import no_style
        from django.db import connection

        from liangzhu.beams.work.matters.models import Matter
        from liangzhu.kernel.models import SearchDoc

        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_sql(no_style(), [Matter, SearchDoc]):
                cursor.execute(sql)

    def _batch(self, amount: int) -> None:
        from liangzhu.beams.work.matters import api as matters
        from liangzhu.beams.work.matters.models import NEVER, Matter, Part, Party
        from liangzhu.kernel.now import now

        dice, moment = self.dice, now()
        rows = []
        for n in range(self.count, self.count + amount):
            unit = dice.choice(self.units)
            is_open = dice.random() < OPEN_SHARE
            # The more there are, the longer the district has been at work: what is open is young, what is late is rare.
            due = moment + timedelta(hours=dice.randint(-40, 900)) if dice.random() < 0.9 else None
            opened = moment - timedelta(hours=dice.randint(1, 24 * 40 if is_open else 24 * 900))
            rows.append(
                Matter(
                    number=f"BR-2026-B{n:06d}",
                    kind="bench_round",
                    release_id=self.release,
                    state="here" if is_open else "done",
                    title=f"{dice.choice(WORDS)}{dice.choice(PLACES)}{dice.randint(1, 300)}号{dice.choice(SUBJECTS)}",
                    holding_unit_id=unit,
                    assignee_id=dice.choice(self.posts[unit]) if dice.random() < 0.5 else None,
                    urgency=int(dice.random() < 0.05),
                    opened_at=opened,
                    closed_at=None if is_open else opened + timedelta(hours=dice.randint(1, 300)),
                    due_at=due if due and is_open else NEVER,
                    promised_at=due if is_open else None,
                    warn_at=due - timedelta(hours=72) if due and is_open else None,
                    legal_at=due + timedelta(hours=30) if due and is_open else None,
                    timed_from=opened if due and is_open else None,
                    overran=0 if is_open else dice.choice([1, 1, 1, 2]),
                )
            )
        Matter.objects.bulk_create(rows)
        Party.objects.bulk_create(Party(matter=row, name="lead", unit_id=row.holding_unit_id) for row in rows)
        asked = [row for row in rows if dice.random() < 0.2]
        Part.objects.bulk_create(
            Part(
                matter=row,
                kind="opinion",
                unit_id=dice.choice(self.units),
                title="配合意见",
                state="asked",
                opened_at=row.opened_at,
                done_at=row.closed_at,
            )
            for row in asked
        )
        matters.keep_many(rows)
        self.count += amount


if __name__ == "__main__":
    main()
