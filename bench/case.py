"""Applications of a resident, from sending to the end: whole ones a second, and what one call costs, among many stored cases.

The bundle is the pack's return of a soldier: four parts at two to four departments, three of them after the first, each accepted and granted with its
sealed papers, log leaves, messages and triggers; the worker's deliveries are counted in. What is filled in and uploaded before is not. Stored cases are
made up in bulk (`liangzhu make-district`). Whole applications run in process on SQLite; the single calls go over HTTP to the product's own server, as
those of Open Zaak did that stand beside them (measured on two cores, bench/README.md). One creation there is one row; one application here is a matter,
four cases with their clocks, leaves and search entries, the sealed form: both readings are printed.
"""

import http.client
import json
import os
import threading
import time
from datetime import date

from bench._house import home
from bench._report import Row, options, show

CREATE, STEP, LIST, DETAIL = 30, 21, 12, 35
"""Open Zaak on a machine of this size: cases created, set to another status, filtered lists, details, a second."""
ANSWERS = {"way": "self", "household": False, "insurance": True, "card": False, "training": False}
FORM = {
    "person_name": "林示例",
    "phone": "13812345678",
    "joined_on": "2017-09-01",
    "left_on": "2022-09-01",
    "category": "soldier",
}


def main() -> None:
    """One installation, so many applications, the table."""
    arguments = options(__doc__)
    many, stored = (8, 600) if arguments.quick else (200, int(os.environ.get("BENCH_STORED", 1_700_000)))
    with home():
        os.environ["LIANGZHU_DEMO_DATE"] = "2022-10-20"
        figures = measure(many, stored)
    show(
        f"申办（每秒，{many} 件一件事，各四个办件；库里已有办件 {figures['stored']:,.0f} 件）",
        [
            Row("整件：提交到办结，四个部分并联", figures["whole"]),
            Row(
                "提交申办：连表单、四个办件",
                figures["create"],
                "Open Zaak 建一件",
                figures["create"] / CREATE,
            ),
            Row("　按办件计", 4 * figures["create"], "Open Zaak 建一件", 4 * figures["create"] / CREATE),
            Row(
                "办理一步：受理，出受理通知书（接口，HTTP）",
                figures["step"],
                "Open Zaak 改一次状态",
                figures["step"] / STEP,
            ),
            Row(
                "按种类筛选的列表，每页 50 件（接口，HTTP）",
                figures["list"],
                "Open Zaak 筛选列表",
                figures["list"] / LIST,
            ),
            Row(
                "一件详情（接口，HTTP）",
                figures["detail"],
                "Open Zaak 一件详情",
                figures["detail"] / DETAIL,
            ),
        ],
        arguments,
        whole=figures["whole"],
    )


def measure(many: int, stored: int) -> dict[str, float]:
    """The figures, by name."""
    import django

    django.setup()
    from bench._house import _migrate, served

    _migrate()
    from liangzhu.beams.people.access.actions import make_token
    from liangzhu.beams.trust.sources import api as sources
    from liangzhu.beams.work.matters import api as matters
    from liangzhu.kernel import worker
    from liangzhu.pillars.services.actions import cases as actions
    from liangzhu.pillars.services.models import Case

    _store(stored)
    someone, staff = _people()
    ready = [_ready(someone) for _ in range(many)]
    taken = dict.fromkeys(("create", "step", "rest"), 0.0)
    counts = dict.fromkeys(taken, 0)

    def timed(name, run):
        begin = time.perf_counter()
        done = run()
        taken[name] += time.perf_counter() - begin
        counts[name] += 1
        return done

    def work_off():
        while worker.deliver_due():
            pass

    def forward(row):
        for case in Case.objects.filter(application=row, matter__closed_at=None).select_related("matter"):
            if case.matter.state == "waiting":
                continue
            actor = staff[case.unit_id]
            step = {"transition": "accept", "matter_id": case.matter_id}
            timed("step", lambda step=step, actor=actor: matters.step(actor, **step))
            for check in sources.checks_of(actor, row.ref):
                one = row.materials.get(key=check.material)
                if check.state == check.OPEN and one.cases.filter(pk=case.pk).exists():
                    timed(
                        "rest",
                        lambda one=one, actor=actor: actions.verify(
                            actor, material_id=one.pk, good=True, note="已核实"
                        ),
                    )
            grant = {"transition": "grant", "matter_id": case.matter_id}
            timed("rest", lambda grant=grant, actor=actor: matters.step(actor, **grant))
        timed("rest", work_off)

    for row in ready:
        send = {"application_id": row.pk, "version": row.version, "declared": True}
        sent = timed("create", lambda send=send: actions.submit(someone, **send))
        timed("rest", work_off)
        for _ in range(2):
            forward(sent)
        sent.matter.refresh_from_db()
        if sent.matter.state != "closed":
            raise SystemExit(f"bench.case：申办没有办结，停在“{matters.state_title(sent.matter)}”。")
    waiting = []
    for row in [_ready(someone) for _ in range(max(many, 40))]:
        sent = actions.submit(someone, application_id=row.pk, version=row.version, declared=True)
        waiting.append(Case.objects.get(application=sent, part="report"))
    unit = waiting[0].unit_id
    text = make_token(staff[unit], name="测速", scopes=["matters:write"], days=1).text
    count = Case.objects.exclude(matter=None).count()
    with served() as port:
        steps = [("POST", f"/api/v1/matters/{one.matter_id}/steps/accept", {"data": {}}) for one in waiting]
        every = [("GET", "/api/v1/matters?kind=service_case&limit=50", None)]
        detail = [("GET", f"/api/v1/matters/{waiting[0].matter_id}", None)]
        return {
            "whole": many / sum(taken.values()),
            "create": counts["create"] / taken["create"],
            "list": _rate(port, text, every, 2.0),
            "detail": _rate(port, text, detail, 2.0),
            "step": _rate(port, text, steps, None),
            "stored": count,
        }


def _store(stored: int) -> None:
    """So many made-up matters, all of them applications and their cases."""
    from liangzhu.beams.work.matters import generators
    from liangzhu.kernel.generating import all_generators
    from liangzhu.site import district

    all_generators()
    for key in ("plan_task", "trail_question"):
        generators._recipes[key].share = 0.0
    district.make(people=20_000, number=stored, seed=1, add=False, say=print)


def _people():
    """The pack, a resident, and by unit an officer who may accept and decide."""
    from liangzhu.beams.people.access import api as access
    from liangzhu.beams.people.directory import actions as directory_actions
    from liangzhu.beams.people.directory import api as directory
    from liangzhu.beams.people.residents import actions, sessions
    from liangzhu.beams.people.residents.api import Identity
    from liangzhu.beams.trust.certificates import api as certificates
    from liangzhu.beams.work.decisions import api as decisions
    from liangzhu.beams.work.forms import api as forms
    from liangzhu.beams.work.matters import api as matters
    from liangzhu.kernel import identifiers
    from liangzhu.kernel.actors import SYSTEM, Actor
    from liangzhu.kernel.pack import pack
    from liangzhu.kernel.refs import Ref
    from liangzhu.pillars.services import bundles, catalogue, offers

    directory.load_units(pack())
    certificates.load_certificates(pack(), demo=True)
    forms.load_forms()
    decisions.load_rules()
    catalogue.load_items(pack())
    bundles.load_bundles()
    matters.load_processes()
    province = Actor(ref=Ref("identity_provider", "province"), label="省统一身份认证")
    number = identifiers.complete("person", "32999919880312501")
    session = actions.sign_in(
        province,
        identity=Identity("林示例", "citizen_id", number, 2, None),
        device="测速",
        address="127.0.0.1",
        at=sessions.machine_now(),
    )
    staff = {}
    for part in bundles.bundle("retire_soldier").parts.values():
        unit = offers.offer(part.item).unit_id
        if unit in staff:
            continue
        person = directory_actions.open_person(SYSTEM, name="示例")
        post = directory_actions.open_post(
            SYSTEM, unit_id=unit, title="科长", roles=["matters.officer", "matters.head"]
        )
        directory_actions.hold_post(SYSTEM, post_id=post.pk, person_id=person.pk, valid_from=date(2020, 1, 1))
        account = access.open_account(SYSTEM, person_id=person.pk, username=f"bench{unit}").account
        account.must_change_password = False
        account.save()
        staff[unit] = access.actor_of(account.username)
    return sessions.actor_of(session), staff


def _ready(someone):
    """An application that can be sent."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from liangzhu.beams.work.files import api as files
    from liangzhu.beams.work.forms import api as forms
    from liangzhu.pillars.services.actions import cases as actions
    from liangzhu.pillars.services.models import Material

    row = actions.begin(someone, bundle="retire_soldier", answers=ANSWERS)
    draft = forms.begin(someone, key="retire_soldier", subject=str(row.ref))
    forms.save(someone, draft_id=draft.pk, version=draft.version, answers=FORM)
    if keys := list(row.materials.filter(state=Material.AVAILABLE).values_list("key", flat=True)):
        actions.fetch(someone, application_id=row.pk, keys=keys)
    for one in row.materials.filter(state=Material.WANTED):
        paper = SimpleUploadedFile("材料.pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF")
        actions.give(someone, material_id=one.pk, uploads=[files.stage(someone, upload=paper).pk])
    row.refresh_from_db()
    return row


CLIENTS = 2


def _rate(port: int, text: str, calls: list[tuple], seconds: float | None) -> float:
    """Answers a second of some clients with a connection each: for so long, or (None) until every call was made once."""
    begun, left, done, wrong = threading.Barrier(CLIENTS + 1), list(calls), [0] * CLIENTS, []

    def run(place: int) -> None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        head = {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}

        def ask(method: str, address: str, body: dict | None) -> None:
            link.request(method, address, json.dumps(body) if body is not None else None, head)
            answer = link.getresponse()
            said = answer.read()
            if answer.status >= 300:
                wrong.append(f"{address}：{answer.status} {said[:300].decode(errors='replace')}")

        # Processes of the server are cold at first.
        for _ in range(6):
            ask("GET", "/api/v1/matters?limit=1", None)
        begun.wait()
        until = time.perf_counter() + (seconds or 3600)
        while time.perf_counter() < until and not wrong:
            if seconds is None:
                try:
                    ask(*left.pop())
                except IndexError:
                    break
            else:
                ask(*calls[0])
            done[place] += 1

    threads = [threading.Thread(target=run, args=(place,)) for place in range(CLIENTS)]
    for one in threads:
        one.start()
    begun.wait()
    start = time.perf_counter()
    for one in threads:
        one.join()
    if wrong:
        raise SystemExit(f"bench.case：{wrong[0]}")
    return sum(done) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
