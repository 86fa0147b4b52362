"""Persons, organisations and mandates: two people for every change, one person per number, nothing readable at rest."""

import contextlib
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liangzhu.beams.people.registers import actions, changes, links, mandating, queries
from liangzhu.beams.people.registers.api import Scope, act_for, mandates_of, may_act
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation, Proposal
from liangzhu.beams.people.registers.retention import Rule, rule
from liangzhu.kernel import identifiers, search
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import AlreadyDone, Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.events import all_events
from liangzhu.kernel.models import LogLeaf, OutboxEvent
from liangzhu.kernel.now import at, today
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.worker import drain

ONE = Actor(ref=Ref("account", "71"), label="甲（登记管理员）", roles=frozenset({"registers.officer"}))
TWO = Actor(ref=Ref("account", "72"), label="乙（登记管理员）", roles=frozenset({"registers.officer"}))
CLERK = Actor(ref=Ref("account", "73"), label="窗口人员")

NAME, NUMBER, PHONE = "欧阳竹青", "320706198203040510", "13961300077"
ADDRESS = "连云港市海州区新东街道苍梧路8号"
SECOND_NUMBER = "11010519491231002X"
USCC, OTHER_USCC = "91350100M000100Y43", "11330105002500287C"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def day():
    with at("2022-10-20 09:00"):
        yield


def propose(kind: str, subject="", other="", actor=ONE, **data) -> Proposal:
    if not kind.startswith("mandate") and kind not in ("person_merge", "person_forget"):
        data = {"source": "counter", "as_of": date(2022, 10, 1)} | data
    return actions.propose_change(
        actor, kind=kind, subject=str(subject), other=str(other), data=data, reason="核对原件"
    )


def make(kind: str, subject="", other="", **data) -> Ref:
    proposal = propose(kind, subject, other, **data)
    return Ref.parse(actions.decide_proposal(TWO, proposal_id=proposal.pk, accept=True).result)


def person(name=NAME, number=NUMBER, kind="citizen_id", **more) -> NaturalPerson:
    ref = make("person_new", name=name, document_kind=kind, document_number=number, **more)
    return NaturalPerson.objects.get(pk=ref.id)


def company(name="海州某某门诊部有限公司", uscc=USCC, **more) -> Organisation:
    ref = make("organisation_new", name=name, uscc=uscc, name_from=date(2020, 1, 1), **more)
    return Organisation.objects.get(pk=ref.id)


def mandate(principal, agent, confirm=True, **more) -> Mandate:
    given = {
        "capacity": "representative",
        "scope_kind": "all",
        "asked_by": "principal",
        "basis": "授权委托书",
        "valid_from": date(2022, 10, 1),
        "valid_to": date(2023, 10, 1),
    } | more
    ref = make("mandate_new", principal.ref, agent.ref, **given)
    if confirm:
        actions.confirm_mandate(ONE, mandate_id=int(ref.id), evidence="本人到场签字")
    return Mandate.objects.get(pk=ref.id)


@pytest.fixture
def zhang():
    return person(phone=PHONE, address=ADDRESS)


@pytest.fixture
def li():
    return person("李四", SECOND_NUMBER)


@pytest.fixture
def firm():
    return company()


@pytest.fixture
def no_referrers(monkeypatch):
    monkeypatch.setattr(links, "_referrers", {})


def events(name: str) -> list[dict]:
    return [json.loads(row.body) for row in OutboxEvent.objects.filter(name=name).order_by("id")]


class TestPersons:
    def test_birth_and_sex_come_from_the_number(self, zhang):
        assert (zhang.sex, zhang.birth) == ("male", "1982年")
        assert queries.read_in_full(ONE, zhang.pk, ["birth"], "核对")["birth"] == "1982-03-04"

    def test_everything_personal_is_read_masked(self, zhang):
        row = NaturalPerson.objects.get(pk=zhang.pk)
        assert (row.name, row.document_number) == ("欧阳**", "320706********0510")
        assert (row.phone, row.address) == ("139****0077", "连云港市海州区新东街道***")
        assert describe([row.ref], ONE)[row.ref][0] == "欧阳**（320706********0510）"

    @pytest.mark.parametrize(
        ("kind", "number", "field"),
        [
            ("citizen_id", "320706198203040511", "document_number"),
            ("citizen_id", "820000198203040510", "document_number"),
            ("passport", "护照", "document_number"),
            ("hm_travel", "A12345678", "document_number"),
            ("nothing", "12345678", "document_kind"),
        ],
    )
    def test_a_number_that_cannot_be_is_refused_beside_its_field(self, kind, number, field):
        with pytest.raises(Invalid) as error:
            propose("person_new", name=NAME, document_kind=kind, document_number=number)
        assert field in error.value.fields

    def test_a_number_of_another_kind_of_document_names_the_kind(self):
        with pytest.raises(Invalid) as error:
            propose("person_new", name=NAME, document_kind="hmt_permit", document_number=NUMBER)
        assert "居民身份证" in error.value.fields["document_kind"]

    def test_one_number_is_one_person_however_it_is_written(self, zhang):
        with pytest.raises(Invalid) as error:
            propose(
                "person_new",
                name="别人",
                document_kind="citizen_id",
                document_number="320706820304051",
            )
        assert str(zhang.pk) in error.value.fields["document_number"]

    def test_two_proposals_of_one_number_make_one_person(self):
        first, second = (
            propose("person_new", name=NAME, document_kind="citizen_id", document_number=NUMBER) for _ in "12"
        )
        actions.decide_proposal(TWO, proposal_id=first.pk, accept=True)
        with pytest.raises(Invalid):
            actions.decide_proposal(TWO, proposal_id=second.pk, accept=True)
        assert NaturalPerson.objects.count() == 1

    def test_two_released_at_the_same_moment_make_one_person(self, monkeypatch):
        monkeypatch.setattr(changes, "holder_of", lambda kind, number: None)
        person()
        with pytest.raises(Conflict):
            person()
        assert NaturalPerson.objects.count() == 1

    def test_found_by_words_of_the_name_and_by_equal_number_and_phone(self, zhang, li):
        for asked in (
            {"name": "竹青"},
            {"number": NUMBER},
            {"number": "320706820304051"},
            {"phone": "+86 139-6130-0077"},
        ):
            assert queries.find(ONE, **asked).persons == [zhang], asked
        assert queries.find(ONE, number=NUMBER[:17]).persons == []
        assert queries.find(ONE, phone=PHONE[:10]).persons == []

    def test_a_change_keeps_what_was_not_given(self, zhang):
        make("person_change", zhang.ref, phone="13900001111")
        row = NaturalPerson.objects.get(pk=zhang.pk)
        assert (row.phone, row.name, row.version) == ("139****1111", "欧阳**", 2)
        assert queries.find(ONE, phone="13900001111").persons == [row]
        assert queries.find(ONE, phone=PHONE).persons == []

    def test_another_name_is_found_and_the_former_is_not(self, zhang):
        make("person_change", zhang.ref, name="欧阳松柏")
        assert queries.find(ONE, name="松柏").persons == [zhang]
        assert queries.find(ONE, name="竹青").persons == []


class TestFourEyes:
    def test_nothing_changes_before_the_second_person(self):
        propose("person_new", name=NAME, document_kind="citizen_id", document_number=NUMBER)
        assert not NaturalPerson.objects.exists()

    def test_the_proposer_cannot_release(self):
        proposal = propose("person_new", name=NAME, document_kind="citizen_id", document_number=NUMBER)
        with pytest.raises(Denied):
            actions.decide_proposal(ONE, proposal_id=proposal.pk, accept=True)
        assert proposal not in queries.to_review(ONE)
        assert proposal in queries.to_review(TWO)

    def test_who_has_not_the_role_neither_proposes_nor_decides(self, zhang):
        proposal = propose("person_change", zhang.ref, phone="13900001111")
        with pytest.raises(Denied):
            propose("person_change", zhang.ref, actor=CLERK, phone="13900001111")
        with pytest.raises(Denied):
            actions.decide_proposal(CLERK, proposal_id=proposal.pk, accept=True)

    def test_a_refusal_needs_a_reason_and_changes_nothing(self, zhang):
        proposal = propose("person_change", zhang.ref, phone="13900001111")
        with pytest.raises(Invalid):
            actions.decide_proposal(TWO, proposal_id=proposal.pk, accept=False)
        done = actions.decide_proposal(TWO, proposal_id=proposal.pk, accept=False, reason="原件看不清")
        assert (done.state, done.decision) == (Proposal.REFUSED, "原件看不清")
        assert NaturalPerson.objects.get(pk=zhang.pk).version == 1
        with pytest.raises(StepNotAllowed):
            actions.decide_proposal(TWO, proposal_id=proposal.pk, accept=True)

    def test_a_proposal_made_on_what_has_changed_since_does_not_go_through(self, zhang):
        first, second = (propose("person_change", zhang.ref, phone=f"1390000111{n}") for n in (1, 2))
        actions.decide_proposal(TWO, proposal_id=first.pk, accept=True)
        with pytest.raises(Conflict):
            actions.decide_proposal(TWO, proposal_id=second.pk, accept=True)

    def test_the_difference_is_masked(self, zhang):
        proposal = propose("person_change", zhang.ref, phone="13900001111", name="欧阳松柏")
        lines = {line.label: (line.before, line.after) for line in queries.proposal(TWO, proposal.pk).lines}
        assert lines["电话"] == ("139****0077", "139****1111")
        assert lines["姓名或名称"] == ("欧阳**", "欧阳**")

    def test_only_the_proposer_withdraws_and_only_once(self, zhang):
        proposal = propose("person_change", zhang.ref, phone="13900001111")
        with pytest.raises(Denied):
            actions.withdraw_proposal(TWO, proposal_id=proposal.pk)
        assert actions.withdraw_proposal(ONE, proposal_id=proposal.pk).state == Proposal.WITHDRAWN
        with pytest.raises(StepNotAllowed):
            actions.withdraw_proposal(ONE, proposal_id=proposal.pk)

    def test_a_form_sent_twice_proposes_once(self):
        data = {"name": NAME, "document_kind": "citizen_id", "document_number": NUMBER}
        data |= {"source": "counter", "as_of": "2022-10-01"}
        for _ in range(2):
            with contextlib.suppress(AlreadyDone):
                actions.propose_change(
                    ONE, kind="person_new", data=data, reason="x", once="a-key-long-enough"
                )
        assert Proposal.objects.count() == 1

    def test_leaves_and_events_hold_no_personal_value(self, zhang):
        written = "".join(str(row.body) for row in OutboxEvent.objects.all()) + "".join(
            str(leaf.detail.body) for leaf in LogLeaf.objects.select_related("detail")
        )
        assert "document_number" in written
        assert not [value for value in (NAME, NUMBER, PHONE, ADDRESS) if value in written]
        assert "document_number" in events("registers.person_changed")[0]["fields"]
        assert zhang.version == 1


class TestMerging:
    @pytest.fixture
    def twins(self, zhang):
        """The same person under an identity card and a passport."""
        return zhang, person("欧阳竹清", "E12345678", "passport")

    def test_the_reference_resolves_to_the_survivor(self, twins):
        kept, merged = twins
        make("person_merge", merged.ref, kept.ref)
        assert describe([merged.ref], ONE)[merged.ref] == describe([kept.ref], ONE)[kept.ref]
        assert queries.find(ONE, number="E12345678").persons == [kept]
        assert queries.find(ONE, name="竹清").persons == [kept]
        assert events("registers.person_merged")[0]["survivor_id"] == kept.pk

    def test_merging_again_leaves_no_chain(self, twins, li):
        kept, merged = twins
        make("person_merge", merged.ref, kept.ref)
        make("person_merge", kept.ref, li.ref)
        assert {NaturalPerson.objects.get(pk=one.pk).merged_into_id for one in twins} == {li.pk}
        with pytest.raises(StepNotAllowed):
            propose("person_merge", merged.ref, li.ref)

    def test_mandates_of_both_are_the_survivors(self, twins, firm, li):
        kept, merged = twins
        mandate(firm, merged)
        between = mandate(kept, merged)
        make("person_merge", merged.ref, kept.ref)
        assert may_act(kept.ref, firm.ref) == may_act(merged.ref, firm.ref) is not None
        assert Mandate.objects.get(pk=between.pk).end_reason == "merged"

    def test_the_proposer_cannot_merge_alone(self, twins):
        kept, merged = twins
        proposal = propose("person_merge", merged.ref, kept.ref)
        with pytest.raises(Denied):
            actions.decide_proposal(ONE, proposal_id=proposal.pk, accept=True)


class TestOrganisations:
    def test_both_check_digits_are_checked(self):
        for wrong in (USCC[:-1] + "4", USCC[:16] + "5" + USCC[17]):
            with pytest.raises(Invalid) as error:
                propose("organisation_new", name="某公司", uscc=wrong, name_from=date(2020, 1, 1))
            assert "uscc" in error.value.fields

    def test_its_kind_is_read_from_its_code(self, firm):
        assert firm.get_kind_display() == "企业"
        assert company("某医院", OTHER_USCC).get_kind_display() == "机关"

    def test_it_is_found_by_former_names_and_says_which_it_bore_when(self, firm):
        make("organisation_change", firm.ref, name="海州新名门诊部", name_from=date(2022, 9, 1))
        assert [(row.name, row.last_day) for row in firm.names.all()] == [
            ("海州新名门诊部", None),
            ("海州某某门诊部有限公司", date(2022, 8, 31)),
        ]
        assert queries.find(ONE, name="某某门诊部").organisations == [firm]
        with pytest.raises(Invalid):
            propose("organisation_change", firm.ref, name="又名", name_from=date(2022, 8, 1))

    def test_the_same_code_is_one_organisation(self, firm):
        with pytest.raises(Invalid):
            propose("organisation_new", name="别的公司", uscc=USCC.lower(), name_from=date(2020, 1, 1))

    def test_its_representative_is_shown_masked_and_only_to_whom_it_concerns(self, firm, zhang):
        make("organisation_change", firm.ref, legal_representative=zhang.pk)
        row = queries.find_by_uscc(ONE, USCC)
        assert row.legal_representative.name == "欧阳**"


class TestMandates:
    def test_it_holds_from_the_other_sides_confirmation_on(self, firm, li):
        row = mandate(firm, li, confirm=False)
        assert may_act(li.ref, firm.ref) is None
        assert queries.mandate(ONE, row.pk).state == "待代理人确认"
        with at("2022-10-22 09:00"):
            actions.confirm_mandate(ONE, mandate_id=row.pk, evidence="本人到场")
            assert may_act(li.ref, firm.ref) == row
            assert may_act(li.ref, firm.ref, on=date(2022, 10, 21)) is None

    def test_the_principal_ends_it_at_once(self, firm, li):
        row = mandate(firm, li)
        actions.end_mandate(ONE, mandate_id=row.pk, side="principal", reason="换人")
        assert may_act(li.ref, firm.ref) is None
        assert events("registers.mandate_ended") == [{"reason": "revoked", "on": "2022-10-20"}]

    def test_it_ends_by_itself_and_is_announced(self, firm, li):
        row = mandate(firm, li)
        assert may_act(li.ref, firm.ref, on=date(2023, 9, 30)) == row
        assert may_act(li.ref, firm.ref, on=date(2023, 10, 1)) is None
        with at("2023-10-02 09:00"):
            from liangzhu.beams.people.registers.handlers import end_mandates

            end_mandates()
            end_mandates()
        assert [each["reason"] for each in events("registers.mandate_ended")] == ["expired"]

    def test_death_ends_it(self, firm, li):
        row = mandate(firm, li)
        make("person_change", li.ref, state="dead", died_on=date(2022, 10, 10))
        assert Mandate.objects.get(pk=row.pk).end_reason == "death"
        with pytest.raises(Invalid):
            mandate(firm, li)

    def test_dissolution_ends_it(self, firm, li):
        row = mandate(firm, li)
        make("organisation_change", firm.ref, state="dissolved", ended_on=date(2022, 10, 15))
        assert Mandate.objects.get(pk=row.pk).end_reason == "dissolved"
        assert may_act(li.ref, firm.ref) is None

    def test_a_guardian_ends_at_the_wards_eighteenth_birthday(self, li):
        ward = person("小明", "32070620051120" + _check("32070620051120001"))
        row = mandate(ward, li, capacity="guardian", valid_to="", basis="民法典第二十七条，户口簿")
        assert (row.valid_to, row.until_adult) == (date(2023, 11, 20), True)
        assert may_act(li.ref, ward.ref, on=date(2023, 11, 19)) == row
        assert may_act(li.ref, ward.ref, on=date(2023, 11, 20)) is None
        with pytest.raises(StepNotAllowed):
            propose("mandate_extend", row.ref, valid_to=date(2030, 1, 1), asked_by="principal")

    def test_a_corrected_birth_moves_the_end(self, li):
        ward = person("小明", "E7654321", "passport", birth=date(2005, 11, 20))
        row = mandate(ward, li, capacity="guardian", valid_to="", basis="户口簿")
        make("person_change", ward.ref, birth=date(2006, 11, 20))
        assert Mandate.objects.get(pk=row.pk).valid_to == date(2024, 11, 20)

    @pytest.mark.parametrize(
        ("born", "grown"),
        [(date(2004, 2, 29), date(2022, 2, 28)), (date(2004, 3, 1), date(2022, 3, 1))],
    )
    def test_who_was_born_on_the_29th_of_february_comes_of_age_on_the_last_of_february(self, born, grown):
        assert changes.adult_on(born) == grown

    def test_an_agent_does_not_extend_his_own_mandate(self, firm, li):
        row = mandate(firm, li)
        with pytest.raises(Invalid) as error:
            propose("mandate_extend", row.ref, valid_to=date(2024, 1, 1), asked_by="agent")
        assert "asked_by" in error.value.fields
        make("mandate_extend", row.ref, valid_to=date(2024, 1, 1), asked_by="principal")
        assert may_act(li.ref, firm.ref, on=date(2023, 12, 31)) == row

    def test_no_chain_unless_allowed_and_never_wider(self, firm, li, zhang):
        row = mandate(firm, li)
        with pytest.raises(Invalid):
            mandate(firm, zhang, parent=row.pk)
        actions.end_mandate(ONE, mandate_id=row.pk, side="principal", reason="改为允许转委托")
        row = mandate(firm, li, may_delegate="yes", scope_kind="kinds", scopes="medical.clinic")
        for wider in (
            {"scope_kind": "all"},
            {"scope_kind": "kinds", "scopes": "medical.clinic sport.pool"},
            {"scope_kind": "kinds", "scopes": "medical.clinic", "valid_to": date(2023, 10, 2)},
            {"scope_kind": "kinds", "scopes": "medical.clinic", "valid_from": date(2022, 9, 30)},
            {"scope_kind": "kinds", "scopes": "medical.clinic", "may_delegate": "yes"},
        ):
            with pytest.raises(Invalid):
                mandate(firm, zhang, parent=row.pk, **wider)
        derived = mandate(firm, zhang, parent=row.pk, scope_kind="kinds", scopes="medical.clinic")
        assert may_act(zhang.ref, firm.ref, Scope(kind="medical.clinic")) == derived
        actions.end_mandate(ONE, mandate_id=row.pk, side="principal", reason="不再授权")
        assert may_act(zhang.ref, firm.ref, Scope(kind="medical.clinic")) is None
        assert Mandate.objects.get(pk=derived.pk).end_reason == "parent"

    def test_scope_by_kind_and_by_case(self, firm, li):
        row = mandate(firm, li, scope_kind="case", scopes="matter:12")
        assert may_act(li.ref, firm.ref, Scope(kind="medical.clinic", case="matter:12")) == row
        for asked in (Scope(), Scope(kind="medical.clinic"), Scope(case="matter:13")):
            assert may_act(li.ref, firm.ref, asked) is None

    def test_acting_for_another_leaves_a_leaf_that_names_the_mandate(self, firm, li):
        row = mandate(firm, li)
        run_errand(CLERK, agent=li.ref, principal=firm.ref)
        leaf = LogLeaf.objects.filter(action="registers.run_errand").get()
        assert leaf.subject == str(row.ref)
        actions.end_mandate(ONE, mandate_id=row.pk, side="agent", reason="离职")
        with pytest.raises(Denied):
            run_errand(CLERK, agent=li.ref, principal=firm.ref)

    def test_a_strange_reference_is_named(self):
        for strange in ("x", "person:1", "natural_person:x"):
            with pytest.raises(NotThere):
                mandating.family(strange)


@action("registers.run_errand")
def run_errand(act, *, agent, principal):
    act.check(public)
    act_for(act, agent, principal)


def _check(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body[14:] + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


DAYS = [date(2022, 1, 1) + timedelta(days=n) for n in range(12)]
ends = st.none() | st.sampled_from(DAYS)


@st.composite
def spans(draw):
    start = draw(st.sampled_from(DAYS))
    return {
        "agent": draw(st.sampled_from(["natural_person:1", "natural_person:2"])),
        "principal": draw(st.sampled_from(["organisation:1", "organisation:2"])),
        "valid_from": start,
        "valid_to": draw(ends.filter(lambda day: day is None or day > start)),
        "confirmed_on": draw(ends),
        "ended_on": draw(ends),
        "scope_kind": draw(st.sampled_from(["all", "kinds", "case"])),
        "scopes": draw(st.sampled_from(["a.b", "a.b c.d", "matter:1"])),
        "parent": draw(st.none() | st.integers(0, 3)),
    }


def naive(rows, agent, principal, asked, day) -> set[int]:
    """Which rows let the agent act, walked day by day over sets of days."""

    def days(n):
        one = rows[n]
        held = {each for each in DAYS if each >= one["valid_from"]}
        held &= {each for each in DAYS if one["confirmed_on"] and each >= one["confirmed_on"]}
        held -= {each for each in DAYS if one["valid_to"] and each >= one["valid_to"]}
        held -= {each for each in DAYS if one["ended_on"] and each >= one["ended_on"]}
        return held & days(one["parent"]) if one["parent"] is not None else held

    def fits(one):
        words = one["scopes"].split()
        return {
            "all": True,
            "kinds": asked.kind in words,
            "case": asked.case in words,
        }[one["scope_kind"]]

    return {
        n
        for n, one in enumerate(rows)
        if (one["agent"], one["principal"]) == (agent, principal) and fits(one) and day in days(n)
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(spans(), max_size=5),
    st.sampled_from(["natural_person:1", "natural_person:2"]),
    st.sampled_from(["organisation:1", "organisation:2"]),
    st.sampled_from(
        [Scope(), Scope(kind="a.b"), Scope(kind="c.d"), Scope(case="matter:1"), Scope("a.b", "matter:1")]
    ),
    st.sampled_from(DAYS),
)
def test_who_may_act_is_what_a_walk_over_days_says(rows, agent, principal, asked, day):
    Mandate.objects.exclude(parent=None).update(parent=None)
    Mandate.objects.all().delete()
    made = []
    for n, one in enumerate(rows):
        # Derived from an earlier one only: what stands in the tables has no circle.
        one["parent"] = one["parent"] if one["parent"] is not None and one["parent"] < n else None
        parent = made[one["parent"]] if one["parent"] is not None else None
        fixed = {"capacity": "representative", "asked_by": "principal", "basis": "x"}
        made.append(Mandate.objects.create(**(one | fixed | {"parent": parent})))
    expected = naive(rows, agent, principal, asked, day)
    found = may_act(Ref.parse(agent), Ref.parse(principal), asked, on=day)
    assert (made.index(found) in expected) if found else not expected
    held = {made.index(each) for each in mandates_of(Ref.parse(agent), on=day) if each.principal == principal}
    assert expected <= held


class TestReading:
    def test_every_reading_in_full_leaves_a_leaf_with_its_reason(self, zhang, reads_logged):
        with reads_logged():
            told = queries.read_in_full(ONE, zhang.pk, ["name", "phone"], "电话通知补正")
        assert told == {"name": NAME, "phone": PHONE}
        leaf = LogLeaf.objects.filter(action="kernel.read").latest("id")
        assert json.loads(leaf.detail.body) == {"fields": ["name", "phone"], "reason": "电话通知补正"}

    def test_without_a_reason_nothing_is_shown(self, zhang):
        with pytest.raises(Invalid):
            queries.read_in_full(ONE, zhang.pk, ["name"], " ")
        with pytest.raises(Invalid):
            queries.read_in_full(ONE, zhang.pk, ["sealed_key"], "看看")

    def test_who_works_on_nothing_of_the_person_does_not_see_him(self, zhang, no_referrers):
        with pytest.raises(NotThere):
            queries.person(CLERK, zhang.pk)
        assert describe([zhang.ref], CLERK)[zhang.ref] == (f"自然人 {zhang.pk}", "")

    def test_who_works_on_a_matter_of_the_person_sees_him_masked(self, zhang, no_referrers):
        links.add_referrer(
            "test", "事项", open_for=lambda refs: 1, works_on=lambda actor, refs: str(zhang.ref) in refs
        )
        assert queries.person(CLERK, zhang.pk).name == "欧阳**"
        assert describe([zhang.ref], CLERK)[zhang.ref][0].startswith("欧阳**")

    def test_search_and_lists_need_no_reading_in_full(self, zhang, li, firm, reads_logged):
        mandate(firm, li)
        with reads_logged():
            queries.find(ONE, name="竹青")
            queries.mandates(ONE, li.ref)
            queries.proposal(TWO, Proposal.objects.latest("id").pk)
            str(queries.person(ONE, zhang.pk).phone)


class TestForgetting:
    @pytest.fixture(autouse=True)
    def confirmed(self, no_referrers, monkeypatch):
        """Ten years, confirmed; nothing above refers to anybody."""
        monkeypatch.setattr(changes, "rule", lambda: Rule(10, "测试规则"))

    def later(self):
        return at("2034-01-01 09:00")

    def test_not_before_the_time_has_come(self, zhang):
        with pytest.raises(StepNotAllowed) as error:
            propose("person_forget", zhang.ref)
        assert "2032-10-20" in error.value.detail

    def test_not_by_a_rule_that_nobody_confirmed(self, zhang, monkeypatch):
        monkeypatch.undo()
        assert rule().unconfirmed
        with self.later(), pytest.raises(StepNotAllowed) as error:
            propose("person_forget", zhang.ref)
        assert "待确认" in error.value.detail

    def test_not_while_something_open_refers_to_the_person(self, zhang, firm):
        links.add_referrer("test", "事项", open_for=lambda refs: 2, works_on=lambda actor, refs: False)
        row = mandate(firm, zhang)
        with self.later(), pytest.raises(StepNotAllowed) as error:
            propose("person_forget", zhang.ref)
        assert "事项还有 2 件未结" in error.value.detail
        assert "没有终止的授权" in error.value.detail
        assert row.pk

    def test_it_destroys_key_and_payloads_and_the_leaf_proves_it(self, zhang, firm):
        row = mandate(firm, zhang, valid_to=date(2023, 1, 1))
        from liangzhu.beams.people.registers.handlers import end_mandates

        with self.later():
            end_mandates()
            make("person_forget", zhang.ref)
        gone = NaturalPerson.objects.get(pk=zhang.pk)
        assert gone.forgotten
        assert gone.name == gone.phone == gone.document_number == "已依规删除"
        assert (gone.document_blind, gone.phone_blind) == ("", "")
        assert Mandate.objects.get(pk=row.pk).basis == "已依规删除"
        assert all(
            not one.sealed_key for one in Proposal.objects.filter(result=str(zhang.ref), kind="person_new")
        )
        assert describe([zhang.ref], ONE)[zhang.ref] == ("已依规删除", "")
        assert search.find("竹青", kind="natural_person") == []
        assert queries.find(ONE, number=NUMBER).persons == []
        assert any(
            leaf.action == "registers.decide_proposal"
            for leaf in LogLeaf.objects.filter(subject=str(zhang.ref))
        )
        # The number is free: whoever comes again is registered anew.
        assert person().pk != zhang.pk

    def test_the_proposer_cannot_delete_alone(self, zhang):
        with self.later():
            proposal = propose("person_forget", zhang.ref)
            with pytest.raises(Denied):
                actions.decide_proposal(ONE, proposal_id=proposal.pk, accept=True)


@pytest.mark.django_db(transaction=True)
def test_nothing_personal_can_be_read_in_the_database():
    one = person(phone=PHONE, address=ADDRESS)
    firm = company(legal_representative=one.pk)
    mandate(firm, one, basis=f"{NAME}的委托书")
    propose("person_change", one.ref, phone=PHONE, address=ADDRESS)
    queries.read_in_full(ONE, one.pk, queries.IN_FULL, f"{NAME}来电")
    drain()
    held = _everything()
    assert USCC.encode() in held
    assert [text for text in (NAME, NUMBER, PHONE, ADDRESS, "1982-03-04") if text.encode() in held] == []


def _everything() -> bytes:
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*") if each.is_file())
    held = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                held += [
                    bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in row
                ]
    return b"\n".join(held)


def test_every_event_of_the_registers_has_a_title():
    mine = [cls for name, cls in all_events().items() if name.startswith("registers.")]
    assert len(mine) == 7
    assert all(cls.title != cls.event_name for cls in mine)
    assert today() == date(2022, 10, 20)


def test_a_generated_district_has_made_up_people_whose_numbers_are_nobodys(tmp_path):
    from liangzhu.beams.people.registers import generators
    from liangzhu.kernel.generating import District
    from liangzhu.kernel.now import now

    plan = District(seed=7, people=600, matters=0, first=now(), last=now(), folder=tmp_path)
    generators.people(plan)
    generators.people(plan)
    rows = list(NaturalPerson.objects.all())
    assert len(rows) == 60
    told = [
        queries.read_in_full(ONE, row.pk, ["name", "document_number", "birth", "phone"], "核对")
        for row in rows[:20]
    ]
    # Eleven digits of a range whose numbers have thirteen.
    assert {one["phone"][:4] for one in told} == {"1410"} and {len(one["phone"]) for one in told} == {11}
    # Names as people have them, so that lists mask them as names; what tells is their numbers.
    assert all(2 <= len(one["name"]) <= 4 and "（" not in one["name"] for one in told)
    assert {one["document_number"][:6] for one in told} == {"329999"}
    assert all(identifiers.check("person", one["document_number"]) for one in told)
    assert queries.find(ONE, number=told[3]["document_number"]).persons == [rows[3]]
    assert rows[3] in queries.find(ONE, name=told[3]["name"]).persons
    firms = list(Organisation.objects.all())
    assert len(firms) == 8 and all(identifiers.check("enterprise", one.uscc) for one in firms)
    mandate = Mandate.objects.earliest("id")
    assert may_act(Ref.parse(mandate.agent), Ref.parse(mandate.principal)) == mandate
