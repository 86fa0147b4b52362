"""A resident sees what he applied for, where it is and until when; nothing of the office's notes, and nobody else's."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from liangzhu.beams.people.registers.models import Mandate, Organisation
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import queries
from liangzhu.kernel import sealing, worker
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at
from liangzhu.kernel.policies import public

FIRM = ("913299990000000198", "虚构一号口腔门诊部有限公司")
MOST_QUERIES = 24


@action("tests.forget_for_own_test")
def forget(act, *, matter):
    act.check(public)
    sealing.forget(act, matter, rule="测试")


@pytest.fixture(autouse=True)
def day():
    with at("2022-10-20 09:00"):
        yield


@pytest.fixture
def office(sign_in):
    return sign_in("甲局", "李四")[1]


def test_ones_own_matters_stand_on_the_front_page_with_their_path(as_resident, simple, office, advance):
    lin = as_resident()
    matter = advance(office, simple(office, title="开办诊所", applicant=str(lin.person)), "accept")
    advance(office, matter, "note_progress", progress="内部研判意见")
    page = lin.client.get("/my/").content.decode()
    assert "开办诊所" in page and "甲局正在办理" in page and 'aria-current="step"' in page
    text = lin.client.get(f"/my/matters/{matter.pk}/").content.decode()
    assert "办理中" in text and "还剩" in text
    assert "内部研判意见" not in text and "李四" not in text


def test_nobody_elses_are_seen_by_number_nor_through_the_pages_of_staff(as_resident, simple, office):
    lin, he = as_resident(), as_resident("何俊")
    matter = simple(office, applicant=str(lin.person))
    assert he.client.get(f"/my/matters/{matter.pk}/").status_code == 404
    assert matter.number not in he.client.get("/my/matters/").content.decode()
    assert lin.client.get(f"/work/{matter.pk}/").url.startswith("/account/login/")
    assert not queries.visible(lin.actor).exists(), "files and remarks follow `visible`: it stays closed"


def test_an_agent_sees_what_the_mandate_is_for_only(as_resident, simple, office):
    lin, he = as_resident(firm=FIRM), as_resident("何俊")
    firm = Organisation.objects.get()
    shown, hidden = (simple(office, title=title, applicant=str(firm.ref)) for title in ("甲件", "乙件"))
    mandate = Mandate.objects.create(
        principal=str(firm.ref),
        agent=str(he.person),
        capacity="company_agent",
        scope_kind=Mandate.CASE,
        scopes=str(shown.ref),
        asked_by="principal",
        valid_from="2022-10-01",
        valid_to="2023-01-01",
        basis="委托书",
        confirmed_on="2022-10-01",
    )
    he.client.post("/my/acting/", {"principal": str(firm.ref), "mandate": mandate.pk})
    assert list(queries.own_matters(he.actor)) == [shown]
    assert set(queries.own_matters(lin.actor)) == {shown, hidden}
    assert he.client.get(f"/my/matters/{hidden.pk}/").status_code == 404


def test_the_applicant_is_told_of_every_state_once_and_it_is_forgotten_with_the_matter(
    as_resident, simple, office, advance
):
    lin = as_resident()
    matter = advance(office, simple(office, title="开办诊所", applicant=str(lin.person)), "accept")
    while worker.deliver_due():
        pass
    titles = [row.title for row in Message.objects.order_by("pk")]
    assert titles == ["已登记：开办诊所", "办理中：开办诊所"]
    assert Message.objects.first().url == f"/my/matters/{matter.pk}/"
    forget(SYSTEM, matter=matter)
    assert not Message.objects.exists()


def test_the_list_costs_the_same_for_one_as_for_many(as_resident, simple, office):
    lin = as_resident()
    simple(office, applicant=str(lin.person))
    lin.client.get("/my/matters/")
    counts = []
    for more in (0, 5):
        for _ in range(more):
            simple(office, applicant=str(lin.person))
        with CaptureQueriesContext(connection) as seen:
            lin.client.get("/my/matters/")
        counts.append(len(seen))
    assert counts[0] == counts[1] <= MOST_QUERIES


def test_matters_that_are_over_stand_in_their_own_list(as_resident, simple, office):
    lin = as_resident()
    matter = simple(office, title="旧事", applicant=str(lin.person))
    matters.Matter.objects.filter(pk=matter.pk).update(closed_at="2022-10-19T00:00Z", state="closed")
    assert "旧事" not in lin.client.get("/my/matters/").content.decode()
    assert "旧事" in lin.client.get("/my/matters/?closed=1").content.decode()
