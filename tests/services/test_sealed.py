"""What people say in services stands nowhere in plain text, and goes with the application when that is destroyed by rule."""

import json

from django.core.files.storage import default_storage
from django.db import connection

from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.forms.models import Draft, Snapshot
from liangzhu.beams.work.matters.retention import destroy
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


def test_what_was_said_is_readable_nowhere_and_goes_with_the_application(
    clinic, as_resident, put, settings, tmp_path
):
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
    if row.matter.state != "closed":
        step(window.actor, row.matter, "hand_out", way="邮寄", receiver=SAID)
    rating = Rating.objects.get(rated=str(row.ref))
    ratings.give(someone.actor, rating_id=rating.pk, level=5, comment=SAID)
    row.refresh_from_db()
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
