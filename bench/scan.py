"""Code scans at the counter a second: signature (SM2), single use, register, reading in the trail, log leaves; both databases.

The issuer answers within this process: the province's own time is not ours. Beside it stands the limit: checking the same
signature and inserting the row of the scan by bare SQL, in the same run on the same database. ``--quick``: SQLite only.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

from bench._house import found, home
from bench._report import Row, options, rate, show

PACK = Path(__file__).resolve().parents[1] / "packs" / "haizhou"


def main() -> None:
    """Each database in a process of its own, because Django reads its settings once; then the table."""
    if database := os.environ.get("BENCH_PART"):
        print(json.dumps(part(database, float(os.environ["BENCH_SECONDS"]))))
        return
    arguments = options(__doc__)
    seconds = 2.0 if arguments.quick else 10.0
    rows, figures = [], {}
    for database in ("sqlite",) if arguments.quick else ("sqlite", "postgresql"):
        one = _run(database, seconds)
        title = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database]
        share = one["scan"] / one["limit"]
        rows += [
            Row(
                f"{title}：扫码核验（验签、一次有效、登记、轨迹、日志）",
                one["scan"],
                "验签加一行 INSERT",
                share,
            ),
            Row("　同一个码再扫：说已用过", one["replay"]),
            Row("　伪造的码：不问发码方就拒绝", one["forged"]),
            Row("　验签加一行 INSERT（极限）", one["limit"]),
            Row("　只验签", one["verify"]),
        ]
        figures |= {f"{database}_share": share}
    show("扫服务码（每秒，一个窗口进程）", rows, arguments, **figures)


def _run(database: str, seconds: float) -> dict:
    environment = os.environ | {"BENCH_PART": database, "BENCH_SECONDS": str(seconds)}
    done = subprocess.run(
        [sys.executable, "-m", "bench.scan"], env=environment, stdout=subprocess.PIPE, text=True, timeout=600
    )
    if done.returncode:
        raise SystemExit(f"bench.scan：{database} 失败，见上面的输出。")
    return json.loads(done.stdout.splitlines()[-1])


def part(database: str, seconds: float) -> dict:
    """All figures on one database."""
    with home(database):
        officer, _ = found(1)
        from django.db import connection, transaction

        from liangzhu.adapters.service_code import texts
        from liangzhu.adapters.service_code.client import Hall
        from liangzhu.adapters.service_code.simulator import make
        from liangzhu.beams.people.codes import actions, api
        from liangzhu.beams.people.codes.models import Scan
        from liangzhu.kernel import crypto

        simulator = make(PACK)

        class Answering(Hall):
            """The client of the hall protocol, answered here: reading and signature are its own, the network is left out."""

            def present(self, code, asked):
                """Who shows it."""
                return api.Answer(api.Party("person", "林晓禾", "citizen_id", "329999198803121026"))

        hall = Answering("http://127.0.0.1:1", "bench", "bench", simulator.wording, keys=simulator.public)
        api.register_issuer("province", "苏服码", hall)
        clerk = replace(officer, roles=frozenset({*officer.roles, api.WINDOW}))
        actions.set_up_desk(clerk, outlet="hall", device="综合窗口1号", identity_number="329999198001011239")
        session = simulator.begin(simulator._showing("linxiaohe", ""))
        number = count(1)

        def fresh() -> str:
            return texts.write(simulator.make(session, []).text)

        def check(raw: str) -> None:
            api.check(clerk, raw=raw, case=f"counter_visit:{date(2022, 10, 20):%Y%m%d}-{next(number):08x}")

        def refused(raw: str) -> None:
            try:
                check(raw)
            except api.CodeProblem:
                return
            raise SystemExit("bench.scan：应该拒绝的码被接受了。")

        make_rate = rate(fresh, seconds=seconds / 2)
        with_making = rate(lambda: check(fresh()), seconds=seconds)
        used = fresh()
        check(used)
        forged = texts.write(
            texts.sign(texts.read(fresh(), simulator.wording.marks), crypto.sm3(b"a key of nobody"))
        )
        public = simulator.public["jiangsu"]
        known = texts.read(used, simulator.wording.marks)
        insert = _bare(Scan, connection)

        def limit() -> None:
            if not texts.holds(known, public):
                raise SystemExit("bench.scan：签名不对。")
            with transaction.atomic():
                insert()

        figures = {
            # Making the code is the phone's work: its time is taken out.
            "scan": 1 / (1 / with_making - 1 / make_rate),
            "replay": rate(lambda: refused(used), seconds=seconds / 2),
            "forged": rate(lambda: refused(forged), seconds=seconds / 2),
            "limit": rate(limit, seconds=seconds),
            "verify": rate(lambda: texts.holds(known, public), seconds=seconds / 2),
        }
        if (
            not Scan.objects.filter(result="forged").exists()
            or not Scan.objects.filter(result="used").exists()
        ):
            raise SystemExit("bench.scan：拒绝的原因不对。")
        return figures


def _bare(model, connection):
    """Insert a copy of the newest accepted scan, its code left out, with a statement made beforehand."""
    row = model.objects.filter(result="accepted").order_by("-pk")[0]
    row.code = ""
    fields = [one for one in model._meta.local_concrete_fields if not one.primary_key]
    names = ", ".join(f'"{one.column}"' for one in fields)
    sql = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({", ".join(["%s"] * len(fields))})'
    values = [one.get_db_prep_save(one.pre_save(row, False), connection) for one in fields]

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)

    return run


if __name__ == "__main__":
    main()
