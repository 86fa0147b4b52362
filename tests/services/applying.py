"""What tests of applications share: answers, a filled form, files, the worker."""

from django.core.files.uploadedfile import SimpleUploadedFile

from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.forms import values
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import worker
from liangzhu.pillars.services import bundles
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Material

CLINIC = {"kind": "outpatient", "nature": "profit", "registered": True, "xray": True, "sewage": True, "sign": False, "staff": False}  # fmt: skip
FORM = {
    "person_name": "林晓禾",
    "phone": "13812345678",
    "name": "晓禾口腔门诊部",
    "address": "海州区某路1号",
    "area": "120",
    "subjects": ["dental"],
    "capital": "500000",
    "ownership": "private",
    "opens_on": "2022-12-01",
    "staff": [
        {
            "staff_name": "林晓禾",
            "staff_kind": "doctor",
            "staff_number": "110320706000001",
            "staff_years": "8",
        }
    ],
    "ray_scope": ["dental"],
    "devices": [{"device": "牙片机", "room": "二楼"}],
    "waste": "contract",
    "outlets": "一处，接市政管网",
}


def fill(actor, row, given=FORM):
    """Fill in the form of an application as its page does; returns the draft."""
    key = bundles.in_release(row).form
    draft = forms.begin(actor, key=key, subject=str(row.ref))
    form = forms.edition(key, str(row.ref))
    kept = {}
    for _, one in form.all_fields():
        if one.name in given:
            value = given[one.name]
            kept[one.name] = (
                [{c.name: values.read(c, r.get(c.name)) for c in one.fields if r.get(c.name)} for r in value]
                if one.type == "table"
                else values.read(one, value)
            )
    return forms.save(actor, draft_id=draft.pk, version=draft.version, answers=kept)


def upload(actor, name="平面图.pdf", body=b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"):
    """A file that somebody uploaded; its id."""
    return files.stage(actor, upload=SimpleUploadedFile(name, body)).pk


def work_off() -> None:
    """What the worker does until nothing is left: deliveries, and with them triggers."""
    while worker.deliver_due():
        pass


def ready(someone, bundle="open_clinic", answers=CLINIC, given=FORM, **delivery):
    """An application that can be sent: filled in, everything fetched or given."""
    row = actions.begin(someone.actor, bundle=bundle, answers=answers)
    fill(someone.actor, row, given)
    keys = [one.key for one in row.materials.filter(state=Material.AVAILABLE)]
    if keys:
        actions.fetch(someone.actor, application_id=row.pk, keys=keys)
    for one in row.materials.filter(state=Material.WANTED):
        actions.give(someone.actor, material_id=one.pk, uploads=[upload(someone.actor)])
    if delivery:
        actions.choose_delivery(someone.actor, application_id=row.pk, **delivery)
    row.refresh_from_db()
    return row


def send(someone, row):
    """Send it; the worker has seen to what follows."""
    row = actions.submit(someone.actor, application_id=row.pk, version=row.version, declared=True)
    work_off()
    return row


def step(actor, matter, name, **data):
    """A step as the page does it."""
    matter.refresh_from_db()
    matters.step(actor, matter_id=matter.pk, transition=name, version=matter.version, data=data)
    work_off()
    matter.refresh_from_db()
    return matter
