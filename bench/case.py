"""Applications of a resident, from sending to the end: whole ones a second, and what one call costs. In process, SQLite.

The bundle is the pack's return of a soldier: four parts at two to four departments, three of them after the first, each accepted and granted with its
sealed papers, log leaves, messages and triggers; the worker's deliveries are counted in. What is filled in and uploaded before is not. Beside single
calls stand those of Open Zaak over HTTP as measured on two cores (bench/README.md): ours are without a socket here, what HTTP adds is in `bench.step`.
"""

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
    many = 12 if arguments.quick else 200
    with home():
        import os

        os.environ["LIANGZHU_DEMO_DATE"] = "2022-10-20"
        figures = measure(many)
    show(
        f"申办（每秒，{many} 件一件事，各四个办件）",
        [
            Row("整件：提交到办结，四个部分并联", figures["whole"]),
            Row("提交申办：连表单、四个办件", figures["create"]),
            Row("　按办件计", 4 * figures["create"], "Open Zaak 建一件", 4 * figures["create"] / CREATE),
            Row(
                "办理一步：受理，出受理通知书",
                figures["step"],
                "Open Zaak 改一次状态",
                figures["step"] / STEP,
            ),
            Row(
                "接口：按种类筛选的列表，每页 50 件",
                figures["list"],
                "Open Zaak 筛选列表",
                figures["list"] / LIST,
            ),
            Row(
                "接口：一件详情",
                figures["detail"],
                "Open Zaak 一件详情",
                figures["detail"] / DETAIL,
            ),
        ],
        arguments,
        whole=figures["whole"],
    )


def measure(many: int) -> dict[str, float]:
    """The figures, by name."""
    import django

    django.setup()
    from django.test import Client

    from bench._house import _migrate

    _migrate()
    from liangzhu.beams.people.access.actions import make_token
    from liangzhu.beams.trust.sources import api as sources
    from liangzhu.beams.work.matters import api as matters
    from liangzhu.kernel import worker
    from liangzhu.pillars.services.actions import cases as actions
    from liangzhu.pillars.services.models import Case

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
    case = Case.objects.order_by("id").first()
    text = make_token(staff[case.unit_id], name="测速", scopes=["matters:write"], days=1).text
    client = Client(HTTP_HOST="127.0.0.1", HTTP_AUTHORIZATION=f"Bearer {text}")
    return {
        "whole": many / sum(taken.values()),
        "create": counts["create"] / taken["create"],
        "step": counts["step"] / taken["step"],
        "list": _rate(client, "/api/v1/matters?kind=service_case&limit=50"),
        "detail": _rate(client, f"/api/v1/matters/{case.matter_id}"),
    }


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


def _rate(client, address: str) -> float:
    """Answers a second, after a first one."""
    if client.get(address).status_code != 200:
        raise SystemExit(f"bench.case：{address} 没有打开。")
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < 2:
        if client.get(address).status_code != 200:
            raise SystemExit(f"bench.case：{address} 没有打开。")
        count += 1
    return count / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
