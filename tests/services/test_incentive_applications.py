"""An enterprise applies for a policy as for anything else; what was granted is paid through the same chain, and counted."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers.models import Organisation
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.now import at
from liangzhu.pillars.services import bundles
from liangzhu.pillars.services.actions import cases, incentives
from liangzhu.pillars.services.models import Application, Incentive, IncentiveMatch, Material, Payout
from liangzhu.pillars.services.queries import incentives as queries

from .applying import ready, send, step

FIRM = ("913299990000000198", "某某电子有限公司")
WITH = "item:chuangye_butie"
ANSWERS = {"person_name": "林晓禾", "phone": "13812345678", "about": "申请一次性创业补贴"}
ANYBODY = {"wording": "在本区登记的企业", "fact": "kind", "op": "in", "values": "enterprise"}


@pytest.fixture
def staff(clinic, put):
    roles = ("services.incentive_editor", "services.incentive_reviewer", "matters.officer")
    return put("zheng", "rensheju", *roles).actor, put("fu", "rensheju", *roles).actor


@pytest.fixture
def firm(clinic, as_resident):
    return as_resident("林晓禾", level=3, firm=FIRM)


def publish(staff, **columns):
    editor, reviewer = staff
    document = incentives.collect(
        editor, title="关于支持创业的若干措施", number="某人社〔2022〕7号", issuer="区人力资源和社会保障局",
        published_on=date(2022, 10, 19), unit_id=directory.units().by_key("rensheju").id,
    )  # fmt: skip
    row = incentives.begin(editor, document_id=document.pk)
    given = {
        "name": "创业补贴", "benefit": "每户五千元。", "contact": "就业科", "amount": Decimal(5000), "apply_with": WITH,
    } | columns  # fmt: skip
    incentives.edit(editor, version_id=row.pk, values=given)
    incentives.put_criterion(editor, version_id=row.pk, **ANYBODY)
    incentives.submit(editor, version_id=row.pk)
    return incentives.decide(reviewer, version_id=row.pk, accept=True).incentive


def applied(firm, policy):
    row = ready(firm, WITH, {}, ANSWERS)
    Application.objects.filter(pk=row.pk).update(incentive=policy)
    row.refresh_from_db()
    return send(firm, row)


def granted(staff, firm, policy):
    row = applied(firm, policy)
    for one in row.materials.filter(state=Material.TO_VERIFY):
        cases.verify(staff[0], material_id=one.pk, good=True, note="电话核实")
    matter = row.cases.get().matter
    step(staff[0], matter, "accept")
    step(staff[0], matter, "grant")
    return row


def test_an_enterprise_goes_from_the_policy_to_the_application_and_is_counted(staff, firm):
    policy = publish(staff)
    incentives.match(SYSTEM, incentive_id=policy.pk)
    page = firm.client.get(reverse("services:my_policy", args=[policy.pk])).content.decode()
    address = f"{reverse('services:bundle', args=[WITH])}?policy={policy.pk}"
    assert address in page
    route = firm.client.get(address).content.decode()
    begin = f"{reverse('services:begin', args=[WITH])}?policy={policy.pk}"
    assert begin in route
    form = firm.client.get(begin)
    assert "申报政策" in form.content.decode() and "创业补贴" in form.content.decode()
    assert firm.client.post(begin, {"go": "1"}).status_code == 302
    assert Application.objects.get().incentive == policy
    cases.drop(firm.actor, application_id=Application.objects.get().pk)
    row = applied(firm, policy)
    assert IncentiveMatch.objects.get().applied == str(row.ref)
    (line,), _ = queries.coverage(staff[0])
    assert (line.eligible, line.applied, line.paid, line.had_rate) == (1, 1, 0, 0.0)


def test_what_was_granted_is_paid_through_listed_agreed_confirmed_ordered_paid(staff, firm):
    policy = publish(staff)
    editor, reviewer = staff
    with pytest.raises(StepNotAllowed, match="没有可以列入"):
        incentives.propose_granted(editor, incentive_id=policy.pk)
    row = granted(staff, firm, policy)
    batch = incentives.propose_granted(editor, incentive_id=policy.pk)
    line = batch.lines.get()
    assert (line.state, line.amount, line.application) == (Payout.LISTED, Decimal(5000), row)
    assert json.loads(line.proof)["decisions"][0]["outcome"] == "granted"
    assert queries.granted_unpaid(policy) == []

    def move(actor, name, **data):
        batch.matter.refresh_from_db()
        matters.step(
            actor, matter_id=batch.matter_id, transition=name, version=batch.matter.version, data=data
        )

    move(reviewer, "approve")
    address = reverse("services:my_payout", args=[line.pk])
    page = firm.client.get(address).content.decode()
    assert "您的申请已经准予" in page and "不用申请" not in page
    assert firm.client.post(address, {"account": "6222020012345678", "bank": "某银行"}).status_code == 302
    move(editor, "order")
    move(editor, "paid", voucher="2022-9")
    # Not eligible any more, paid all the same: the rate does not pass the whole.
    IncentiveMatch.objects.update(ended_at=line.batch.matter.opened_at)
    (figures,), _ = queries.coverage(editor)
    assert (figures.eligible, figures.paid, figures.ever, figures.had_rate) == (0, 1, 1, 1.0)
    with pytest.raises(StepNotAllowed, match="已经享受过"):
        incentives.may_apply(firm.actor, policy.pk, WITH)


def test_amounts_that_are_not_the_same_for_all_are_set_one_by_one(staff, firm):
    policy = publish(staff, amount=None)
    editor = staff[0]
    row = granted(staff, firm, policy)
    with pytest.raises(StepNotAllowed, match="没有可以列入"):
        incentives.propose_granted(editor, incentive_id=policy.pk)
    with pytest.raises(Invalid):
        incentives.propose_granted(editor, incentive_id=policy.pk, amounts={row.pk: Decimal(0)})
    batch = incentives.propose_granted(editor, incentive_id=policy.pk, amounts={row.pk: Decimal("1234.50")})
    assert batch.lines.get().amount == Decimal("1234.50")


def test_who_may_not_apply_is_told_why(staff, firm, as_resident):
    policy = publish(staff, window_from=date(2022, 11, 1))
    with pytest.raises(StepNotAllowed, match="还没有开始"):
        incentives.may_apply(firm.actor, policy.pk, WITH)
    with at("2022-11-02 09:00"):
        with pytest.raises(StepNotAllowed, match="由企业申报"):
            cases.begin(as_resident("周宁").actor, bundle=WITH, answers={}, incentive_id=policy.pk)
        with pytest.raises(StepNotAllowed, match="不是这样"):
            incentives.may_apply(firm.actor, policy.pk, "open_clinic")
    version = incentives.redraft(staff[0], incentive_id=policy.pk)
    version = incentives.edit(staff[0], version_id=version.pk, values={"apply_with": "item:nothing"})
    assert "网上申报用的事项没有施行，或者不能网上办理" in queries.faults(version)


def test_matching_goes_on_where_it_broke_off(staff, firm, monkeypatch):
    policy = publish(staff)
    monkeypatch.setattr(incentives, "BATCH", 2)
    first = Organisation.objects.get()
    for place in range(4):
        Organisation.objects.create(
            uscc=f"91320706TEST0000{place:02d}", name=f"某{place}企业", kind="enterprise", state=first.state,
            source=first.source, as_of=first.as_of,
        )  # fmt: skip
    told, real = [], incentives.residents.tell
    broke = iter([False, True])

    def tell(refs, **said):
        if next(broke, False):
            raise RuntimeError("power cut")
        told.extend(refs)
        return real(refs, **said)

    monkeypatch.setattr(incentives.residents, "tell", tell)
    with pytest.raises(RuntimeError):
        incentives.match(SYSTEM, incentive_id=policy.pk)
    policy.refresh_from_db()
    assert IncentiveMatch.objects.count() == 2 and policy.matched_to and policy.pk in queries.to_match()
    assert incentives.match(SYSTEM, incentive_id=policy.pk) == 5
    assert len(told) == len(set(told)) == 5
    assert queries.to_match() == []
    with at("2022-10-21 09:00"):
        assert queries.to_match() == [policy.pk]
    incentives.match_again(SYSTEM, incentive_id=policy.pk)
    assert Incentive.objects.get().matched_on is None and queries.to_match() == [policy.pk]


def test_a_food_business_is_licensed_online(clinic):
    assert bundles.where_applied("shipin_jingying") == "item:shipin_jingying"
