"""Applying on behalf at a window: for whom, on what ground, for how long; the voucher, the rating, the handing out."""

import json
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.adapters.service_code import texts
from liangzhu.adapters.service_code.client import Hall
from liangzhu.adapters.service_code.simulator import make
from liangzhu.adapters.service_code.wording import DEMO_APP, DEMO_SECRET
from liangzhu.beams.people.codes import actions as code_actions
from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.codes.models import Scan
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.models import Consent
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.forms.models import Draft, Snapshot
from liangzhu.kernel import masking
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Denied, NotThere, StepNotAllowed
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.simulating import serving
from liangzhu.pillars.services import actions as services
from liangzhu.pillars.services import behalf
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Application, Case, Material, Rating, Ticket
from liangzhu.pillars.services.pages.halls import window_code
from liangzhu.pillars.services.ratings import opens

from .applying import CLINIC, fill, ready, send, step, upload, work_off
from .test_halls import BUDGETS, PACK, SLACK

LIN = "329999198803121026"
BUNDLE = "open_clinic"
MACHINE = Actor(ref=Ref("hall_kiosk", "hall"), label="取号机")


@pytest.fixture(autouse=True)
def day(clinic):
    with at("2022-10-20 09:00"):
        yield


@pytest.fixture(scope="module")
def simulator():
    made = make(PACK)
    with serving(made) as address:
        made.address = address
        yield made


@pytest.fixture
def province(simulator):
    one = Hall(
        simulator.address, DEMO_APP, DEMO_SECRET, simulator.wording, keys=simulator.public, seconds=1, rest=0
    )
    codes.register_issuer("province", "苏服码", one)
    yield simulator
    codes.drop_issuer("province")


def clerk_of(put, name, device):
    someone = put(name, "shenpiju", "codes.window", "matters.officer")
    code_actions.set_up_desk(
        someone.actor, outlet="hall", device=device, identity_number="329999198001011239"
    )
    return someone


@pytest.fixture
def clerk(put):
    return clerk_of(put, "jiang", "综合窗口1号")


def code_of(province, key="linxiaohe", firm=""):
    session = province.begin(province._showing(key, firm))
    return texts.write(province.make(session, []).text)


def call(clerk, raw):
    """Call the next number and scan; returns the answer of the counter."""
    services.halls.take(MACHINE, hall="hall", business="general")
    client = clerk.client
    client.post(reverse("services:counter_step", args=["next"]))
    return client.post(reverse("services:counter"), {"raw": raw})


def finish(clerk):
    ticket = behalf.ticket_of(clerk.actor)
    services.halls.finish(clerk.actor, ticket_id=ticket.pk)
    return ticket


@pytest.fixture
def at_window(clerk, province, as_resident):
    """Lin stands at the window, with her code scanned; she has an account too."""
    lin = as_resident("林晓禾", number=LIN)
    assert call(clerk, code_of(province)).status_code == 302
    return clerk, lin


def prepared(clerk):
    """An application at the window that can be sent; one material was only seen."""
    row = actions.begin(clerk.actor, bundle=BUNDLE, answers=CLINIC, prefill=True)
    fill(clerk.actor, row)
    for n, one in enumerate(row.materials.filter(state=Material.WANTED)):
        if n:
            actions.give(clerk.actor, material_id=one.pk, uploads=[upload(clerk.actor)])
        else:
            actions.see_original(clerk.actor, material_id=one.pk)
    for one in row.materials.filter(state=Material.AVAILABLE):
        actions.fetch(clerk.actor, application_id=row.pk, keys=[one.key])
    row.refresh_from_db()
    return row


def test_what_a_clerk_sends_is_the_residents_own_and_says_who_entered_it_on_what_ground(at_window):
    clerk, lin = at_window
    row = prepared(clerk)
    scan = Scan.objects.get()
    assert (row.applicant, row.channel, row.scan_id) == (str(lin.person), "counter", scan.pk)
    assert row.begun_by == str(clerk.actor.ref)
    assert row.materials.filter(state=Material.HELD, why="窗口扫服务码已经核验").exists()
    row = send(clerk, row)
    leaf = LogLeaf.objects.filter(action="services.begin_application").latest("id")
    assert leaf.actor == str(clerk.actor.ref) and f'"scan":{scan.pk}' in str(leaf.detail.body)

    page = lin.client.get(reverse("services:application", args=[row.pk])).content.decode()
    assert "在窗口提交" in page and row.matter.number in page
    permit = row.cases.get(part="permit")
    assert permit.matter.state == "received"
    actions.accept(clerk.actor, case_id=permit.pk)
    (paper,) = certificates.papers_of(permit.matter.ref)
    client = clerk.client
    pdf = client.get(reverse("services:counter_paper", args=[row.pk, permit.pk, paper.pk]))
    assert pdf.content.startswith(b"%PDF") and "inline" in pdf.headers["Content-Disposition"]
    slip = client.get(reverse("services:counter_slip", args=[row.pk])).content.decode()
    rating = Rating.objects.get(rated=str(behalf.ticket_of(clerk.actor).ref))
    assert paper.number in slip and rating.number in slip and row.password in slip
    assert opens(rating, slip.partition("评价码 <b>")[2][:8]) and rating.rater == str(lin.person)


def test_after_the_number_ended_nothing_of_it_is_reached_by_id(at_window, province, as_resident):
    clerk, lin = at_window
    row = prepared(clerk)
    row = send(clerk, row)
    other = actions.begin(clerk.actor, bundle=BUNDLE, answers=CLINIC)
    draft = fill(clerk.actor, other)
    finish(clerk)
    client = clerk.client
    addresses = [
        reverse("services:counter_application", args=[row.pk]),
        reverse("services:counter_application", args=[other.pk]),
        reverse("services:counter_slip", args=[row.pk]),
        reverse("services:counter_results"),
    ]
    for address in addresses:
        assert client.get(address).headers["Location"] == reverse("services:counter")
    with pytest.raises((NotThere, Denied)):
        actions.choose_delivery(clerk.actor, application_id=other.pk, delivery="window")
    assert client.get(reverse("forms:check", args=[draft.pk])).status_code in (403, 404)
    # The window's office may read what it handles, masked like everybody else.
    sent = client.get(reverse("forms:sent", args=[row.snapshot_id])).content.decode()
    assert "13812345678" not in sent
    # With the next person at the window it stays closed too.
    call(clerk, code_of(province, "ouyangzhuqing"))
    assert behalf.serving(clerk.actor) is not None
    assert all(client.get(address).status_code == 404 for address in addresses[:3])
    assert Draft.objects.filter(pk=draft.pk).exists() and Snapshot.objects.filter(pk=row.snapshot_id).exists()


def test_without_a_scan_nothing_is_begun_and_online_applications_stay_with_the_resident(
    clerk, as_resident, province
):
    lin = as_resident("林晓禾", number=LIN)
    mine = actions.begin(lin.actor, bundle=BUNDLE, answers=CLINIC)
    with pytest.raises(behalf.NobodyServed):
        actions.begin(clerk.actor, bundle=BUNDLE, answers=CLINIC)
    call(clerk, code_of(province))
    page = clerk.client.get(reverse("services:counter_application", args=[mine.pk]))
    assert page.status_code == 404
    assert clerk.client.get(reverse("services:counter_find")).content.decode().count("没有提交") == 0


def test_a_silent_source_leaves_the_material_to_staff_and_the_person_is_not_asked(at_window):
    clerk, lin = at_window
    registry = sources.source("exchange.real_estate")

    def silent(*asked):
        raise sources.SourceDown("市自然资源和规划局没有答复。")

    sources.drop(registry.key)
    sources.register(replace(registry, fetch=silent, off=""))
    try:
        row = actions.begin(clerk.actor, bundle=BUNDLE, answers=CLINIC)
        premises = row.materials.get(key="premises")
        address = reverse("services:counter_fetch", args=[row.pk])
        clerk.client.post(address, {"key": ["premises"]})
        premises.refresh_from_db()
        assert premises.state == Material.AVAILABLE, "not before the person agreed"
        clerk.client.post(address, {"key": ["premises"], "agreed": "1"})
    finally:
        sources.drop(registry.key)
        sources.register(registry)
    premises.refresh_from_db()
    assert premises.state == Material.TO_VERIFY
    consent = Consent.objects.get(case=str(row.ref))
    assert (consent.channel, consent.evidence) == ("counter", f"code_scan:{row.scan_id}")
    pull = sources.Pull.objects.get(case=str(row.ref))
    assert pull.receipt == premises.receipt
    with pytest.raises(StepNotAllowed, match="不向申请人收取"):
        actions.bring(clerk.actor, material_id=premises.pk)
    page = clerk.client.get(reverse("services:counter_application", args=[row.pk])).content.decode()
    assert "由工作人员核验" in page


def test_an_agent_whose_mandate_ends_meanwhile_is_refused_by_name(clerk, province, as_resident):
    firm = ("913299990000000198", "虚构一号口腔门诊部有限公司")
    boss = as_resident("林晓禾", number=LIN, firm=firm)
    agent = as_resident("何俊", number="329999198507031333")
    made = registers.give_mandate(
        boss.actor,
        agent_name="何俊",
        agent_number="329999198507031333",
        principal=str(boss.actor.organisation),
        valid_to=date(2023, 10, 1),
    )
    registers.confirm_own_mandate(agent.actor, mandate_id=made.pk)
    call(clerk, code_of(province, "hejun", "0"))
    served = behalf.serving(clerk.actor)
    assert served.agent == agent.person and served.mandate_id == made.pk
    row = actions.begin(clerk.actor, bundle=BUNDLE, answers=CLINIC)
    assert (row.applicant, row.mandate_id) == (str(boss.actor.organisation), made.pk)
    with at("2022-10-20 10:00"):
        registers.end_own_mandate(boss.actor, mandate_id=made.pk)
    with at("2022-10-20 11:00"):
        with pytest.raises(StepNotAllowed, match=r"何\*为虚构一号口腔门诊部有限公司办事的授权.*终止"):
            actions.begin(clerk.actor, bundle=BUNDLE, answers=CLINIC)
        assert clerk.client.get(reverse("services:counter_application", args=[row.pk])).status_code == 404
        finish(clerk)
        page = call(clerk, code_of(province, "hejun", "0"))
        assert "何*为虚构一号口腔门诊部有限公司办事的授权" in page.content.decode()
        assert behalf.serving(clerk.actor) is None


def test_a_code_scanned_twice_and_a_form_sent_twice_do_it_once(at_window, province):
    clerk, _ = at_window
    address = f"{reverse('services:counter_begin', args=['item:zhensuo_beian'])}?asked=1"
    given = {"once": "a" * 20}
    first, second = clerk.client.post(address, given), clerk.client.post(address, given)
    assert first.status_code == second.status_code == 302
    row = Application.objects.get()
    assert row.applicant == str(behalf.serving(clerk.actor).holder)
    raw = code_of(province)
    clerk.client.post(reverse("services:counter"), {"raw": raw})
    again = clerk.client.post(reverse("services:counter"), {"raw": raw})
    assert "用过" in again.content.decode() and behalf.serving(clerk.actor) is not None


def test_results_are_handed_out_by_scan_and_the_receipt_names_who_received(at_window, province, put):
    clerk, lin = at_window
    row = send(lin, ready(lin, delivery=Application.WINDOW))
    officer, head = (
        put("yi", "weijianwei", "matters.officer"),
        put("zhang", "weijianwei", "matters.head"),
    )
    builder, chief = put("jian", "zhujianju", "matters.officer"), put("zhu", "zhujianju", "matters.head")
    cases = {one.part: one.matter for one in row.cases.select_related("matter")}
    for someone, boss, part in ((officer, head, "permit"), (builder, chief, "drain")):
        step(someone.actor, cases[part], "accept")
        step(boss.actor, cases[part], "refuse", reason="不符合条件")
    row.matter.refresh_from_db()
    assert row.matter.state == "handing_out"
    client = clerk.client
    page = client.get(reverse("services:counter")).content.decode()
    assert "领取结果" in page
    assert "交给林**" in client.get(reverse("services:counter_results")).content.decode()
    client.post(reverse("services:counter_hand_over", args=[row.pk]))
    work_off()
    row.matter.refresh_from_db()
    assert row.matter.state == "closed"
    (receipt,) = certificates.papers_of(row.matter.ref)
    scan = behalf.serving(clerk.actor).scan_id
    assert f"林晓禾（本人，出示服务码确认，扫码记录 {scan}）" in masking.plain(receipt, "statement")
    assert Case.objects.filter(application=row, matter__state="refused").count() == 2
    # Somebody else does not get it.
    finish(clerk)
    call(clerk, code_of(province, "ouyangzhuqing"))
    with pytest.raises(NotThere):
        actions.hand_over(clerk.actor, application_id=row.pk)


def test_whoever_was_served_is_asked_once_and_the_clerk_cannot_rate(at_window):
    clerk, lin = at_window
    ticket = finish(clerk)
    rating = Rating.objects.get(rated=str(ticket.ref))
    assert (rating.rater, rating.clerk) == (str(lin.person), str(clerk.actor.ref))
    with pytest.raises((NotThere, Denied)):
        services.ratings.give(clerk.actor, rating_id=rating.pk, level=5)
    services.ratings.give(lin.actor, rating_id=rating.pk, level=5)
    assert Ticket.objects.get(pk=ticket.pk).state == "served"


def test_the_screen_before_a_window_shows_the_code_only_when_the_number_is_done(at_window):
    clerk, lin = at_window
    public = Client(SERVER_NAME="localhost")
    address = reverse("services:hall_window", args=["hall", window_code("hall", "综合窗口1号")])
    assert "A001" in public.get(address).content.decode()
    ticket = finish(clerk)
    shown = public.get(address).content.decode()
    rating = Rating.objects.get(rated=str(ticket.ref))
    code = shown.partition("评价码 <b>")[2][:8]
    assert rating.number in shown and opens(rating, code)
    page = public.get(reverse("services:rate"), {"number": rating.number, "code": code})
    assert f'value="{code}"' in page.content.decode()
    services.ratings.give(lin.actor, rating_id=rating.pk, level=4)
    assert rating.number not in public.get(address).content.decode()
    wrong = reverse("services:hall_window", args=["hall", window_code("hall", "综合窗口2号") + "x"])
    assert public.get(wrong).status_code == 404


def test_pages_of_the_counter_keep_their_query_budgets(at_window):
    clerk, _ = at_window
    row = prepared(clerk)
    client, found = clerk.client, {}
    pages = {
        "counter_serving": reverse("services:counter"),
        "counter_find": reverse("services:counter_find") + "?q=开诊所",
        "counter_application": reverse("services:counter_application", args=[row.pk]),
        "counter_results": reverse("services:counter_results"),
    }
    for name, address in pages.items():
        found[name] = queries_of(client, address)
    row = send(clerk, row)
    found["counter_sent"] = queries_of(client, reverse("services:counter_application", args=[row.pk]))
    budgets = json.loads(BUDGETS.read_text())
    assert {name: n for name, n in found.items() if n > budgets[name] + SLACK} == {}, found


def queries_of(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)
