"""What is done inside the installation, by processes of its own: ``prepare N``, ``settle``, ``look FILE``."""

import json
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

from liangzhu.site.cli import set_up_django

set_up_django()

from django.db import connection  # noqa: E402

from killing.app import PROCESS, TABLE  # noqa: E402
from liangzhu.kernel.models import Delivery, LogLeaf, OutboxEvent, Submission  # noqa: E402

FROM = date(2020, 1, 1)


def prepare(count: int) -> dict:
    """Tables, a unit, people who are signed in, and a matter for each."""
    from django.test import Client

    from liangzhu.beams.people.access import api as access
    from liangzhu.beams.people.directory import api as directory
    from liangzhu.beams.people.directory.models import Holding, Person, Post, PostRole, Unit, UnitSpell
    from liangzhu.beams.work.matters import api as matters
    from liangzhu.beams.work.matters import process
    from liangzhu.kernel import releases
    from liangzhu.kernel.actions import action
    from liangzhu.kernel.policies import public
    from liangzhu.site import loading

    loading.migrate()
    serial = (
        "BIGSERIAL PRIMARY KEY" if connection.vendor == "postgresql" else "INTEGER PRIMARY KEY AUTOINCREMENT"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {TABLE} (id {serial}, handler VARCHAR(20), event_id BIGINT, subject VARCHAR(80))"
        )
    releases.seed(process.RELEASE_KIND, "killed", PROCESS, "killed.toml")

    @action("killing.open_matter")
    def open_matter(act, **kwargs):
        act.check(public)
        return matters.open_matter(act, **kwargs)

    unit = Unit.objects.create(key="jia", kind=Unit.DEPARTMENT)
    UnitSpell.objects.create(unit=unit, name="示例区甲局", short_name="甲局", valid_from=FROM, source="测试")
    people = []
    for number in range(count):
        post = Post.objects.create(key=f"p{number}", unit=unit, title="科长")
        PostRole.objects.create(post=post, role="matters.officer")
        person = Person.objects.create(name=f"张{number}")
        Holding.objects.create(post=post, person=person, valid_from=FROM)
        account = access.Account.objects.create(username=f"u{number}", person=person, demo=True)
        client = Client()
        client.force_login(account, backend="liangzhu.beams.people.access.backends.StaffBackend")
        matter = open_matter(
            directory.staff(person.pk, post.pk, account.ref),
            kind="killed",
            title=f"第 {number} 件",
            parties={"lead": unit.pk},
            holding_unit_id=unit.pk,
        )
        people.append({"matter": matter.pk, "session": client.cookies["sessionid"].value})
    return {"people": people}


def look(tally: dict) -> list[str]:
    """Everything that is wrong."""
    from liangzhu.beams.work.matters.models import Entry

    wrong = []
    kept = set(Submission.objects.values_list("key", flat=True))
    for key in kept - tally["accepted"].keys():
        if key.rsplit("-", 2)[0] in tally["interrupted"]:
            tally["unsure"][key] = int(key.split("-")[-2])
    accepted, unsure = set(tally["accepted"]), set(tally["unsure"])
    wrong += [f"accepted, but lost: {key}" for key in sorted(accepted - kept)]
    wrong += [f"done, but nobody asked: {key}" for key in sorted(kept - accepted - unsure)]
    entries = Counter(Entry.objects.filter(transition="note_progress").values_list("matter_id", flat=True))
    asked = Counter((tally["unsure"] | tally["accepted"]).get(key) for key in kept & (accepted | unsure))
    wrong += [
        f"matter {matter}: {asked[matter]} changes were accepted, {entries[matter]} stand in its history"
        for matter in sorted({*asked, *entries})
        if asked[matter] != entries[matter]
    ]
    leaves = LogLeaf.objects.filter(action="matters.step").count()
    if leaves != len(kept):
        wrong.append(f"{len(kept)} changes, but {leaves} leaves in the log")
    events = OutboxEvent.objects.filter(name="matters.advanced")
    if events.count() != len(kept):
        wrong.append(f"{len(kept)} changes, but {events.count()} events")
    if owed := Delivery.objects.filter(done_at=None).count():
        wrong.append(f"{owed} deliveries are not finished")
    with connection.cursor() as cursor:
        for handler in ("steady", "shaky"):
            cursor.execute(f"SELECT event_id, subject FROM {TABLE} WHERE handler = %s ORDER BY id", [handler])
            rows = cursor.fetchall()
            times = Counter(ident for ident, _ in rows)
            wrong += [
                f"{handler}: event {ident} had its effect {n} times" for ident, n in times.items() if n > 1
            ]
            missing = set(events.values_list("id", flat=True)) - set(times)
            wrong += [f"{handler}: event {ident} was lost" for ident in sorted(missing)]
            lines: dict[str, list[int]] = {}
            for ident, subject in rows:
                lines.setdefault(subject, []).append(ident)
            wrong += [
                f"{handler}: events of {subject} came out of order"
                for subject, idents in lines.items()
                if idents != sorted(idents)
            ]
    return wrong + _log()


def _log() -> list[str]:
    """What `liangzhu log verify` finds, after everything has its number."""
    from liangzhu.kernel.log import sequencer, verifying

    sequencer.sequence_now()
    report = verifying.verify()
    return [] if report.ok else [f"log: {report.as_json()}"]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", count]:
            print(json.dumps(prepare(int(count))))
        case ["settle"]:
            deadline = time.monotonic() + 60
            while Delivery.objects.filter(done_at=None).exists() and time.monotonic() < deadline:
                time.sleep(0.1)
        case ["look", file]:
            print(json.dumps(look(json.loads(Path(file).read_text())), ensure_ascii=False))
