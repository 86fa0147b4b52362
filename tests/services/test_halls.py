"""Halls: slots and who may have them, queues in a fair and explained order, one ticket for one clerk, codes at the window."""

import json
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection, connections
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
from liangzhu.beams.people.directory.models import Unit, UnitSpell
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.registers import links
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.trust.sources.models import Read
from liangzhu.kernel import crypto, limits
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import at, shanghai
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.simulating import serving
from liangzhu.pillars.services import actions, api, halls, handlers, queries
from liangzhu.pillars.services.models import Appointment, Ticket

PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"
BUDGETS = Path(__file__).with_name("query_budgets_halls.json")
MACHINE = Actor(ref=Ref("hall_kiosk", "hall"), label="取号机")
SLACK = 4
SLOT = shanghai(2022, 10, 21, 9, 30)
MONDAY = shanghai(2022, 10, 24, 9, 30)

STRANGER = crypto.sm3(b"a key that no province has")

pytestmark = pytest.mark.django_db


@pytest.fixture
def items_loaded(db, settings):
    """One unit: nothing here asks for the pack's units or items."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    limits.forget()
    unit = Unit.objects.create(key="shenpiju", kind=Unit.DEPARTMENT)
    UnitSpell.objects.create(
        unit=unit, name="某区行政审批局", short_name="区审批局", valid_from=date(2020, 1, 1), source="测试"
    )


@pytest.fixture(autouse=True)
def day(items_loaded):
    with at("2022-10-20 09:00"):
        yield


@pytest.fixture
def clerk(put):
    return sit(put("jiang", "shenpiju", "codes.window"), "综合窗口1号")


def sit(someone, device):
    code_actions.set_up_desk(
        someone.actor, outlet="hall", device=device, identity_number="329999198001011239"
    )
    return someone


@pytest.fixture
def second(put):
    return sit(put("su", "shenpiju", "codes.window"), "综合窗口2号")


@pytest.fixture(scope="module")
def simulator():
    made = make(PACK)
    with serving(made) as address:
        made.address = address
        yield made


@pytest.fixture
def province(simulator):
    hall = Hall(
        simulator.address, DEMO_APP, DEMO_SECRET, simulator.wording, keys=simulator.public, seconds=1, rest=0
    )
    codes.register_issuer("province", "苏服码", hall)
    yield simulator
    codes.drop_issuer("province")


def code_of(province, *licences, key="linxiaohe"):
    session = province.begin(province._showing(key, ""))
    text = province.make(session, [province.wording.licences[one][1] for one in licences]).text
    return texts.write(text)


def take(business="general", **more):
    return actions.halls.take(MACHINE, hall="hall", business=business, **more)


def book(resident, starts_at=SLOT, business="general"):
    return actions.halls.book(resident.actor, hall="hall", business=business, starts_at=starts_at)


def serve_out(clerk, ticket):
    actions.halls.start(clerk.actor, ticket_id=ticket.pk)
    return actions.halls.finish(clerk.actor, ticket_id=ticket.pk)


class TestRoster:
    def test_windows_and_halls_are_those_of_the_outlets_that_scan(self):
        assert set(halls.rules().halls) <= set(codes.outlets())

    def test_a_hall_is_open_in_its_hours_on_working_days_and_in_others_on_days_off(self):
        hall, street = halls.hall("hall"), halls.hall("xinpu")
        assert hall.open_at(shanghai(2022, 10, 20, 11, 59)) and not hall.open_at(shanghai(2022, 10, 20, 12))
        # National Day is a day off, the Saturday after it is worked.
        assert not hall.open_at(shanghai(2022, 10, 3, 10)) and hall.open_at(shanghai(2022, 10, 8, 10))
        assert street.open_at(shanghai(2022, 10, 22, 10)) and not street.open_at(shanghai(2022, 10, 22, 15))
        assert len(hall.slots(SLOT.date())) == 6 + 7


class TestAppointments:
    def test_a_slot_takes_as_many_as_it_holds_and_a_cancelled_one_is_free_at_once(self, as_resident):
        people = [as_resident(name) for name in ("林晓禾", "何骏")]
        first = [book(one, business="enterprise") for one in people]
        third = as_resident("欧阳竹青")
        with pytest.raises(Conflict, match="约满"):
            book(third, business="enterprise")
        actions.halls.cancel(people[0].actor, appointment_id=first[0].pk)
        assert book(third, business="enterprise").state == "booked"

    def test_nobody_holds_more_than_the_rules_allow_nor_two_at_once(self, as_resident):
        lin = as_resident("林晓禾")
        book(lin)
        with pytest.raises(StepNotAllowed, match="已经有一个预约"):
            book(lin, business="social")
        book(lin, SLOT + timedelta(minutes=30))
        with pytest.raises(StepNotAllowed, match="最多有 2 个"):
            book(lin, SLOT + timedelta(minutes=60))

    @pytest.mark.parametrize(
        ("starts_at", "business", "field"),
        [
            (shanghai(2022, 10, 20, 8, 30), "general", "starts_at"),
            (shanghai(2022, 10, 21, 12, 0), "general", "starts_at"),
            (shanghai(2022, 10, 21, 9, 31), "general", "starts_at"),
            (shanghai(2022, 10, 22, 9, 30), "general", "starts_at"),
            (shanghai(2022, 11, 21, 9, 30), "general", "starts_at"),
            (SLOT, "collect", "business"),
        ],
    )
    def test_what_cannot_be_booked_is_refused_at_its_field(self, as_resident, starts_at, business, field):
        with pytest.raises(Invalid) as wrong:
            book(as_resident("林晓禾"), starts_at, business)
        assert list(wrong.value.fields) == [field]

    def test_an_agent_books_for_an_enterprise_and_others_see_nothing_of_it(self, as_resident):
        agent = as_resident("何骏", firm=("913299990000000198", "虚构一号口腔门诊部有限公司"))
        made = book(agent)
        assert made.holder.startswith("organisation:") and str(made.person_id) == agent.actor.person.id
        assert [one.for_whom for one in queries.halls.appointments(agent.actor)] == [
            "虚构一号口腔门诊部有限公司"
        ]
        stranger = as_resident("林晓禾")
        assert queries.halls.appointments(stranger.actor) == []
        with pytest.raises(NotThere):
            actions.halls.cancel(stranger.actor, appointment_id=made.pk)

    def test_one_is_reminded_once_and_who_does_not_come_is_noted(self, as_resident):
        lin = as_resident("林晓禾")
        made = book(lin, MONDAY)
        handlers.keep_halls()
        assert not Message.objects.filter(key__endswith=":soon").exists()
        with at("2022-10-23 12:00"):
            handlers.keep_halls()
            handlers.keep_halls()
            assert Message.objects.filter(person_id=made.person_id, key__endswith=":soon").count() == 1
        with at("2022-10-24 09:50"):
            handlers.keep_halls()
        made.refresh_from_db()
        assert made.state == "missed"
        assert Message.objects.filter(person_id=made.person_id, key__endswith=":missed").count() == 1

    def test_one_reports_by_number_once_and_too_late_waits_like_everybody(self, as_resident):
        lin, he = as_resident("林晓禾"), as_resident("何骏")
        soon, later = book(lin), book(he)
        with at("2022-10-21 09:32"):
            assert actions.halls.arrive(MACHINE, hall="hall", number=soon.number).on_time
            with pytest.raises(Invalid):
                actions.halls.arrive(MACHINE, hall="hall", number=soon.number)
            with pytest.raises(Invalid, match="没有这个预约"):
                actions.halls.arrive(MACHINE, hall="hall", number="000000x")
        with at("2022-10-21 09:50"):
            assert not actions.halls.arrive(MACHINE, hall="hall", number=later.number).on_time
            later.refresh_from_db()
            assert later.state == "missed"
            with pytest.raises(Invalid, match="已经换过号"):
                actions.halls.arrive(MACHINE, hall="hall", number=later.number)


class TestQueue:
    def test_numbers_run_by_business_and_only_while_the_hall_is_open(self):
        assert [take().number, take("social").number, take().number] == ["A001", "C001", "A002"]
        with pytest.raises(Denied):
            actions.halls.take(MACHINE, hall="xinpu", business="general")
        with at("2022-10-20 12:30"), pytest.raises(StepNotAllowed, match="现在不取号"):
            take()

    def test_appointments_at_their_time_then_priority_then_order_and_nobody_waits_for_ever(
        self, clerk, as_resident
    ):
        early = book(as_resident("林晓禾"), shanghai(2022, 10, 20, 9, 30))
        with at("2022-10-20 09:05"):
            plain = take()
            actions.halls.arrive(MACHINE, hall="hall", number=early.number)
            old = [take(priority="elderly") for _ in range(3)]
        called = []
        for moment in ("09:10", "09:11", "09:31", "09:32", "09:33"):
            with at(f"2022-10-20 {moment}"):
                ticket = actions.halls.call_next(clerk.actor)
                called.append((ticket.number, ticket.why))
                serve_out(clerk, ticket)
        appointed = Ticket.objects.get(appointment=early).number
        assert called == [
            (old[0].number, "priority"),
            (old[1].number, "priority"),
            (appointed, "appointment"),
            (plain.number, "turn"),
            (old[2].number, "priority"),
        ]
        with at("2022-10-20 09:40"), pytest.raises(NotThere):
            actions.halls.call_next(clerk.actor)

    def test_a_number_is_missed_after_three_calls_and_not_before(self, clerk):
        take()
        ticket = actions.halls.call_next(clerk.actor)
        with pytest.raises(StepNotAllowed, match="要叫满 3 次"):
            actions.halls.pass_over(clerk.actor, ticket_id=ticket.pk)
        for _ in range(2):
            actions.halls.call_again(clerk.actor, ticket_id=ticket.pk)
        with pytest.raises(StepNotAllowed):
            actions.halls.call_again(clerk.actor, ticket_id=ticket.pk)
        assert actions.halls.pass_over(clerk.actor, ticket_id=ticket.pk).state == "missed"

    def test_who_is_sent_to_another_queue_keeps_the_place_in_time(self, clerk, second):
        with at("2022-10-20 09:05"):
            take("enterprise")
        with at("2022-10-20 09:20"):
            take("social")
            ticket = actions.halls.call_next(clerk.actor)
            moved = actions.halls.move(clerk.actor, ticket_id=ticket.pk, business="social")
            assert actions.halls.call_next(second.actor).number == moved.number

    def test_a_clerk_has_one_at_a_time_only_the_own_and_only_the_business_of_the_window(self, clerk, second):
        take("enterprise")
        with pytest.raises(NotThere):
            actions.halls.call_next(second.actor)
        ticket = actions.halls.call_next(clerk.actor)
        with pytest.raises(StepNotAllowed, match="还在您这里"):
            actions.halls.call_next(clerk.actor)
        with pytest.raises(Denied):
            actions.halls.start(second.actor, ticket_id=ticket.pk)
        with pytest.raises(StepNotAllowed):
            actions.halls.close_window(clerk.actor)

    def test_yesterdays_queue_is_over_in_the_morning(self, clerk):
        take(), take()
        actions.halls.call_next(clerk.actor)
        with at("2022-10-21 08:00"):
            handlers.keep_halls()
            assert set(Ticket.objects.values_list("state", flat=True)) == {"left"}

    def test_days_are_deleted_when_their_time_is_over_and_an_appointment_holds_its_person(
        self, clerk, second, as_resident
    ):
        lin = as_resident("林晓禾")
        made = book(lin)
        people = registers.family(str(lin.person))
        (held,) = [one for one in links.referrers() if one.name == "services.appointments"]
        assert held.open_for(people) == 1 and not held.works_on(clerk.actor, people)
        first = take()
        actions.halls.call_next(clerk.actor)
        actions.halls.move(clerk.actor, ticket_id=first.pk, business="social")
        with at("2023-10-20 09:00"):
            handlers.keep_halls()
            assert Ticket.objects.count() == 2
        with at("2023-10-22 09:00"):
            handlers.keep_halls()
        assert not Ticket.objects.exists() and not Appointment.objects.filter(pk=made.pk).exists()
        assert held.open_for(people) == 0

    def test_waits_are_told_from_what_visits_really_took(self, clerk):
        assert queries.halls.now_in(clerk.actor, ["hall"])[0].queues[0].minutes is None
        for n in range(3):
            with at(f"2022-10-20 09:{10 + 10 * n}"):
                take()
                ticket = actions.halls.call_next(clerk.actor)
                actions.halls.start(clerk.actor, ticket_id=ticket.pk)
            with at(f"2022-10-20 09:{16 + 10 * n}"):
                actions.halls.finish(clerk.actor, ticket_id=ticket.pk)
        take(), take()
        queue = queries.halls.now_in(clerk.actor, ["hall"])[0].queues[0]
        assert (queue.waiting, queue.windows, queue.minutes) == (2, 1, 12)


@pytest.mark.django_db(transaction=True)
def test_two_clerks_who_press_next_at_once_never_get_the_same_ticket(clerk, second):
    for _ in range(12):
        take()
    got, wrong = [], []
    gate = Barrier(2)

    def work(someone):
        try:
            actor = someone.actor
            for _ in range(6):
                gate.wait(30)
                with at("2022-10-20 09:30"):
                    ticket = actions.halls.call_next(actor)
                    got.append(ticket.number)
                    serve_out(someone, ticket)
        except Exception as problem:
            wrong.append(problem)
            gate.abort()
        finally:
            connections.close_all()

    threads = [Thread(target=work, args=(one,)) for one in (clerk, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert sorted(got) == [f"A{n:03}" for n in range(1, 13)]


class TestCounter:
    def test_a_code_says_who_is_served_for_this_ticket_only_and_the_person_can_follow_it(
        self, clerk, province
    ):
        take()
        client = clerk.client
        client.post(reverse("services:counter_step", args=["next"]))
        assert api.serving(clerk.actor) is None
        page = client.post(
            reverse("services:counter"),
            {"raw": code_of(province, "identity_card"), "items": ["identity_card", "doctor"]},
        )
        assert page.status_code == 302
        found, ticket = api.serving(clerk.actor), Ticket.objects.get()
        assert (found.ticket, found.holder_kind, found.agent) == (ticket.ref, "person", None)
        assert found.consented == ("service_code:identity_card",)
        assert ticket.state == "serving"
        line = Read.objects.get(thing=str(Ref("code_scan", str(found.scan_id))))
        assert line.case == str(ticket.ref) and line.channel == "code"
        text = client.get(reverse("services:counter")).content.decode()
        assert "林**" in text and "居民身份证" in text and "只限 A001 这一件" in text
        client.post(reverse("services:counter_step", args=["finish"]), {"ticket": ticket.pk})
        assert api.serving(clerk.actor) is None

    def test_what_casework_offers_stands_on_the_counter_for_whoever_is_served(
        self, clerk, province, monkeypatch
    ):
        monkeypatch.setattr(halls, "_offers", {})
        api.offer_at_counter(
            "begin", "代为申办", lambda actor, found: f"/begin/{found.scan_id}/" if found.holder else ""
        )
        with pytest.raises(ValueError, match="twice"):
            api.offer_at_counter("begin", "代为申办", lambda actor, found: "")
        take()
        client = clerk.client
        client.post(reverse("services:counter_step", args=["next"]))
        assert "代为申办" not in client.get(reverse("services:counter")).content.decode()
        client.post(reverse("services:counter"), {"raw": code_of(province)})
        number = Scan.objects.get().pk
        page = client.get(reverse("services:counter")).content.decode()
        assert f'href="/begin/{number}/" data-step="1"' in page and "代为申办 <kbd>Alt 1</kbd>" in page

    def test_bad_codes_are_answered_by_name_and_nobody_is_served_by_them(self, clerk, province):
        take()
        client = clerk.client
        client.post(reverse("services:counter_step", args=["next"]))
        good = code_of(province)
        session = province.begin(province._showing("hejun", ""))
        photographed = texts.write(province.make(session, []).text)
        province.make(session, [])
        forged = texts.write(texts.sign(texts.read(good, province.wording.marks), STRANGER))
        for raw, words in [
            ("HELLO", "不是服务码"),
            (forged, "签名不对"),
            (photographed, "又换了新码"),
        ]:
            page = client.post(reverse("services:counter"), {"raw": raw})
            assert page.status_code >= 400 and words in page.content.decode()
            assert api.serving(clerk.actor) is None
        client.post(reverse("services:counter"), {"raw": good})
        replayed = client.post(reverse("services:counter"), {"raw": good})
        assert "用过" in replayed.content.decode() and api.serving(clerk.actor) is not None
        assert good[:60] not in replayed.content.decode()

    def test_without_a_code_one_goes_by_the_document(self, clerk):
        take()
        client = clerk.client
        client.post(reverse("services:counter_step", args=["next"]))
        ticket = Ticket.objects.get()
        client.post(reverse("services:counter_step", args=["start"]), {"ticket": ticket.pk})
        given = {
            "name": "林晓禾",
            "document_kind": "citizen_id",
            "document_number": "329999198803121026",
            "reason": "没有手机",
            "seen": "on",
            "case": str(ticket.ref),
        }
        assert client.post(reverse("codes:document"), given).status_code == 302
        found = api.serving(clerk.actor)
        assert found is not None and found.holder is None and found.consented == ()

    def test_an_appointment_is_found_by_the_code_of_whoever_comes(self, clerk, province, as_resident):
        take()
        client = clerk.client
        page = client.post(reverse("services:arrivals"), {"raw": code_of(province)})
        assert "没有预约" in page.content.decode()
        holder = Scan.objects.get().person_id

        made = book(as_resident("林晓禾"), shanghai(2022, 10, 20, 9, 30))
        Appointment.objects.filter(pk=made.pk).update(person_id=holder, holder=f"natural_person:{holder}")
        client.post(reverse("services:arrivals"), {"raw": code_of(province)})
        assert Ticket.objects.get(appointment=made).on_time

    def test_staff_without_the_role_and_residents_do_not_reach_the_counter(self, put, as_resident):
        other = put("bie", "shenpiju", "services.editor")
        assert other.client.get(reverse("services:counter")).status_code == 403
        assert as_resident("林晓禾").client.get(reverse("services:counter")).status_code == 302
        with pytest.raises(Denied):
            actions.halls.call_next(other.actor)

    def test_a_desk_that_is_no_window_is_told_so(self, put):
        other = sit(put("zizhu", "shenpiju", "codes.window"), "自助终端1号")
        page = other.client.get(reverse("services:counter"))
        assert page.url == f"{reverse('codes:desk')}?next=%2Fcounter%2F"


class TestPublicPages:
    def test_the_machine_gives_a_number_and_the_slip_tells_where_it_stands(self, clerk):
        from liangzhu.pillars.services.pages.halls import kiosk_code

        client = Client(SERVER_NAME="localhost")
        assert client.get(reverse("services:hall_kiosk", args=["hall", "0" * 16])).status_code == 404
        address = reverse("services:hall_kiosk", args=["hall", kiosk_code("hall")])
        assert "请选择办什么" in client.post(address, {"priority": ""}).content.decode()
        take()
        slip = client.post(address, {"business": "general"})
        assert "前面还有 1 人" in client.get(slip.url).content.decode()
        actions.halls.call_next(clerk.actor)
        assert "下一个就是您" in client.get(slip.url).content.decode()
        guessed = reverse("services:hall_number", args=["hall", "A001", "0" * 16])
        assert client.get(guessed).status_code == 404

    def test_the_screen_shows_numbers_and_windows_and_no_name(self, clerk, province):
        client = Client(SERVER_NAME="localhost")
        screen = reverse("services:hall_screen", args=["hall"])
        take(), take()
        actions.halls.call_next(clerk.actor)
        text = client.get(screen).content.decode()
        assert "A001" in text and "综合窗口1号" in text and "A002" not in text
        assert 'http-equiv="refresh"' in text and "aria-live" in text
        clerk.client.post(reverse("services:counter"), {"raw": code_of(province)})
        assert "林" not in client.get(screen).content.decode()

    def test_a_resident_books_on_the_page_and_what_was_full_meanwhile_is_said(self, as_resident):
        lin, he, ou = (as_resident(name) for name in ("林晓禾", "何骏", "欧阳竹青"))
        address = reverse("services:hall_book", args=["hall", "enterprise"]) + "?day=2022-10-21"
        assert "09:30，还有 2 个" in lin.client.get(address).content.decode()
        for one in (lin, he):
            assert one.client.post(address, {"starts_at": SLOT.isoformat()}).status_code == 302
        late = ou.client.post(address, {"starts_at": SLOT.isoformat()})
        assert late.status_code == 409 and "刚刚约满" in late.content.decode()
        assert lin.client.post(address, {"starts_at": "nonsense"}).status_code == 404
        text = lin.client.get(reverse("services:my_appointments")).content.decode()
        assert Appointment.objects.filter(person_id=int(lin.actor.person.id)).get().number in text


def test_the_leaders_figures_are_counted_from_tickets_appointments_and_scans(clerk, as_resident):
    for minutes in (1, 2, 10):
        with at("2022-10-20 09:10"):
            take()
        with at(f"2022-10-20 09:{10 + minutes}"):
            serve_out(clerk, actions.halls.call_next(clerk.actor))
    book(as_resident("林晓禾"), shanghai(2022, 10, 20, 9, 30))
    with at("2022-10-20 10:30"):
        handlers.keep_halls()
        found = queries.halls.figures(clerk.actor)
    one = next(row for row in found.halls if row.hall.key == "hall")
    assert (one.tickets, one.served, one.wait_half, one.wait_most) == (3, 3, 120, 600)
    assert one.hours == [(9, 3)] and one.no_show_rate == 1.0
    assert found.coverage.outlets == 3 and found.coverage.used == 0


def test_pages_keep_their_query_budgets(clerk, as_resident):
    budgets = json.loads(BUDGETS.read_text())
    lin = as_resident("林晓禾")
    book(lin)
    take(), take("social")
    actions.halls.call_next(clerk.actor)
    public = Client(SERVER_NAME="localhost")
    pages = {
        "halls": (public, reverse("services:halls")),
        "hall": (public, reverse("services:hall", args=["hall"])),
        "screen": (public, reverse("services:hall_screen", args=["hall"])),
        "mine": (lin.client, reverse("services:my_appointments")),
        "book": (lin.client, reverse("services:hall_book", args=["hall", "general"])),
        "counter": (clerk.client, reverse("services:counter")),
        "figures": (clerk.client, reverse("services:hall_figures")),
    }
    found = {}
    for name, (client, address) in pages.items():
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        found[name] = len(seen)
    # A few more where a clock's or a tree's held copy ran out meanwhile.
    over = {name: (n, budgets[name]) for name, n in found.items() if n > budgets[name] + SLACK}
    assert over == {}, found
