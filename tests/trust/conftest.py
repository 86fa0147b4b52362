"""A small district with two issuing units of the pack, their seals, and people who hold certificates."""

from datetime import date

import pytest
from tests.office import Someone

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.registers.models import NaturalPerson, Organisation
from liangzhu.beams.people.residents.api import Resident
from liangzhu.beams.trust.certificates import actions
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.kernel import limits
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref

FIRST_DAY = date(2020, 1, 1)
NAME, NUMBER, PHONE = "欧阳竹青", "320706198203040510", "13961300077"


@pytest.fixture(autouse=True)
def quiet(settings, tmp_path):
    """The demonstration day, a quick hasher, files of this test, no rates of other tests."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    limits.forget()


@pytest.fixture
def put(db):
    def put_in_office(name, username, unit, roles):
        person = directory_actions.open_person(SYSTEM, name=name)
        post = directory_actions.open_post(SYSTEM, unit_id=unit.pk, title="科长", roles=roles)
        directory_actions.hold_post(SYSTEM, post_id=post.pk, person_id=person.pk, valid_from=FIRST_DAY)
        account = access.open_account(SYSTEM, person_id=person.pk, username=username).account
        account.must_change_password = False
        account.save()
        return Someone(account, unit=unit)

    return put_in_office


def open_unit(key: str, name: str, parent=None, kind="government_department"):
    return directory_actions.open_unit(
        SYSTEM, kind=kind, key=key, name=name, on=FIRST_DAY, source="测试", parent_id=parent and parent.pk
    )


@pytest.fixture
def government(db):
    return open_unit("quzhengfu", "某区人民政府", kind="government")


@pytest.fixture
def health(government):
    """The health commission, which issues."""
    return open_unit("weijianwei", "某区卫生健康委员会", government)


@pytest.fixture
def sports(government):
    return open_unit("wentilvyouju", "某区文体广电和旅游局", government)


@pytest.fixture
def seals(health):
    """The seals of the health commission, in use."""
    made = {}
    for place, use in enumerate(("certificate", "approval"), 1):
        row = actions.propose_seal(
            SYSTEM, unit_id=health.pk, use=use, number=f"{place:013d}", reason="测试", valid_from=FIRST_DAY
        )
        made[use] = actions.decide_seal(SYSTEM, seal_id=row.pk, accept=True)
    return made


@pytest.fixture
def officer(put, health):
    return put("苏婉", "su", health, ["matters.officer", "certificates.issuer"])


@pytest.fixture
def person(db):
    return NaturalPerson.objects.create(
        name=NAME,
        document_kind="citizen_id",
        document_number=NUMBER,
        phone=PHONE,
        source="counter",
        as_of=FIRST_DAY,
        touched_on=FIRST_DAY,
    )


@pytest.fixture
def firm(db):
    return Organisation.objects.create(
        uscc="91350100M000100Y43",
        name="某某门诊部有限公司",
        kind="enterprise",
        source="counter",
        as_of=FIRST_DAY,
    )


def holder_of(subject, **more) -> Resident:
    """A resident who acts for a person, or for an organisation."""
    kind = "person" if subject.ref.kind == "natural_person" else "organisation"
    given = {"person": Ref("natural_person", "0")} | {kind: subject.ref} | more
    return Resident(ref=Ref("resident", "1"), label="持证人", account_id=1, session_id=1, **given)


@action("test.case")
def in_a_case(act, *, do):
    """What a case's decision does: an action of another app with a policy of its own."""
    act.check(public)
    result = do(act)
    act.log(Ref("test", "1"))
    return result


FIELDS = {
    "name": "竹青诊所",
    "address": "某市某区新东街道苍梧路8号",
    "subjects": "口腔科",
    "legal_representative": NAME,
    "person_in_charge": NAME,
    "phone": PHONE,
}


@pytest.fixture
def issue(health, seals, person, officer):
    """issue(kind, **more): a certificate of the health commission to the person."""

    def run(kind="clinic_filing", fields=None, actor=None, **more):
        given = {
            "kind": kind,
            "holder": person.ref,
            "holder_name": NAME,
            "fields": FIELDS if fields is None else fields,
            "unit_id": health.pk,
        }
        return in_a_case(actor or officer.actor, do=lambda act: certificates.issue(act, **(given | more)))

    return run
