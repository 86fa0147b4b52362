"""The pack's units and items on the demonstration day, and people who keep items."""

from datetime import date

import pytest
from django.db import transaction
from django.test import override_settings
from tests.office import Someone

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import limits
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import actions, bundles, catalogue, finding, offers

FEW = ("zhensuo_beian", "qiye_sheli")


@pytest.fixture
def items_loaded(db, settings):
    """The units and two items of the pack."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    limits.forget()
    offers.forget()
    finding.forget()
    directory.load_units(pack())
    entries = [one for one in catalogue.read(pack()) if one.key in FEW]
    actions.take_in(SYSTEM, entries=catalogue.placed(entries))
    yield
    offers.forget()
    finding.forget()


@pytest.fixture
def all_items(items_loaded):
    """All items of the pack."""
    catalogue.load_items(pack())


@pytest.fixture
def put(request, db):
    """put(username, unit key, roles): somebody in office."""
    if "clinic" not in request.fixturenames:
        request.getfixturevalue("items_loaded")

    def run(username: str, unit: str, *roles: str) -> Someone:
        person = directory_actions.open_person(SYSTEM, name=f"某{username}")
        post = directory_actions.open_post(
            SYSTEM, unit_id=directory.units().by_key(unit).id, title="科长", roles=list(roles)
        )
        directory_actions.hold_post(SYSTEM, post_id=post.pk, person_id=person.pk, valid_from=date(2020, 1, 1))
        account = access.open_account(SYSTEM, person_id=person.pk, username=username).account
        account.must_change_password = False
        account.save()
        return Someone(account)

    return run


@pytest.fixture
def editor(put):
    return put("bian", "weijianwei", "services.editor")


@pytest.fixture
def reviewer(put):
    return put("shen", "shenpiju", "services.reviewer", "services.editor")


@pytest.fixture
def keeper(put):
    return put("ku", "shenpiju", "services.keeper")


@pytest.fixture(scope="module")
def pack_loaded(django_db_setup, django_db_blocker):
    """The whole pack as applications need it, once for a module: seals, forms, tables, items, bundles, processes."""
    with django_db_blocker.unblock(), override_settings(LIANGZHU_DEMO_DATE=date(2022, 10, 20)):
        held = transaction.atomic()
        # As the tests' own: what must not run inside a transaction is not inside one of the program's.
        held._from_testcase = True
        with held:
            offers.forget()
            directory.load_units(pack())
            certificates.load_certificates(pack(), demo=True)
            forms.load_forms()
            decisions.load_rules()
            catalogue.load_items(pack())
            bundles.load_bundles()
            matters.load_processes()
            yield
            transaction.set_rollback(True)


@pytest.fixture
def clinic(pack_loaded, db, settings):
    """The pack in a test of its own."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    limits.forget()
