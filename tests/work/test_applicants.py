"""A matter and its applicant in the registers: masked to whom the matter concerns, kept while the matter is open."""

import pytest
from django.urls import reverse

from liangzhu.beams.people.registers import actions as registers
from liangzhu.beams.people.registers import queries
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere, StepNotAllowed
from liangzhu.kernel.now import at
from liangzhu.kernel.refs import Ref

ONE, TWO = (
    Actor(ref=Ref("account", str(n)), label="登记管理员", roles=frozenset({"registers.officer"}))
    for n in (8001, 8002)
)


@pytest.fixture
def applicant(db):
    data = {
        "name": "欧阳竹青",
        "document_kind": "citizen_id",
        "document_number": "320706198203040510",
        "source": "counter",
        "as_of": "2022-10-01",
    }
    with at("2022-10-01 09:00"):
        proposal = registers.propose_change(ONE, kind="person_new", data=data, reason="首次办事")
        done = registers.decide_proposal(TWO, proposal_id=proposal.pk, accept=True)
    return Ref.parse(done.result)


def test_the_matters_page_shows_the_applicant_masked_and_leads_to_him(
    applicant, simple, sign_in, reads_logged
):
    client, li = sign_in("甲局", "李四")
    matter = simple(li, applicant=str(applicant))
    with reads_logged():
        told = client.get(reverse("matters:matter", args=[matter.pk])).content.decode()
        page = client.get(reverse("registers:person", args=[applicant.id]))
    assert "欧阳**（320706********0510）" in told and "欧阳竹青" not in told
    assert page.status_code == 200 and "欧阳竹青" not in page.content.decode()


def test_who_holds_no_matter_of_him_does_not_see_him(applicant, simple, sign_in):
    _, li = sign_in("甲局", "李四")
    client, wang = sign_in("乙局", "王五")
    simple(li, applicant=str(applicant))
    with pytest.raises(NotThere):
        queries.person(wang, int(applicant.id))
    assert client.get(reverse("registers:person", args=[applicant.id])).status_code == 404


def test_he_is_not_deleted_while_a_matter_of_his_is_open(applicant, simple, sign_in):
    _, li = sign_in("甲局", "李四")
    simple(li, applicant=str(applicant))
    with at("2040-01-01 09:00"), pytest.raises(StepNotAllowed) as error:
        registers.propose_change(ONE, kind="person_forget", subject=str(applicant), data={}, reason="期满")
    assert "申请的事项还有 1 件未结" in error.value.detail
