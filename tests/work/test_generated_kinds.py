"""A made-up district of every kind there is, the eight of the tests beside those of the installation: its rows are what the
engine would have made, and every page of every matter opens.
"""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client, override_settings

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.access.models import Account
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.work.matters import engine, generators, kinds, process, queries, timers
from liangzhu.beams.work.matters.models import Clock, Entry, Link, Matter, Part, Timer
from liangzhu.kernel import releases
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.generating import District, all_generators
from liangzhu.kernel.now import at, shanghai
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref, describe
from liangzhu.site import loading

from .eight import FILES
from .test_walks_kinds import check

COUNT = 260
LAST = shanghai(2022, 10, 20, 17, 30)
OWN = {"licence", "bundle", "bundle_case", "hotline", "grid_event", "trail_question"}
"""Kinds that somebody from outside applies for."""

pytestmark = pytest.mark.django_db


class _Internal(generators.Recipe):
    applicants = ()


class _Document(_Internal):
    """The number of a paper, which its pillar would keep."""

    kind = "document"
    effects = {
        "kinds.number_document": lambda walk, params, values: walk.said.append(f"发文字号：〔{walk.id}〕号")
    }


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory):
    """One district for the whole module, rolled back at its end."""
    home = tmp_path_factory.mktemp("kinds")
    with (
        django_db_blocker.unblock(),
        override_settings(HOME=home, LIANGZHU_DEMO_DATE=LAST.date()),
        pytest.MonkeyPatch.context() as patch,
        transaction.atomic(),
    ):
        loading.load(demo=True, history=False, say=lambda line: None)
        for key in FILES:
            if key != "plan_task":
                text = FILES[key].read_text(encoding="utf-8")
                patch.setitem(kinds._kinds, key, kinds.Kind(key, process.parse(text, key).title, key))
                process.pin(releases.seed(process.RELEASE_KIND, key, text, key))
        patch.setitem(generators._recipes, "document", _Document)
        for key in ("data_request", "joint_review"):
            patch.setitem(generators._recipes, key, _Internal)
        patch.setattr(generators, "BATCH", 100)
        shelves = all_generators()
        # Few of many: here all kinds come alike, and the demonstration's residents apply for a third.
        patch.setattr(generators._recipes["trail_question"], "share", 1.0)
        patch.setattr(generators, "FAMILIAR", 0.3)
        patch.setattr(generators, "LAZY", 0.2)
        district = District(
            seed=11, people=6000, matters=COUNT, first=LAST - timedelta(days=700), last=LAST, folder=home
        )
        for one in shelves:
            if not one.done(district):
                one.run(district)
        with at(LAST):
            yield
        transaction.set_rollback(True)


@pytest.fixture
def rows(made):
    return list(Matter.objects.order_by("id"))


def test_there_are_some_of_each_kind_in_many_states(rows):
    found = {key: {row.state for row in rows if row.kind == key} for key in FILES}
    assert len(rows) == COUNT
    assert Matter.objects.filter(kind="trail_question").exists()
    for key, states in found.items():
        flow = engine.process_of(next(row for row in rows if row.kind == key)).flow
        assert any(flow.states[name].final for name in states), key
        assert len(states) > 1, key
    connection.check_constraints()


def test_each_is_what_the_engine_would_have_made(rows):
    for row in rows:
        check(row)
    for part in Part.objects.exclude(done_at=None):
        assert part.result


def test_the_worker_finds_nothing_to_make_good(rows):
    owed = set(
        Timer.objects.filter(fired_at=None, at__lte=LAST - timedelta(minutes=3)).values_list("id", flat=True)
    )
    assert not owed
    before = Entry.objects.count()
    for row in rows:
        if row.closed_at is None and engine.process_of(row).triggers:
            timers.react(SYSTEM, matter_id=row.pk)
    for row in rows:
        assert row.version == timers.recompute(SYSTEM, matter_id=row.pk).version
    assert Entry.objects.count() == before


def test_what_happens_by_itself_has_happened(rows):
    by_itself = set(Entry.objects.filter(actor_ref=str(SYSTEM.ref)).values_list("matter__kind", "transition"))
    assert {("licence", "deem_accepted"), ("bundle", "finish"), ("bundle_case", "begin")} <= by_itself
    assert Link.objects.filter(kind=Link.NEEDS).exists()
    assert len(set(Clock.objects.filter(name="reply").values_list("unit", "amount"))) > 1
    assert Matter.objects.filter(kind="bundle_case", parent=None).count() == 0


def test_applicants_are_registered(rows):
    for row in rows:
        if row.kind in OWN:
            ref = Ref.parse(row.applicant)
            assert ref.kind in ("natural_person", "organisation")
        elif row.kind in FILES and row.kind != "plan_task":
            assert not row.applicant
    named = {Ref.parse(row.applicant) for row in rows if row.kind in OWN}
    assert {ref.kind for ref in named} == {"natural_person", "organisation"}
    assert all(label for label, _ in describe(list(named), SYSTEM).values())


def test_every_page_of_every_matter_opens(rows):
    clients, accounts, seen = {}, {}, set()
    # Who holds two posts works under either.
    for account in Account.objects.order_by("id"):
        for view in directory.posts_open_to(account.person_id):
            if {"matters.officer", "matters.head"} & view.roles:
                accounts.setdefault(view.unit_id, (account, access.actor_of(account.username, view.key)))
    for row in rows:
        units = [row.holding_unit_id, *row.sights.values_list("unit_id", flat=True)]
        account, actor = next(accounts[unit] for unit in units if unit in accounts)
        client = clients.get(actor.post_id)
        if client is None:
            client = clients[actor.post_id] = Client()
            client.force_login(account, backend="liangzhu.beams.people.access.backends.StaffBackend")
            session = client.session
            session["post_id"] = actor.post_id
            session.save()
        address = kinds.kind_of(row.kind).url_of(row)
        page = client.get(address)
        assert page.status_code == 200, (row, address)
        assert row.title in page.content.decode(), row
        assert queries.history(actor, row)
        # Of those that stand at the same place one is enough.
        for option in engine.transitions(row, actor) if (row.kind, row.state) not in seen else ():
            assert client.get(f"/work/{row.pk}/step/{option.name}/").status_code in (200, 409), (row, option)
        seen.add((row.kind, row.state))
    for client in clients.values():
        for scope in ("turn", "unit", "all"):
            assert client.get(f"/work/?scope={scope}").status_code == 200
        assert client.get("/work/done/").status_code == 200
        assert client.get("/work/notices/").status_code == 200


def test_a_resident_of_the_demonstration_finds_what_is_his(made, as_resident):
    for one in pack().toml("residents.toml")["person"]:
        lin = as_resident(one["name"], number=one["number"])
        own = Matter.objects.filter(applicant=str(lin.person), parent=None)
        if own.count() > 2:
            break
    assert NaturalPerson.objects.filter(document_blind=one["number"]).count() == 1
    assert lin.client.get("/my/").status_code == 200
    listed = lin.client.get("/my/matters/").content.decode()
    listed += lin.client.get("/my/matters/?closed=1").content.decode()
    for row in own:
        address = kinds.kind_of(row.kind).own_url_of(row)
        page = lin.client.get(address)
        assert page.status_code == 200, (row, address)
    assert sum(row.number in listed or row.title in listed for row in own) > 0


def test_a_kind_with_panels_or_unknown_rules_is_refused_by_name(made, monkeypatch):
    monkeypatch.delitem(generators._recipes, "document")
    with pytest.raises(generators.NoRecipe, match="发文.*kinds.number_document"):
        generators.refuse_unknown()
    kind = kinds._kinds["hotline"]
    monkeypatch.setitem(generators._recipes, "document", _Document)
    monkeypatch.setitem(
        kinds._kinds,
        "hotline",
        kinds.Kind("hotline", kind.title, "hotline", panels=(("x.html", lambda actor, matter: {}),)),
    )
    with pytest.raises(generators.NoRecipe, match="热线工单.*hotline.*有自己的页面内容"):
        generators.refuse_unknown()
