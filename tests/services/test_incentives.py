"""Policies for enterprises: collected against a clock, published by two, matched, told, paid once, counted."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers.models import Organisation
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, NotThere, StepNotAllowed
from liangzhu.kernel.now import at
from liangzhu.pillars.services import criteria
from liangzhu.pillars.services.actions import incentives as actions
from liangzhu.pillars.services.models import EnterpriseFact, IncentiveMatch, Payout
from liangzhu.pillars.services.queries import incentives as queries

pytestmark = pytest.mark.django_db
FIRM = ("913299990000000198", "某某电子有限公司")
SOURCE = "exchange.enterprise"


@pytest.fixture(autouse=True)
def _day(items_loaded):
    with at("2022-10-20 09:00"):
        matters.load_processes()
        yield


@pytest.fixture
def editor(put):
    return put("zheng", "gongxinju", "services.incentive_editor", "matters.officer").actor


@pytest.fixture
def reviewer(put):
    return put("fu", "gongxinju", "services.incentive_reviewer", "services.incentive_editor").actor


@pytest.fixture
def exchange():
    """The register of enterprises, as the city's exchange gives it."""
    before = sources.all_sources().get(SOURCE)
    sources.drop(SOURCE)
    answer = {"established_on": "2019-03-01", "registered_capital": 5_000_000}
    sources.register(
        sources.Source(
            key=SOURCE,
            title="企业登记信息",
            holder="市场监管局",
            subject="organisation",
            fields={
                "established_on": sources.Field("成立日期", "date", 1),
                "registered_capital": sources.Field("注册资本", "money", 1),
            },
            fetch=lambda ask: {name: answer[name] for name in ask.fields},
            basis="《企业信息公示暂行条例》第六条",
        )
    )
    yield answer
    sources.drop(SOURCE)
    if before:
        sources.register(before)


@pytest.fixture
def firm(as_resident, items_loaded):
    return as_resident("林晓禾", level=3, firm=FIRM)


def collected(editor, **more):
    given = {
        "title": "关于支持工业企业发展的若干措施",
        "number": "某工信〔2022〕7号",
        "issuer": "区工业和信息化局",
        "published_on": date(2022, 10, 19),
        "unit_id": directory.units().by_key("gongxinju").id,
    }
    return actions.collect(editor, **(given | more))


AGE = {"wording": "登记满两年", "fact": "established_on", "op": "months", "values": "24"}
CAPITAL = {"wording": "注册资本100万元以上", "fact": "registered_capital", "op": "ge", "values": "1000000"}
STAFF = {"wording": "从业人员20人以上", "fact": "headcount", "op": "ge", "values": "20"}


@pytest.fixture
def publish(editor, reviewer):
    """publish(*criteria, **columns): a policy in force."""

    def run(*terms, document=None, **columns):
        row = actions.begin(editor, document_id=(document or collected(editor)).pk)
        given = {
            "name": "稳岗奖励",
            "benefit": "每户一万元。",
            "contact": "企业服务科",
            "how": "向企业服务科申报",
            "amount": Decimal(10000),
            **columns,
        }
        actions.edit(editor, version_id=row.pk, values=given)
        for one in terms:
            actions.put_criterion(editor, version_id=row.pk, **one)
        actions.submit(editor, version_id=row.pk)
        return actions.decide(reviewer, version_id=row.pk, accept=True).incentive

    return run


def test_a_document_is_late_three_working_days_after_its_publication_not_after_it_was_collected(
    editor, reviewer, publish
):
    row = collected(editor, published_on=date(2022, 10, 14))
    assert matters.light(row.matter).state == "over"
    clock = row.matter.clocks.get()
    assert matters.last_day(clock.due_at) == date(2022, 10, 19)
    with at("2022-10-25 09:00"):
        row.matter.refresh_from_db()
        assert matters.light(row.matter).state == "over"
        with pytest.raises(StepNotAllowed, match="还没有发布"):
            matters.step(editor, matter_id=row.matter_id, transition="structured", version=row.matter.version)
        publish(STAFF, document=row)
        matters.step(editor, matter_id=row.matter_id, transition="structured", version=row.matter.version)
    row.matter.refresh_from_db()
    assert row.matter.overran
    with pytest.raises(Conflict):
        collected(editor)


def test_nobody_publishes_what_he_drafted_and_what_is_published_stays(editor, reviewer, publish):
    row = actions.begin(reviewer, document_id=collected(editor).pk)
    values = {"benefit": "一万元", "contact": "科", "how": "来"}
    actions.edit(reviewer, version_id=row.pk, values=values)
    with pytest.raises(StepNotAllowed, match="没有条件"):
        actions.submit(reviewer, version_id=row.pk)
    actions.put_criterion(reviewer, version_id=row.pk, **STAFF)
    actions.submit(reviewer, version_id=row.pk)
    with pytest.raises(Denied, match="起草人"):
        actions.decide(reviewer, version_id=row.pk, accept=True)
    with pytest.raises(StepNotAllowed):
        actions.edit(editor, version_id=row.pk, values=values)


def test_a_draft_begins_with_the_conditions_that_the_text_lists(editor):
    text = "申请企业应当符合下列条件：（一）从业人员20人以上；（二）生产经营状况良好。"
    row = actions.begin(editor, document_id=collected(editor, text=text).pk)
    assert [(one.fact, one.values) for one in row.criteria.all()] == [("headcount", "20"), ("", "")]


def test_a_policy_that_nobody_could_meet_is_not_submitted(editor):
    row = actions.begin(editor, document_id=collected(editor).pk)
    actions.edit(editor, version_id=row.pk, values={"benefit": "一万元", "contact": "科", "how": "来"})
    actions.put_criterion(editor, version_id=row.pk, **STAFF)
    actions.put_criterion(editor, version_id=row.pk, **(STAFF | {"op": "le", "values": "10"}))
    with pytest.raises(StepNotAllowed, match="从业人数.*矛盾"):
        actions.submit(editor, version_id=row.pk)


def test_an_enterprise_sees_why_tells_what_is_missing_and_is_told_of_what_fits(publish, firm):
    policy = publish(STAFF)
    assert actions.match(SYSTEM, incentive_id=policy.pk) == 0
    address = reverse("services:my_policy", args=[policy.pk])
    assert "告诉我们“从业人数”" in firm.client.get(address).content.decode()
    assert firm.client.post(reverse("services:my_facts"), {"headcount": "25"}).status_code == 302
    page = firm.client.get(address).content.decode()
    assert "符合全部条件" in page and "自行填报" in page
    row = IncentiveMatch.objects.get(incentive=policy)
    assert row.told_at and not row.proven
    assert Message.objects.filter(key=f"incentive:{policy.pk}").count() == 1
    firm.client.post(reverse("services:my_facts"), {"headcount": "8"})
    row.refresh_from_db()
    assert row.ended_at
    assert "改变“从业人数”" in firm.client.get(address).content.decode()


def paid_policy(publish, firm, **columns):
    policy = publish(AGE, CAPITAL, direct=True, **columns)
    actions.read_source(firm.actor, organisation=firm.actor.organisation, source=SOURCE)
    actions.match(SYSTEM, incentive_id=policy.pk)
    return policy


def step(actor, matter, name, **data):
    matter.refresh_from_db()
    return matters.step(actor, matter_id=matter.pk, transition=name, version=matter.version, data=data)


def test_who_is_proven_is_paid_without_applying_once_with_a_proof_that_runs_again(
    editor, reviewer, publish, firm, exchange
):
    policy = paid_policy(publish, firm)
    batch = actions.propose_payout(editor, incentive_id=policy.pk)
    line = batch.lines.get()
    body = json.loads(line.proof)
    assert criteria.recheck(body) and criteria.digest(body) == line.proof_digest
    assert sources.receipt_file and all(one["receipt"] for one in body["facts"].values())
    with pytest.raises(NotThere):
        queries.own_payout(firm.actor, line.pk)
    with pytest.raises(StepNotAllowed, match="没有还可以列入"):
        actions.propose_payout(editor, incentive_id=policy.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.create(
            batch=batch, incentive=policy, organisation=line.organisation, period=line.period, amount=1
        )
    step(reviewer, batch.matter, "approve")
    address = reverse("services:my_payout", args=[line.pk])
    with pytest.raises(StepNotAllowed, match="还没有企业确认"):
        step(editor, batch.matter, "order")
    assert "12 位" not in firm.client.get(address).content.decode()
    wrong = firm.client.post(address, {"account": "12x", "bank": "某银行"})
    assert wrong.status_code == 422 and "8 至 32 位" in wrong.content.decode()
    assert (
        firm.client.post(address, {"account": "6222 0200 1234 5678", "bank": "某银行某支行"}).status_code
        == 302
    )
    assert "6222020012345678" not in firm.client.get(address).content.decode()
    step(editor, batch.matter, "order")
    step(editor, batch.matter, "paid", voucher="2022-1")
    line.refresh_from_db()
    assert line.state == Payout.PAID
    (figures,), _ = queries.coverage(editor)
    assert (figures.eligible, figures.told, figures.paid, figures.yuan) == (1, 1, 1, 10000)
    assert queries.reached() == (1, Organisation.objects.count())


def test_who_proposed_a_list_cannot_agree_to_it(reviewer, publish, firm, exchange):
    policy = paid_policy(publish, firm)
    batch = actions.propose_payout(reviewer, incentive_id=policy.pk)
    with pytest.raises(Denied):
        step(reviewer, batch.matter, "approve")


def test_a_consent_that_was_taken_back_takes_the_enterprise_off_the_list(
    editor, reviewer, publish, firm, exchange
):
    policy = paid_policy(publish, firm)
    batch = actions.propose_payout(editor, incentive_id=policy.pk)
    consent = residents.consent_for(firm.actor.organisation, SOURCE, str(firm.actor.organisation))
    residents.end_consent(firm.actor, consent_id=consent.pk)
    actions.drop_pulled(SYSTEM, case=consent.case, source=SOURCE)
    assert not EnterpriseFact.objects.filter(source=SOURCE).exists()
    step(reviewer, batch.matter, "approve")
    assert batch.lines.get().state == Payout.DROPPED


def test_a_list_over_the_budget_is_refused_with_the_figures(editor, publish, firm, exchange):
    policy = paid_policy(publish, firm, budget=Decimal(9000))
    with pytest.raises(StepNotAllowed, match="超过预算 9000"):
        actions.propose_payout(editor, incentive_id=policy.pk)


def test_another_enterprise_sees_neither_payment_nor_facts(
    editor, reviewer, publish, firm, exchange, as_resident
):
    policy = paid_policy(publish, firm)
    batch = actions.propose_payout(editor, incentive_id=policy.pk)
    step(reviewer, batch.matter, "approve")
    other = as_resident("周宁", level=3)
    assert other.client.get(reverse("services:my_payout", args=[batch.lines.get().pk])).status_code == 404
    assert "切换到您的企业" in other.client.get(reverse("services:my_policies")).content.decode()
    with pytest.raises(Denied):
        actions.say(other.actor, organisation=firm.actor.organisation, values={"headcount": 3})


def test_the_public_finds_a_policy_and_every_condition_is_shown(publish, client):
    policy = publish(STAFF, {"wording": "生产经营状况良好"}, tags="制造业 稳岗")
    page = client.get(reverse("services:policies"), {"q": "稳岗"}).content.decode()
    assert "稳岗奖励" in page
    page = client.get(reverse("services:policy", args=[policy.pk])).content.decode()
    assert "生产经营状况良好" in page and "需人工判断" in page and "不少于20人" in page
