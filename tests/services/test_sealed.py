"""What people say in services stands nowhere in plain text, and goes with the application when that is destroyed by rule."""

import html
import json
import re
from dataclasses import dataclass

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.urls import Resolver404, resolve

from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.forms.models import Draft, Snapshot
from liangzhu.beams.work.matters.retention import destroy
from liangzhu.kernel import log, sealing
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import LogLeaf
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.actions import ratings
from liangzhu.pillars.services.models import Application, Material, Rating

from .applying import CLINIC, FORM, ready, send, step, upload

# Said nowhere else in the tests.
NAME, NUMBER, PHONE = "东方望岳", "329999198803125019", "13961300078"
SAID = f"{NAME}（{NUMBER}，电话{PHONE}）"
SAYS = {
    "person_name": NAME,
    "phone": PHONE,
    "name": f"{NAME}门诊部",
    "address": f"海州区某路1号{NAME}收",
    "outlets": SAID,
    "staff": [{**FORM["staff"][0], "staff_name": NAME}],
}


def readable(*texts: str) -> set[str]:
    """In which tables and files something of it (or of ``texts``) can be read, by the connection of this test: nothing is committed here."""
    forms = [
        form
        for text in texts or (NAME, NUMBER, PHONE)
        for form in (text.encode(), json.dumps(text).encode()[1:-1])
    ]
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                written = b"\n".join(
                    bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in row
                )
                if any(form in written for form in forms):
                    found.add(table)
    for path in Attachment.objects.values_list("path", flat=True):
        if default_storage.exists(path):
            with default_storage.open(path) as kept:
                if any(form in kept.read() for form in forms):
                    found.add(path)
    return found


@dataclass(frozen=True)
class Applied:
    """Somebody whose application went all the way, and the staff who had it."""

    someone: object
    row: Application
    rating: Rating
    officer: object


@pytest.fixture
def applied(clinic, as_resident, put, settings, tmp_path, reads_logged):
    """An application in whose every text there is something to find, decided and handed out, rated."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    officer = put("yi", "weijianwei", "matters.officer")
    window = put("chuang", "shenpiju", "matters.officer")
    someone = as_resident(NAME, number=NUMBER)
    answers = {**CLINIC, "kind": "clinic", "xray": False, "sewage": False}
    row = ready(
        someone, answers=answers, given={**FORM, **SAYS}, delivery=Application.POST, address=f"{SAID}收"
    )
    if given := row.materials.filter(state=Material.GIVEN).first():
        actions.give(someone.actor, material_id=given.pk, uploads=[upload(someone.actor, f"{SAID}.pdf")])
    row.refresh_from_db()
    row = send(someone, row)
    case = row.cases.select_related("matter").get()
    step(officer.actor, case.matter, "ask_correction", missing=f"请{SAID}补一份")
    actions.correct(someone.actor, case_id=case.pk, explanation=SAID, uploads=[upload(someone.actor)])
    for one in row.materials.filter(state=Material.TO_VERIFY):
        actions.verify(officer.actor, material_id=one.pk, good=True, note=f"电话问过{SAID}")
    step(officer.actor, case.matter, "file")
    row.matter.refresh_from_db()
    assert row.matter.state == "handing_out"
    here = f"/services/work/{row.matter_id}/address/"
    assert SAID not in window.client.get(here).content.decode()
    with reads_logged():
        assert SAID in window.client.post(here, {"reason": "邮寄办理结果", "once": "0" * 20}).content.decode()
        shown = someone.client.get(f"/my/applications/{row.pk}/delivery/").content.decode()
    assert SAID in shown, "what was typed is not given back masked, to be saved so"
    assert officer.client.get(here).status_code == 404
    step(window.actor, row.matter, "hand_out", way="邮寄", receiver=SAID)
    rating = Rating.objects.get(rated=str(row.ref))
    ratings.give(someone.actor, rating_id=rating.pk, level=5, comment=SAID)
    row.refresh_from_db()
    return Applied(someone, row, rating, officer)


def test_what_was_said_is_readable_nowhere_and_goes_with_the_application(applied):
    row, rating = applied.row, applied.rating
    assert "services_application" in readable(row.title), "the search finds what is plain"
    assert readable() == set()

    destroy(SYSTEM, matter_id=row.matter_id, rule="办件保存 10 年期满；销毁清册〔2032〕1 号")
    row = Application.objects.get(pk=row.pk)
    gone = "已依规删除"
    assert (row.route, Application._meta.get_field("address").plain(row)) == (gone, gone)
    assert Snapshot.objects.get(pk=row.snapshot_id).sealed_key == b""
    assert not Draft.objects.filter(subject=str(row.ref)).exclude(sealed_key=b"").exists()
    hanging = Attachment.objects.filter(
        subject__in=[str(row.ref), *(str(one.ref) for one in row.materials.all())]
    )
    assert hanging.exists() and not hanging.exclude(sealed_key=b"").exists()
    assert Rating.objects.get(pk=rating.pk).comment == gone and Rating.objects.get(pk=rating.pk).level == 5
    leaf = LogLeaf.objects.filter(subject=str(row.ref)).order_by("-id").first()
    assert "销毁清册〔2032〕1 号" in leaf.detail.body and NAME not in leaf.detail.body
    # The person is registered on his own account, and stays.
    assert NaturalPerson.objects.exclude(sealed_key=b"").exists()


IN_FULL = {
    "registers:read_person",
    "registers:read_proposal",
    "certificates:read",
    "certificates:pdf",
    "forms:sent",
}
"""Where values are shown in full for a reason that is sent along."""

READ = {
    "certificates.Certificate.statement",
    "certificates.Paper.statement",
    "registers.NaturalPerson.document_number",
    "registers.NaturalPerson.name",
    "sources.Kept.content",
}
"""What the walk comes to read in full; another field here is news, and a missing one means that a page is not reached."""

LINK = re.compile(r'(?:href|action)="(/[^"#]*)"')


def walk(client, starts: list[str]) -> dict[str, int]:
    """Go wherever links and forms lead, to each route once with and once without a query, exports too, and ask to read in full where that is offered; status by
    address."""
    waiting, seen, routes = list(starts), {}, set()
    while waiting:
        address = waiting.pop(0)
        path, asks, _ = address.partition("?")
        try:
            route = resolve(path).view_name
        except Resolver404:
            continue
        if address in seen or (route, asks) in routes or "logout" in route:
            continue
        routes.add((route, asks))
        answers = [client.get(address)]
        if route in IN_FULL:
            asked = {"reason": "核对", "once": "0123456789abcdef0123", "wanted": ["name", "document_number"]}
            answers.append(client.post(address, asked))
        seen[address] = max(answer.status_code for answer in answers)
        for answer in answers:
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                waiting += [html.unescape(one) for one in LINK.findall(content.decode())]
            waiting += [answer["Location"]] if answer.headers.get("Location", "").startswith("/") else []
    return seen


def test_wherever_links_lead_every_value_of_grade_3_that_is_read_has_its_leaf(applied, put, reads_logged):
    whose = applied.someone
    pages = ["/my/", f"/my/applications/{applied.row.pk}/", "/my/trail/"]
    walks = {"resident": (whose.client, pages)}
    for name, roles in (
        ("registrar", ["registers.officer"]),
        ("issuer", ["certificates.issuer"]),
    ):
        walks[name] = (
            put(name, "weijianwei", *roles).client,
            ["/work/", f"/registers/persons/{whose.person.id}/"],
        )
    walks["officer"] = (applied.officer.client, [f"/work/{applied.row.matter_id}/", "/work/"])
    log.sequence_now()
    read = set()
    for name, (client, starts) in walks.items():
        with reads_logged(), sealing.watching() as seen:
            found = walk(client, starts)
        assert len(found) > 40 and not [address for address, status in found.items() if status == 500], name
        read |= {f"{type(row)._meta.label}.{field}" for row, field in seen}
    assert read == READ
