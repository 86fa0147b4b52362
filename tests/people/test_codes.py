"""Service codes at the counter: once, in time, for one case; refused by name; nobody sent away."""

import json
import time
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.adapters.service_code import texts
from liangzhu.adapters.service_code.client import Hall
from liangzhu.adapters.service_code.simulator import Showing, make
from liangzhu.adapters.service_code.wording import DEMO_APP, DEMO_SECRET
from liangzhu.beams.people.codes import actions, checking, queries
from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.codes.models import Desk, Scan
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.models import Consent
from liangzhu.beams.trust.sources.models import Read
from liangzhu.kernel import limits
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, Invalid, NotThere
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at, now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.simulating import serving

PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"
BUDGETS = Path(__file__).with_name("query_budgets_codes.json")
SLACK = 4
CASE = "counter_visit:20221020-00000001"
OPERATOR_NUMBER = "329999198001011239"
FIRM = "虚构一号口腔门诊部有限公司"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def day(demo_day):
    limits.forget()
    with at("2022-10-20 09:00"):
        yield


@pytest.fixture(scope="module")
def address():
    simulator = make(PACK)
    with serving(simulator) as found:
        simulator.address = found
        yield simulator


@pytest.fixture
def province(address):
    """The simulated province, registered as the issuer."""
    address.configure({})
    hall = Hall(
        address.address, DEMO_APP, DEMO_SECRET, address.wording, keys=address.public, seconds=1, rest=0
    )
    codes.register_issuer("province", "苏服码", hall)
    address.hall = hall
    yield address
    codes.drop_issuer("province")
    address.configure({})


@pytest.fixture
def clerk(put, bureau):
    """Somebody at a window, whose desk is set up."""
    made = put("苏婉", "su", bureau, ["codes.window"])
    actions.set_up_desk(made.actor, outlet="hall", device="综合窗口1号", identity_number=OPERATOR_NUMBER)
    return made


class Phone:
    """A made-up person's phone."""

    def __init__(self, province, key="linxiaohe", firm="", where="jiangsu"):
        self.province, showing = province, province._showing(key, firm)
        showing.province = where
        self.showing, self.session = showing, province.begin(showing)

    def code(self, *licences, typed=False):
        consent = [self.province.wording.licences[one][1] for one in licences]
        text = self.province.make(self.session, consent).text
        return texts.grouped(text.number).lower() if typed else texts.write(text)


def check(clerk, raw, **more):
    given = {"case": CASE, "item": "clinic", "title": "诊所备案", "items": ["identity_card", "doctor"]}
    return codes.check(clerk.actor, raw=raw, **(given | more))


def results():
    return list(Scan.objects.order_by("id").values_list("result", flat=True))


def leaves(action):
    return [json.loads(leaf.detail.body) for leaf in LogLeaf.objects.filter(action=action).order_by("id")]


class TestAccepted:
    def test_the_scan_says_who_with_what_for_this_case_and_everybody_can_follow_it(self, province, clerk):
        found = check(clerk, Phone(province).code("identity_card"))
        person = NaturalPerson.objects.get()
        assert (found.holder, found.holder_kind, found.agent, found.province) == (
            person.ref,
            "person",
            None,
            "jiangsu",
        )
        assert str(person.name) == "林**" and person.source == "province"
        (card,) = found.licences
        assert (card.key, card.number, card.issued_on, card.valid) == (
            "identity_card",
            "329999198803121026",
            "2018-05-04",
            True,
        )
        assert card.pdf.startswith(b"%PDF") and card.fields["issuer"] == "虚构市公安局虚构分局"
        row = Scan.objects.get()
        assert (row.result, row.way, row.outlet, row.device, row.case) == (
            "accepted",
            "scanned",
            "hall",
            "综合窗口1号",
            CASE,
        )
        # The province was told who asks, for what, and on which device.
        asked = province.asked[-1]
        assert (asked["operator"]["identity_num"], asked["operator"]["name"]) == (OPERATOR_NUMBER, "苏婉")
        assert (asked["casename"], asked["caseid"], asked["equipmentCode"]) == (
            "诊所备案",
            CASE,
            "综合窗口1号",
        )
        # Agreed to for this case only, with the scan as evidence; and the person sees who looked.
        consent = Consent.objects.get()
        assert (consent.source, consent.names, consent.case) == (codes.SOURCE, ["identity_card"], CASE)
        assert (consent.evidence, consent.channel) == (str(row.ref), "code")
        assert residents.consent_for(person.ref, codes.SOURCE, "counter_visit:other") is None
        line = Read.objects.get(person=person)
        assert (line.channel, line.case, line.thing) == ("code", CASE, str(row.ref))
        (claimed,) = leaves("codes.claim")
        accepted = leaves("codes.accept")[-1]
        assert claimed["operator_told"] == ["name", "identity_number"] and accepted["licences"] == [
            "identity_card"
        ]
        told = json.dumps([claimed, accepted], ensure_ascii=False)
        assert not [value for value in ("林晓禾", "329999198803121026", OPERATOR_NUMBER) if value in told]

    def test_a_second_scan_of_the_same_person_finds_the_same_person(self, province, clerk):
        phone = Phone(province)
        first, second = check(clerk, phone.code()), check(clerk, phone.code())
        assert first.holder == second.holder and NaturalPerson.objects.count() == 1
        assert second.licences == [] and Consent.objects.count() == 0

    def test_the_typed_form_is_an_equal_path_to_the_same_single_use(self, province, clerk):
        phone = Phone(province)
        scanned = phone.code("identity_card")
        typed = texts.grouped(scanned.split(".")[1])
        found = check(clerk, f" {typed.lower().replace('-', ' ')} ")
        assert Scan.objects.get().way == "typed" and found.licences[0].key == "identity_card"
        with pytest.raises(codes.CodeUsed):
            check(clerk, scanned)

    def test_neighbouring_provinces_are_told_apart_and_taken_or_not(self, province, clerk):
        found = check(clerk, Phone(province, "hejun", where="shanghai").code())
        assert found.province == "shanghai"
        with pytest.raises(codes.CodeNotAccepted, match="安徽"):
            check(clerk, Phone(province, where="anhui").code())
        assert results() == ["accepted", "not_accepted"]

    def test_an_enterprise_is_shown_by_its_legal_representative(self, province, clerk):
        found = check(
            clerk, Phone(province, "linxiaohe", "0").code("business_licence"), items=["business_licence"]
        )
        firm = Organisation.objects.get()
        assert (found.holder, found.holder_kind, found.agent) == (firm.ref, "enterprise", None)
        assert (
            found.bearer == NaturalPerson.objects.get().ref and firm.legal_representative.ref == found.bearer
        )
        assert found.licences[0].number == firm.uscc == "913299990000000198"
        assert Consent.objects.get().subject == firm.ref

    def test_contents_are_read_again_by_who_scanned_with_a_leaf_until_they_are_destroyed(
        self, province, clerk, put, bureau, reads_logged
    ):
        found = check(clerk, Phone(province).code("identity_card"))
        with reads_logged():
            again = queries.contents(clerk.actor, found.scan_id, reason="填进申请")
        assert again == found
        other = put("何俊", "he", bureau, ["codes.window"])
        with pytest.raises(NotThere):
            queries.contents(other.actor, found.scan_id, reason="看看")
        with at("2022-10-21 10:00"):
            assert actions.sweep(SYSTEM) == 1
            with pytest.raises(NotThere):
                queries.contents(clerk.actor, found.scan_id, reason="再看")
            assert queries.scan(clerk.actor, found.scan_id).gone


class TestRefused:
    def test_forged_ones_are_refused_without_asking_anybody(self, province, clerk):
        asked = len(province.asked)
        code = Phone(province).code()
        changed = code.replace(".P.", ".E.")
        for raw in (changed, code[:-1] + ("A" if code[-1] != "A" else "I")):
            with pytest.raises((codes.CodeForged, codes.CodeUnknown)):
                check(clerk, raw)
        stranger = texts.sign(texts.read(code, province.wording.marks), checking_key())
        with pytest.raises(codes.CodeForged) as refused:
            check(clerk, texts.write(stranger))
        assert "不要受理" in refused.value.todo and len(province.asked) == asked
        # One that nobody issued, typed: only the province can know.
        with pytest.raises(codes.CodeUnknown):
            check(clerk, texts.new_number("J"))
        assert results()[-2:] == ["forged", "unknown"] and NaturalPerson.objects.count() == 0

    def test_what_is_no_code_is_said_to_be_none(self, province, clerk):
        for raw in ("329999198803121026", "https://example.org/x", "SFM1.ABC", "你好", "x" * 1500):
            with pytest.raises(codes.CodeUnknown) as refused:
                check(clerk, raw)
            assert refused.value.todo and Scan.objects.get(pk=refused.value.scan_id).result == "unknown"

    def test_expired_ones_are_refused_here_and_typed_ones_by_the_province(self, province, clerk, monkeypatch):
        phone = Phone(province)
        code = phone.code()
        later = checking.machine_now() + timedelta(seconds=200)
        monkeypatch.setattr(checking, "machine_now", lambda: later)
        asked = len(province.asked)
        with pytest.raises(codes.CodeExpired, match="分钟前出示"):
            check(clerk, code)
        assert len(province.asked) == asked
        made = province.made[code.split(".")[1]]
        made.until = time.time() - 1  # noqa: TID251 - the simulator's own clock
        with pytest.raises(codes.CodeExpired):
            check(clerk, texts.grouped(made.text.number))
        assert results() == ["expired", "expired"]

    def test_a_photograph_is_found_when_the_phone_went_on_or_signed_out(self, province, clerk):
        phone = Phone(province)
        photographed = phone.code()
        phone.code()
        with pytest.raises(codes.CodeReplaced) as refused:
            check(clerk, photographed)
        assert "不收截图" in refused.value.todo
        newest = phone.code()
        phone.showing.over = True
        with pytest.raises(codes.CodeReplaced):
            check(clerk, newest)
        assert results() == ["replaced", "replaced"]

    def test_a_code_of_the_future_says_that_a_clock_is_wrong(self, province, clerk):
        province.configure({"skew": 90})
        with pytest.raises(codes.CodeClock, match="快 [89]"):
            check(clerk, Phone(province).code())
        province.configure({"skew": 5})
        assert check(clerk, Phone(province).code()).holder

    def test_a_replay_is_refused_and_says_where_the_result_stands(self, province, clerk, put, bureau):
        code = Phone(province).code()
        found = check(clerk, code)
        with pytest.raises(codes.CodeUsed, match=f"扫码记录 {found.scan_id}"):
            check(clerk, code)
        other = put("何俊", "he", bureau, ["codes.window"])
        actions.set_up_desk(other.actor, outlet="hall", device="综合窗口2号", identity_number=OPERATOR_NUMBER)
        with pytest.raises(codes.CodeUsed, match="别的窗口"):
            check(other, code)
        assert results() == ["accepted", "used", "used"]

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"silent": True}, codes.IssuerDown),
            ({"wrong": "fault"}, codes.IssuerDown),
            ({"wrong": "garbage"}, codes.IssuerWrong),
            ({"wrong": "stranger"}, codes.IssuerWrong),
            ({"wrong": "more"}, codes.IssuerWrong),
            ({"wrong": "empty"}, codes.CodeEmpty),
        ],
        ids=lambda one: str(one),
    )
    def test_when_the_province_fails_nothing_is_taken_and_staff_go_by_document(
        self, province, clerk, fault, error
    ):
        code = Phone(province).code("identity_card")
        province.configure(fault)
        with pytest.raises(error) as refused:
            check(clerk, code, items=["identity_card"])
        assert "凭证件办理" in refused.value.todo
        assert NaturalPerson.objects.count() == Consent.objects.count() == 0
        province.configure({})
        row = actions.check_by_document(
            clerk.actor,
            wish=checking.wish_of(clerk.actor, case=CASE),
            name="林晓禾",
            document_kind="citizen_id",
            document_number="329999198803121026",
            reason="验码服务没有回应",
            seen=True,
            follows=refused.value.scan_id,
        )
        assert (row.result, row.follows_id) == ("document", refused.value.scan_id)
        assert leaves("codes.check_by_document")[0]["before"] == refused.value.outcome

    def test_after_an_outage_the_same_code_is_good_still(self, province, clerk):
        code = Phone(province).code()
        province.configure({"wrong": "fault"})
        with pytest.raises(codes.IssuerDown):
            check(clerk, code)
        province.configure({})
        assert check(clerk, code).holder and results() == ["down", "accepted"]

    def test_a_dead_holder_is_refused_by_the_register(self, province, clerk):
        phone = Phone(province)
        check(clerk, phone.code())
        NaturalPerson.objects.update(state="dead", died_on=date(2022, 10, 1))
        with pytest.raises(codes.HolderRefused, match="死亡"):
            check(clerk, phone.code())

    def test_only_window_staff_with_a_desk_scan_for_a_named_case_and_trying_numbers_is_slowed(
        self, province, clerk, officer, put, bureau
    ):
        code = Phone(province).code()
        with pytest.raises(Denied):
            check(officer, code)
        with pytest.raises(codes.DeskNeeded):
            check(put("何俊", "he", bureau, ["codes.window"]), code)
        for wrong in ({"case": "none"}, {"items": ["moon"]}):
            with pytest.raises(Invalid):
                check(clerk, code, **wrong)
        assert results() == []
        with pytest.raises(limits.TooMany):
            for _ in range(checking.TYPED_A_MINUTE + 1):
                with pytest.raises(codes.CodeUnknown):
                    check(clerk, texts.new_number("J"))


def checking_key():
    return texts.crypto.generate_keypair()[0]


class TestAgents:
    """An agent's code, the register's mandates, and the province's word."""

    @pytest.fixture
    def agent(self, province):
        return Phone(province, "hejun", "0")

    def known(self, clerk, agent, **more):
        """Both sides registered by a first scan, and a mandate between them."""
        found = check(clerk, agent.code())
        given = {
            "principal": str(found.holder),
            "agent": str(found.agent),
            "capacity": "company_agent",
            "asked_by": "principal",
            "basis": "测试",
            "valid_from": date(2022, 9, 1),
            "confirmed_on": date(2022, 9, 1),
        }
        return found, Mandate.objects.create(**(given | more))

    def test_the_province_s_word_stands_where_the_register_knows_nothing(self, agent, clerk):
        found = check(clerk, agent.code())
        assert (
            found.holder == Organisation.objects.get().ref and found.agent == NaturalPerson.objects.get().ref
        )
        assert (found.mandate_id, found.bearer, found.scope) == (None, None, ())
        # The agent did not become its legal representative.
        assert Organisation.objects.get().legal_representative is None
        assert set(Read.objects.values_list("organisation", "person")) == {
            (int(found.holder.id), None),
            (None, int(found.agent.id)),
        }

    def test_a_mandate_of_the_register_is_named_in_the_log(self, agent, clerk):
        _, mandate = self.known(clerk, agent)
        assert check(clerk, agent.code()).mandate_id == mandate.pk
        assert LogLeaf.objects.filter(subject=str(mandate.ref), action="codes.accept").exists()

    def test_one_whose_mandate_was_revoked_an_hour_ago_is_refused_by_name(self, agent, clerk):
        self.known(clerk, agent, ended_on=date(2022, 10, 20), end_reason="revoked")
        before = NaturalPerson.objects.get().version
        with pytest.raises(codes.AgentRefused, match=rf"何\*为{FIRM}.*2022-10-20.*被代理人撤销") as refused:
            check(clerk, agent.code())
        assert Scan.objects.get(pk=refused.value.scan_id).result == "agent"
        assert Scan.objects.get(pk=refused.value.scan_id).agent is None
        assert NaturalPerson.objects.get().version == before

    def test_one_whose_grant_at_the_province_ended_an_hour_ago_is_refused_by_name(self, agent, clerk):
        agent.showing.end_time = (now() - timedelta(hours=1)).isoformat()
        with pytest.raises(codes.AgentRefused, match="2022-10-20 08:00 终止"):
            check(clerk, agent.code())
        assert Organisation.objects.count() == 0

    def test_a_mandate_for_other_business_does_not_reach_this_one(self, agent, clerk):
        self.known(clerk, agent, scope_kind="kinds", scopes="sports")
        with pytest.raises(codes.AgentRefused, match="不包括这一件"):
            check(clerk, agent.code())
        assert check(clerk, agent.code(), item="sports").mandate_id

    def test_the_scope_of_the_province_limits_too(self, agent, clerk):
        agent.showing.scope = ["sports"]
        with pytest.raises(codes.AgentRefused, match="不包括这一件"):
            check(clerk, agent.code())
        assert check(clerk, agent.code(), item="sports").scope == ("sports",)

    def test_for_a_person_an_agent_shows_the_principal_s_code(self, province, clerk):
        who, whom = (province.told(province.people[one]) for one in ("hejun", "ouyangzhuqing"))
        session = province.begin(Showing("agent", who, whom, [], "2022-10-01", ""))
        found = check(clerk, texts.write(province.make(session).text))
        assert {found.holder, found.agent} == {one.ref for one in NaturalPerson.objects.all()}
        assert str(NaturalPerson.objects.get(pk=found.holder.id).name).startswith("欧阳")


class TestByDocument:
    def test_who_is_registered_is_found_and_who_is_not_is_not_sent_away(self, province, clerk, as_resident):
        lin = as_resident("林晓禾")
        row = NaturalPerson.objects.get(pk=lin.person.id)
        number = row._meta.get_field("document_number").plain(row)
        given = {
            "wish": checking.wish_of(clerk.actor, case=CASE),
            "document_kind": "citizen_id",
            "seen": True,
        }
        given |= {"reason": "没有手机", "document_number": number}
        known = actions.check_by_document(clerk.actor, name="林晓禾", **given)
        other = actions.check_by_document(clerk.actor, name="别人", **given)
        assert (known.holder, other.holder) == (lin.person, None)
        assert queries.contents(clerk.actor, other.pk, reason="立案").holder is None
        with pytest.raises(Invalid) as wrong:
            actions.check_by_document(
                clerk.actor, name="", **(given | {"document_number": "123", "seen": False, "reason": ""})
            )
        assert set(wrong.value.fields) == {"name", "document_number", "seen", "reason"}

    def test_coverage_counts_outlets_from_scans(self, province, clerk):
        check(clerk, Phone(province).code())
        found = codes.coverage(clerk.actor, date(2022, 10, 1), date(2022, 11, 1))
        assert (found.outlets, found.used, found.scans["hall"]) == (3, 1, 1)
        assert found.devices == {("hall", "综合窗口1号"): 1}
        assert codes.coverage(clerk.actor, date(2022, 11, 1), date(2022, 12, 1)).used == 0


class TestShowing:
    def test_what_a_resident_shows_is_accepted_with_what_was_ticked_and_nothing_else(
        self, province, clerk, as_resident, reads_logged
    ):
        lin = as_resident("林晓禾")
        person = NaturalPerson.objects.get(pk=lin.person.id)
        number = person._meta.get_field("document_number").plain(person)
        province.configure(
            {
                "licences": [
                    {
                        "holder": number,
                        "licence": one,
                        "number": number,
                        "issuer": "虚构",
                        "issued_on": "2020-01-01",
                    }
                    for one in ("identity_card", "doctor")
                ]
            }
        )
        with reads_logged():
            made = codes.show(lin.actor, licences=["doctor", "business_licence"])
        assert made.kind == "person" and 0 < made.seconds <= 60
        found = check(clerk, made.typed)
        assert found.holder == lin.person and [one.key for one in found.licences] == ["doctor"]
        # The next one goes on with the session: nobody is told again who it is, and the last one is over.
        known = len(leaves("codes.begin_showing"))
        first = codes.show(lin.actor, session=made.session)
        second = codes.show(lin.actor, session=made.session)
        assert len(leaves("codes.begin_showing")) == known
        with pytest.raises(codes.CodeReplaced):
            check(clerk, first.content)
        assert check(clerk, second.content).holder == lin.person
        province.configure({"end_session": True})
        assert codes.show(lin.actor, session=made.session).session != made.session

    def test_the_enterprise_s_and_the_agent_s_code(self, province, clerk, as_resident):
        lin = as_resident("林晓禾", firm=("913299990000000198", FIRM))
        assert check(clerk, codes.show(lin.actor).content).bearer == lin.person
        he = as_resident("何俊")
        registers_mandate = registers.give_mandate(
            as_resident("林晓禾", firm=("913299990000000198", FIRM)).actor,
            principal=str(Organisation.objects.get().ref),
            agent_name="何俊",
            agent_number=number_of(he.person),
            valid_to=date(2023, 1, 1),
        )
        registers.confirm_own_mandate(he.actor, mandate_id=registers_mandate.pk)
        from liangzhu.beams.people.residents import actions as resident_actions

        resident_actions.act_for(
            he.actor, principal=str(Organisation.objects.get().ref), mandate_id=registers_mandate.pk
        )
        found = check(clerk, codes.show(he.actor).content)
        assert (found.agent, found.mandate_id) == (he.person, registers_mandate.pk)

    def test_without_an_issuer_the_page_says_that_a_document_does(self, as_resident):
        answer = as_resident("林晓禾").client.get(reverse("codes:show"))
        assert answer.status_code == 503 and "请带身份证" in answer.content.decode()


def number_of(ref: Ref) -> str:
    row = NaturalPerson.objects.get(pk=ref.id)
    return row._meta.get_field("document_number").plain(row)


class TestPages:
    def test_scan_by_keyboard_then_the_result_masked_for_this_case_only(self, province, clerk):
        client, phone = clerk.client, Phone(province)
        address = reverse("codes:scan")
        page = client.get(address)
        assert "autofocus" in page.content.decode() and "no-store" in page["Cache-Control"]
        sent = {"raw": phone.code("identity_card"), "case": CASE, "items": ["identity_card", "doctor"]}
        answer = client.post(address, sent, follow=True)
        told = answer.content.decode()
        assert "林**" in told and "没有给：医师执业证书" in told and "只限这一件" in told
        assert not [value for value in ("林晓禾", "329999198803121026") if value in told]
        # The same scan again: named, and the field is empty for the next one; a typed one stays to be mended.
        answer = client.post(address, sent)
        told = answer.content.decode()
        assert answer.status_code == 409 and "已经用过" in told and sent["raw"] not in told
        assert "counter/scan/document/?" in told
        answer = client.post(address, sent | {"raw": "J7KM-4E2X-9WTW"})
        assert answer.status_code == 422 and "J7KM-4E2X-9WTW" in answer.content.decode()

    def test_the_document_page_goes_on_where_the_scan_failed(self, province, clerk):
        province.configure({"wrong": "fault"})
        client = clerk.client
        answer = client.post(reverse("codes:scan"), {"raw": Phone(province).code(), "case": CASE})
        assert answer.status_code == 503
        link = answer.content.decode().split('href="/counter/scan/document/?')[1].split('"')[0]
        page = client.get("/counter/scan/document/?" + link.replace("&amp;", "&"))
        follows = Scan.objects.get().pk
        assert f'value="{follows}"' in page.content.decode() and "没有回应" in page.content.decode()
        sent = {
            "name": "林晓禾",
            "document_kind": "citizen_id",
            "document_number": "329999198803121026",
            "reason": "验码服务没有回应",
            "seen": "on",
            "case": CASE,
            "follows": follows,
        }
        told = client.post("/counter/scan/document/", sent, follow=True).content.decode()
        assert "凭证件原件核对" in told and "林**" in told and "林晓禾" not in told

    def test_who_has_no_desk_sets_it_up_and_comes_back(self, province, put, bureau):
        someone = put("何俊", "he", bureau, ["codes.window"])
        client = someone.client
        there = client.get(reverse("codes:scan") + "?case=matter:7")
        assert there.status_code == 302
        sent = {"place": "hall|综合窗口2号", "identity_number": "12345"}
        assert client.post(there.url, sent).status_code == 422
        back = client.post(there.url, sent | {"identity_number": OPERATOR_NUMBER})
        assert back.url == "/counter/scan/?case=matter:7"
        assert Desk.objects.get().device == "综合窗口2号"
        assert OPERATOR_NUMBER not in client.get(reverse("codes:desk")).content.decode()

    def test_others_see_nothing(self, province, clerk, officer, as_resident, client):
        found = check(clerk, Phone(province).code())
        address = reverse("codes:result", args=[found.scan_id])
        assert officer.client.get(address).status_code == 403
        assert officer.client.get(reverse("codes:scan")).status_code == 403
        assert client.get(reverse("codes:show")).status_code == 302
        low = as_resident("乔云飞", level=1)
        assert "level=2" in low.client.get(reverse("codes:show")).url

    def test_my_code_is_never_kept_by_a_cache_and_keeps_its_session(self, province, as_resident):
        lin = as_resident("林晓禾")
        page = lin.client.get(reverse("codes:show") + "?licence=doctor&licence=moon")
        told = page.content.decode()
        assert page["Cache-Control"] == "no-store, private" and "<svg" in told and "医师执业证书" in told
        assert "换一个新码" in told and "licence=moon" not in told.split("<main")[1].split("</main")[0]
        lin.client.get(reverse("codes:show"))
        assert len(leaves("codes.begin_showing")) == 1

    def test_pages_keep_their_query_budgets(self, province, clerk, as_resident):
        found = [check(clerk, Phone(province).code("identity_card")) for _ in range(3)]
        lin = as_resident("林晓禾").client
        lin.get(reverse("codes:show"))
        counted = {}
        for name, client, address in (
            ("scan", clerk.client, reverse("codes:scan")),
            ("result", clerk.client, reverse("codes:result", args=[found[0].scan_id])),
            ("desk", clerk.client, reverse("codes:desk")),
            ("show", lin, reverse("codes:show")),
        ):
            client.get(address)
            with CaptureQueriesContext(connection) as queries_made:
                assert client.get(address).status_code == 200
            counted[name] = len(queries_made)
        budgets = json.loads(BUDGETS.read_text())
        assert counted.keys() == budgets.keys()
        assert {n: c for n, c in counted.items() if not budgets[n] - SLACK <= c <= budgets[n]} == {}, counted


@pytest.mark.django_db(transaction=True)
def test_of_two_windows_that_scan_one_code_at_once_one_wins(province, clerk):
    """Also when the province answers both: it is slow, so that both are under way, and the database decides."""
    phone = Phone(province)
    raw = phone.code()
    province.configure({"delay": 0.2})
    start, found = Barrier(2), []

    def run() -> None:
        with at("2022-10-20 09:00"):
            start.wait()
            try:
                found.append(check(clerk, raw).scan_id)
            except codes.CodeUsed as used:
                found.append(used)
            finally:
                connections.close_all()

    asked = len(province.asked)
    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in found) == ["CodeUsed", "int"]
    assert sorted(results()) == ["accepted", "used"] and len(province.asked) == asked + 1
