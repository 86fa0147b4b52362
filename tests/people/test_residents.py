"""The resident's side: sessions, acting for others, mandates, consents, messages; nothing is done in the wrong name."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.beams.people.residents import actions, consenting, handlers, hooks, sessions
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.models import Consent, Message, ResidentSession
from liangzhu.kernel import worker
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import ANONYMOUS, SYSTEM
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at, now
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref

BUDGETS = Path(__file__).with_name("query_budgets_residents.json")
SLACK = 4
FIRM = ("913299990000000198", "虚构一号口腔门诊部有限公司")
DAY = "2022-10-20 09:00"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def day():
    with at(DAY):
        yield


@action("tests.consent_for_test")
def consent_in_an_action(act, **given):
    act.check(public)
    row = consenting.give_consent(act, **given)
    return row


def give(actor, subject, **more):
    given = {
        "source": "household",
        "fields": ["address", "since"],
        "purpose": "核对住所",
        "case": "matter:12",
        "channel": "portal",
        "until": date(2022, 11, 20),
    }
    return consent_in_an_action(actor, subject=subject, **(given | more))


def mandate(giver, taker, name="何俊", **more):
    """A mandate that ``giver`` gives to ``taker``, not confirmed yet."""
    person = NaturalPerson.objects.get(pk=taker.person.id)
    number = person._meta.get_field("document_number").plain(person)
    given = {"agent_name": name, "agent_number": number, "valid_to": date(2023, 1, 1)}
    return registers.give_mandate(giver.actor, principal=str(giver.actor.principal), **(given | more))


def deliver():
    while worker.deliver_due():
        pass


class TestSessions:
    def test_idle_for_too_long_is_over_and_the_page_leads_back(self, as_resident, settings):
        lin = as_resident()
        late = sessions.machine_now() - timedelta(minutes=settings.LIANGZHU_RESIDENT_MINUTES, seconds=1)
        ResidentSession.objects.update(seen_at=late)
        answer = lin.client.get("/my/messages/")
        assert answer.url == "/my/sign-in/?next=%2Fmy%2Fmessages%2F&level=1"
        assert ResidentSession.objects.get().end_reason == "idle"

    def test_a_session_that_is_used_lives_but_not_for_ever(self, as_resident):
        lin = as_resident()
        ResidentSession.objects.update(seen_at=sessions.machine_now() - timedelta(minutes=10))
        assert lin.client.get("/my/").status_code == 200
        assert ResidentSession.objects.get().seen_at > sessions.machine_now() - timedelta(minutes=1)
        ResidentSession.objects.update(began_at=sessions.machine_now() - sessions.LONGEST)
        assert lin.client.get("/my/").status_code == 302

    def test_one_sees_and_ends_the_own_sessions_only(self, as_resident):
        here, there, other = as_resident(), as_resident(), as_resident("何俊")
        page = here.client.get("/my/sessions/").content.decode()
        assert f"/my/sessions/{there.session_id}/end/" in page
        assert f"/my/sessions/{other.session_id}/end/" not in page
        assert here.client.post(f"/my/sessions/{other.session_id}/end/").status_code == 404
        here.client.post(f"/my/sessions/{there.session_id}/end/")
        assert there.client.get("/my/").status_code == 302 and other.client.get("/my/").status_code == 200

    def test_all_others_are_ended_at_once(self, as_resident):
        here, there, third = as_resident(), as_resident(), as_resident()
        here.client.post("/my/sessions/end-others/")
        assert [one.client.get("/my/").status_code for one in (here, there, third)] == [200, 302, 302]

    def test_signing_out_leaves_nothing_in_the_browser(self, as_resident):
        lin = as_resident()
        lin.client.post("/my/sign-out/")
        assert sessions.KEY not in lin.client.session
        assert ResidentSession.objects.get().end_reason == "own"

    def test_what_changes_something_asks_for_the_token_of_the_form(self, as_resident):
        lin = as_resident()
        strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
        strict.cookies = lin.client.cookies
        for path in ("/my/sign-out/", "/my/acting/", "/my/sessions/end-others/"):
            assert strict.post(path).status_code == 403
        assert ResidentSession.objects.get().ended_at is None

    def test_the_death_of_a_person_ends_the_sessions(self, as_resident):
        lin = as_resident()
        NaturalPerson.objects.update(state="dead", died_on="2022-10-19")
        assert lin.client.get("/my/").status_code == 302
        assert ResidentSession.objects.get().end_reason == "person"

    def test_what_was_not_used_for_long_is_deleted(self, as_resident):
        as_resident()
        ResidentSession.objects.update(seen_at=sessions.machine_now() - timedelta(days=31))
        handlers.sweep_sessions()
        assert not ResidentSession.objects.exists()


class TestBesideStaff:
    def test_staff_who_sign_in_end_the_residents_session_in_this_browser(self, as_resident, officer):
        lin = as_resident()
        form = {"login": officer.username, "password": "a-long-enough-secret"}
        assert lin.client.post("/account/login/", form).status_code == 302
        assert ResidentSession.objects.get().end_reason == "staff"
        assert sessions.KEY not in lin.client.session
        assert lin.client.get("/my/").url.startswith("/my/sign-in/")

    def test_staff_are_told_before_a_resident_signs_in_and_then_are_out(self, officer):
        client = officer.client
        residents.register_provider("toy", "测试", None)
        try:
            page = client.get("/my/sign-in/", {"next": "/my/"})
        finally:
            residents.drop_provider("toy")
        assert page.status_code == 200 and "工作台登录就此退出" in page.content.decode()

    def test_pages_of_staff_are_closed_to_residents(self, as_resident):
        lin = as_resident()
        for path in ("/work/", "/registers/", "/access/accounts/"):
            assert lin.client.get(path).url.startswith("/account/login/")


class TestActing:
    def test_one_click_switches_and_every_page_says_for_whom(self, as_resident):
        lin = as_resident(firm=FIRM)
        firm = Organisation.objects.get()
        lin.client.post("/my/acting/", {"principal": str(lin.person)})
        assert lin.actor.principal == lin.person
        assert "正在为" not in lin.client.get("/").content.decode()
        lin.client.post("/my/acting/", {"principal": str(firm.ref), "next": "/log/"})
        assert lin.actor.principal == firm.ref and lin.actor.on_behalf == firm.ref
        assert (
            "正在为 <b>虚构一号口腔门诊部有限公司</b> 办事（法定代表人）"
            in lin.client.get("/").content.decode()
        )

    def test_whom_one_may_not_act_for_is_refused(self, as_resident):
        as_resident(firm=FIRM)
        he = as_resident("何俊")
        firm = Organisation.objects.get()
        assert he.client.post("/my/acting/", {"principal": str(firm.ref)}).status_code == 403
        assert he.actor.principal == he.person

    @pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example"])
    def test_the_way_back_after_switching_stays_on_this_site(self, as_resident, onward):
        lin = as_resident()
        assert lin.client.post("/my/acting/", {"principal": str(lin.person), "next": onward}).url == "/my/"

    def test_a_mandate_that_ended_ends_the_acting_at_once_and_nothing_is_done(self, as_resident):
        lin, he = as_resident(firm=FIRM), as_resident("何俊")
        given = mandate(lin, he)
        he.client.post(f"/my/mandates/{given.pk}/confirm/")
        firm = str(Organisation.objects.get().ref)
        he.client.post("/my/acting/", {"principal": firm, "mandate": given.pk})
        consent = give(lin.actor, lin.actor.principal)
        assert he.actor.concerns(firm)
        lin.client.post(f"/my/mandates/{given.pk}/end/")
        answer = he.client.post(f"/my/consents/{consent.pk}/end/")
        text = answer.content.decode()
        assert answer.status_code == 403 and "已于 2022年10月20日终止（被代理人撤销）" in text
        assert Consent.objects.get().ended_at is None
        assert he.actor.principal == he.person and he.client.get("/my/").status_code == 200

    def test_a_legal_representative_who_is_no_more_stops_acting(self, as_resident):
        lin, he = as_resident(firm=FIRM), as_resident("何俊")
        Organisation.objects.update(legal_representative=int(he.person.id))
        answer = lin.client.get("/my/")
        assert answer.status_code == 403 and "法定代表人已经不是您" in answer.content.decode()
        assert lin.client.get("/my/").status_code == 200

    def test_a_guardian_acts_for_a_child(self, as_resident):
        lin, child = as_resident(), as_resident("林小苗")
        Mandate.objects.create(
            principal=str(child.person),
            agent=str(lin.person),
            capacity="guardian",
            asked_by="agent",
            valid_from="2022-01-01",
            basis="出生医学证明",
            confirmed_on="2022-01-01",
        )
        number = Mandate.objects.get().pk
        lin.client.post("/my/acting/", {"principal": str(child.person), "mandate": number})
        assert (lin.actor.ward, lin.actor.principal) == (child.person, child.person)
        assert "正在为 <b>林**</b> 办事（监护人）" in lin.client.get("/").content.decode()
        assert lin.client.post(f"/my/mandates/{number}/end/").status_code == 404
        lin.client.post("/my/acting/", {"principal": str(lin.person)})
        assert lin.client.post(f"/my/mandates/{number}/end/").status_code == 409


class TestMandates:
    def test_given_by_one_confirmed_by_the_other_it_holds_and_both_are_told(self, as_resident):
        lin, he = as_resident(firm=FIRM), as_resident("何俊")
        given = mandate(lin, he)
        assert not given.in_force(date(2022, 10, 20))
        deliver()
        assert "请您代办，请确认" in he.client.get("/my/").content.decode()
        he.client.post(f"/my/mandates/{given.pk}/confirm/")
        deliver()
        given.refresh_from_db()
        assert given.in_force(date(2022, 10, 20)) and given.capacity == "company_agent"
        assert [row.title for row in Message.objects.order_by("pk")] == [
            "授权待您确认：虚构一号口腔门诊部有限公司（由您代办）",
            "授权生效：何*（代您办事）",
            "授权生效：虚构一号口腔门诊部有限公司（由您代办）",
        ]

    def test_the_form_gives_it_and_keeps_what_was_typed_when_it_cannot(self, as_resident):
        lin, he = as_resident(), as_resident("何俊")
        person = NaturalPerson.objects.get(pk=he.person.id)
        number = person._meta.get_field("document_number").plain(person)
        form = {"agent_name": "何骏", "agent_number": number, "last_day": "2022-12-31"}
        page = lin.client.post("/my/mandates/give/", form)
        assert page.status_code == 422 and "何骏" in page.content.decode()
        assert "没有找到姓名和证件号码都相符的人" in page.content.decode()
        assert lin.client.post("/my/mandates/give/", form | {"agent_name": "何俊"}).url == "/my/mandates/"
        assert (Mandate.objects.get().valid_to, Mandate.objects.get().capacity) == (
            date(2023, 1, 1),
            "entrusted",
        )

    def test_who_gave_it_cannot_confirm_it_and_others_do_not_see_it(self, as_resident):
        lin, he, other = as_resident(), as_resident("何俊"), as_resident("乔云飞")
        given = mandate(lin, he)
        assert lin.client.post(f"/my/mandates/{given.pk}/confirm/").status_code == 403
        assert other.client.post(f"/my/mandates/{given.pk}/confirm/").status_code == 404
        assert other.client.post(f"/my/mandates/{given.pk}/end/").status_code == 404

    def test_an_agent_cannot_pass_on_what_he_was_given(self, as_resident):
        lin, he, other = as_resident(firm=FIRM), as_resident("何俊"), as_resident("乔云飞")
        given = mandate(lin, he)
        he.client.post(f"/my/mandates/{given.pk}/confirm/")
        he.client.post("/my/acting/", {"principal": str(Organisation.objects.get().ref), "mandate": given.pk})
        with pytest.raises(Denied):
            mandate(he, other, "乔云飞")

    def test_a_level_below_checked_neither_gives_nor_confirms(self, as_resident):
        lin, he = as_resident(level=1), as_resident("何俊")
        with pytest.raises(Denied):
            mandate(lin, he)
        assert lin.client.get("/my/mandates/give/").url.startswith(
            "/my/sign-in/?next=%2Fmy%2Fmandates%2Fgive%2F&level=2"
        )


class TestLevels:
    def test_what_was_typed_stands_on_the_page_again_and_was_not_sent(self, as_resident):
        lin, he = as_resident(level=1), as_resident("何俊")
        form = {"agent_name": "何俊", "agent_number": "x", "last_day": "2022-12-31"}
        away = lin.client.post("/my/mandates/give/", form)
        assert away.url == "/my/sign-in/?next=%2Fmy%2Fmandates%2Fgive%2F&level=2&pause=1"
        kept = json.dumps(lin.client.session[sessions.KEPT], ensure_ascii=False)
        assert "何俊" not in kept and "2022-12-31" not in kept, "typed values are sealed"
        ResidentSession.objects.filter(pk=lin.session_id).update(assurance=2)
        page = lin.client.get("/my/mandates/give/").content.decode()
        assert 'value="何俊"' in page and 'value="2022-12-31"' in page
        assert "还没有提交" in page and not Mandate.objects.exists()
        assert 'value="何俊"' not in lin.client.get("/my/mandates/give/").content.decode()
        del he

    def test_a_button_is_pressed_again_by_the_person(self, as_resident):
        lin, he = as_resident(), as_resident("何俊")
        given = mandate(lin, he)
        ResidentSession.objects.filter(pk=he.session_id).update(assurance=1)
        path = f"/my/mandates/{given.pk}/confirm/"
        he.client.post(path, headers={"referer": "http://localhost/my/mandates/"})
        ResidentSession.objects.filter(pk=he.session_id).update(assurance=2)
        assert he.client.get(path).url == "/my/mandates/"
        assert Mandate.objects.get().confirmed_on is None

    def test_what_one_person_typed_is_not_shown_to_the_next(self, as_resident):
        lin, he = as_resident(level=1), as_resident("何俊")
        lin.client.post("/my/mandates/give/", {"agent_name": "秘密的名字"})
        session = lin.client.session
        session[sessions.KEY] = he.session_id
        session.save()
        assert "秘密的名字" not in lin.client.get("/my/mandates/give/").content.decode()

    def test_need_asks_in_the_middle_of_an_action(self, as_resident, rf):
        lin = as_resident(level=1)

        @residents.resident_page()
        def view(request):
            residents.need(2)

        request = rf.get("/my/somewhere/")
        request.actor, request.session, request.resident_over = lin.actor, {}, ""
        assert view(request).url == "/my/sign-in/?next=%2Fmy%2Fsomewhere%2F&level=2"
        with pytest.raises(residents.NeedLevel):
            residents.need(1)


class TestConsents:
    def test_a_consent_holds_for_its_case_and_source_only_and_ends_at_once(self, as_resident):
        lin = as_resident()
        row = give(lin.actor, lin.person)
        assert residents.consent_for(lin.person, "household", "matter:12") == row
        assert residents.consent_for(lin.person, "household", "matter:13") is None
        assert residents.consent_for(lin.person, "other", "matter:12") is None
        page = lin.client.get("/my/consents/").content.decode()
        assert "核对住所" in page and "address、since" in page
        lin.client.post(f"/my/consents/{row.pk}/end/")
        assert residents.consent_for(lin.person, "household", "matter:12") is None
        with pytest.raises(StepNotAllowed):
            residents.end_consent(lin.actor, consent_id=row.pk)

    def test_it_ends_by_itself(self, as_resident):
        lin = as_resident()
        give(lin.actor, lin.person)
        with at("2022-11-20 23:59"):
            assert residents.consent_for(lin.person, "household", "matter:12")
        with at("2022-11-21 00:00"):
            assert residents.consent_for(lin.person, "household", "matter:12") is None

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("fields", []),
            ("fields", ["*"]),
            ("fields", ["address", "全部"]),
            ("source", "*"),
            ("purpose", " "),
            ("case", ""),
            ("until", date(2024, 10, 20)),
            ("until", date(2022, 10, 19)),
        ],
    )
    def test_nothing_general_or_endless_can_be_agreed_to(self, as_resident, field, given):
        lin = as_resident()
        with pytest.raises(Invalid) as wrong:
            give(lin.actor, lin.person, **{field: given})
        assert field in wrong.value.fields

    def test_nobody_agrees_for_somebody_else(self, as_resident, officer):
        lin, he = as_resident(), as_resident("何俊")
        for actor in (he.actor, ANONYMOUS):
            with pytest.raises(Denied):
                give(actor, lin.person)
        with pytest.raises(Invalid):
            give(officer.actor, lin.person, channel="counter")
        assert give(officer.actor, lin.person, channel="counter", evidence="scan:7").evidence == "scan:7"
        row = give(lin.actor, lin.person)
        with pytest.raises(NotThere):
            residents.end_consent(he.actor, consent_id=row.pk)
        leaf = LogLeaf.objects.filter(subject=str(row.ref)).get()
        assert leaf.actor == str(lin.actor.ref)


class TestMessages:
    def test_a_message_reaches_a_reader_once_and_nobody_else(self, as_resident):
        lin, he = as_resident(), as_resident("何俊")
        for _ in range(2):
            residents.tell([lin.person], key="k1", title="请补正材料", text="缺一份图纸", url="/my/")
        row = Message.objects.get()
        page = lin.client.get("/my/messages/").content.decode()
        assert "请补正材料" in page and "新" in page
        assert he.client.get(f"/my/messages/{row.pk}/").status_code == 404
        assert "缺一份图纸" in lin.client.get(f"/my/messages/{row.pk}/").content.decode()
        row.refresh_from_db()
        assert row.read_at == now()

    def test_messages_of_an_enterprise_are_read_by_whoever_acts_for_it(self, as_resident):
        lin = as_resident(firm=FIRM)
        firm = Organisation.objects.get()
        residents.tell([firm.ref], key="k2", title="年报将到期")
        assert "年报将到期" in lin.client.get("/my/").content.decode()
        lin.client.post("/my/messages/read/")
        assert Message.objects.get().read_at is not None
        lin.client.post("/my/acting/", {"principal": str(lin.person)})
        assert "年报将到期" not in lin.client.get("/my/").content.decode()

    def test_what_tells_of_a_thing_that_is_destroyed_goes_with_it(self, as_resident):
        lin = as_resident()
        residents.tell([lin.person], key="k3", title="某事", about=Ref("matter", "5"))
        assert residents.forget_about(Ref("matter", "5")) == 1 and not Message.objects.exists()

    def test_words_to_a_person_are_destroyed_with_the_person(self, as_resident):
        lin = as_resident()
        residents.tell([lin.person], key="k4", title="某事")
        NaturalPerson.objects.update(sealed_key=b"")
        assert Message.objects.get().title == "已依规删除"
        assert residents.tell([lin.person], key="k5", title="再一件") == 0
        actions.close_account(SYSTEM, person_id=int(lin.person.id), at=sessions.machine_now())
        assert lin.client.get("/my/").status_code == 302


def test_pages_keep_to_their_query_budgets(as_resident):
    lin, he = as_resident(firm=FIRM), as_resident("何俊")
    mandate(lin, he)
    give(lin.actor, lin.actor.principal)
    residents.tell([lin.actor.principal], key="k", title="消息")
    lin.client.get("/my/")
    found = {}
    for name in ("home", "acting", "mandates", "sessions", "consents", "messages"):
        with CaptureQueriesContext(connection) as seen:
            assert lin.client.get(reverse(f"residents:{name}")).status_code == 200
        found[name] = len(seen)
    budgets = json.loads(BUDGETS.read_text())
    assert all(budgets[name] - SLACK <= count <= budgets[name] for name, count in found.items()), found


def test_names_of_sources_come_from_above(as_resident):
    lin = as_resident()
    names = residents.SourceName("户籍登记（测试）", {"address": "住址", "since": "迁入日期"})
    residents.name_sources("test", lambda key: names if key == "household" else None)
    try:
        give(lin.actor, lin.person)
        page = lin.client.get("/my/consents/").content.decode()
        assert "户籍登记（测试）" in page and "住址、迁入日期" in page
    finally:
        hooks._sources.pop("test")
