"""The pages and the API of the registers: what is shown is masked, what is read in full has its leaf, two people decide."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.registers import actions, links
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Proposal
from liangzhu.beams.people.registers.pages.urls import urlpatterns
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.refs import Ref

NAME, NUMBER, PHONE = "欧阳竹青", "320706198203040510", "13961300077"
ADDRESS, BIRTH = "连云港市海州区新东街道苍梧路8号", "1982-03-04"
PLANTED = (NAME, NUMBER, PHONE, ADDRESS, BIRTH, "竹青")
USCC = "91350100M000100Y43"
BUDGETS = Path(__file__).with_name("query_budgets_registers.json")
SLACK = 4

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def day(demo_day):
    """Roles that ask for a second factor work in a demonstration."""


@pytest.fixture
def one(put, bureau):
    return put("甲", "jia", bureau, roles=["registers.officer"])


@pytest.fixture
def two(put, bureau):
    return put("乙", "yi", bureau, roles=["registers.officer"])


@pytest.fixture
def clerk(put, bureau):
    return put("丙", "bing", bureau, roles=["matters.officer"])


def make(one, two, kind, subject="", other="", **data) -> Ref:
    data = {"source": "counter", "as_of": "2022-10-01"} | data
    proposal = actions.propose_change(
        one.actor, kind=kind, subject=str(subject), other=str(other), data=data, reason="核对原件"
    )
    return Ref.parse(actions.decide_proposal(two.actor, proposal_id=proposal.pk, accept=True).result)


@pytest.fixture
def planted(one, two):
    """A person who represents a firm, an agent with a mandate of it, an open proposal."""
    given = {"document_kind": "citizen_id", "document_number": NUMBER, "phone": PHONE, "address": ADDRESS}
    person = make(one, two, "person_new", name=NAME, **given)
    agent = make(
        one, two, "person_new", name="李四", document_kind="citizen_id", document_number="11010519491231002X"
    )
    firm = make(
        one,
        two,
        "organisation_new",
        name="海州某某门诊部有限公司",
        uscc=USCC,
        name_from="2020-01-01",
        legal_representative=person.id,
    )
    given = {"capacity": "company_agent", "scope_kind": "all", "asked_by": "principal", "basis": "委托书"}
    mandate = make(
        one, two, "mandate_new", firm, agent, valid_from="2022-10-01", valid_to="2023-10-01", **given
    )
    actions.confirm_mandate(one.actor, mandate_id=int(mandate.id), evidence="到场签字")
    data = {"phone": "13961300078", "address": ADDRESS, "source": "counter", "as_of": "2022-10-01"}
    proposal = actions.propose_change(
        one.actor, kind="person_change", subject=str(person), data=data, reason="换号"
    )
    return {
        "person_id": int(person.id),
        "organisation_id": int(firm.id),
        "mandate_id": int(mandate.id),
        "proposal_id": proposal.pk,
    }


def addresses(planted) -> dict[str, str]:
    """Every route of the app, by name."""
    found = {}
    for route in urlpatterns:
        wanted = route.pattern.converters
        found[route.name] = reverse(
            f"registers:{route.name}", kwargs={name: planted[name] for name in wanted}
        )
    return found


POST_ONLY = {"read_person", "read_proposal", "withdraw"}


def test_no_page_shows_a_planted_value_or_reads_one_without_a_leaf(one, two, clerk, planted, reads_logged):
    for who in (one, two, clerk):
        client = who.client
        for name, address in addresses(planted).items():
            if name in POST_ONLY:
                continue
            with reads_logged():
                answer = client.get(address)
            assert who is clerk or answer.status_code == 200, name
            told = answer.content.decode()
            assert [value for value in PLANTED if value in told] == [], name
    assert not LogLeaf.objects.filter(action="kernel.read").exists()


def test_who_works_on_nothing_of_a_person_sees_no_page_but_the_organisations(clerk, planted):
    client = clerk.client
    for name, address in addresses(planted).items():
        answer = client.get(address) if name not in POST_ONLY else client.post(address)
        wanted = (
            200 if name == "organisation" else (404 if "read_person" in name or name == "person" else 403)
        )
        assert answer.status_code == wanted, name


def test_reading_in_full_is_shown_once_and_leaves_a_leaf(one, planted, reads_logged):
    client, address = one.client, reverse("registers:read_person", args=[planted["person_id"]])
    with reads_logged():
        answer = client.post(address, {"wanted": ["name", "phone"], "reason": "电话通知补正"})
    told = answer.content.decode()
    assert NAME in told and PHONE in told and NUMBER not in told and ADDRESS not in told
    assert "no-store" in answer.headers["Cache-Control"]
    leaf = LogLeaf.objects.get(action="kernel.read")
    assert json.loads(leaf.detail.body) == {"fields": ["name", "phone"], "reason": "电话通知补正"}
    assert leaf.actor == str(one.actor.ref)


def test_without_a_reason_the_page_says_so_and_shows_nothing(one, planted):
    address = reverse("registers:read_person", args=[planted["person_id"]])
    answer = one.client.post(address, {"wanted": ["name"], "reason": ""})
    assert answer.status_code == 422
    assert NAME not in answer.content.decode() and "请填写查看原因" in answer.content.decode()


def test_a_reviewer_reads_a_proposal_in_full_for_a_reason(two, planted):
    client, address = two.client, reverse("registers:read_proposal", args=[planted["proposal_id"]])
    assert client.post(address, {"reason": ""}).status_code == 422
    assert not LogLeaf.objects.filter(action="kernel.read").exists()
    told = client.post(address, {"reason": "对照原件"}).content.decode()
    assert "13961300078" in told and ADDRESS in told
    leaf = LogLeaf.objects.get(action="kernel.read")
    assert leaf.subject == f"proposal:{planted['proposal_id']}"
    assert json.loads(leaf.detail.body) == {"fields": ["payload"], "reason": "对照原件"}


def test_a_search_stands_in_no_address_and_finds_by_name_number_and_phone(one, planted):
    client, home = one.client, reverse("registers:home")
    for by, q in (
        ("name", "竹青"),
        ("number", NUMBER),
        ("phone", PHONE),
        ("name", "门诊部"),
        ("number", USCC),
    ):
        told = client.post(home, {"by": by, "q": q}).content.decode()
        assert ("欧阳**" in told) is (by == "phone" or q in ("竹青", NUMBER)), q
        assert ("海州某某门诊部有限公司" in told) is (q in ("门诊部", USCC)), q
    assert "没有找到自然人" in client.post(home, {"by": "number", "q": NUMBER[:10]}).content.decode()


def test_from_the_form_to_the_second_person(one, two):
    data = {
        "name": "王小明",
        "document_kind": "passport",
        "document_number": "E1234567",
        "birth": "2001年3月4日",
        "source": "counter",
        "as_of": "2022-10-01",
        "reason": "首次办事",
    }
    answer = one.client.post(reverse("registers:new_person"), data | {"document_number": "？"})
    assert answer.status_code == 422 and "王小明" in answer.content.decode()
    one.client.post(reverse("registers:new_person"), data)
    proposal = Proposal.objects.get()
    address = reverse("registers:proposal", args=[proposal.pk])
    assert "通过后立即生效" not in one.client.get(address).content.decode()
    assert two.client.post(address, {"refuse": "1", "reason": ""}).status_code == 422
    two.client.post(address, {"reason": ""})
    row = NaturalPerson.objects.get()
    assert (row.name, row.birth) == ("王**", "2001年")
    assert Proposal.objects.get().state == Proposal.RELEASED


def test_a_mandate_from_form_to_end(one, two, planted):
    address = reverse("registers:authorise_for_organisation", args=[planted["organisation_id"]])
    data = {
        "other_kind": "natural_person",
        "other": NUMBER,
        "capacity": "company_agent",
        "asked_by": "agent",
        "scope_kind": "kinds",
        "scopes": "medical.clinic",
        "valid_from": "2022-10-20",
        "valid_to": "2023-01-01",
        "basis": "委托书",
        "reason": "新经办人",
    }
    one.client.post(address, data)
    proposal = Proposal.objects.latest("id")
    two.client.post(reverse("registers:proposal", args=[proposal.pk]), {"reason": "相符"})
    mandate = Mandate.objects.latest("id")
    page = one.client.get(reverse("registers:mandate", args=[mandate.pk])).content.decode()
    assert "待被代理人确认" in page
    one.client.post(reverse("registers:confirm_mandate", args=[mandate.pk]), {"evidence": "公章"})
    one.client.post(
        reverse("registers:end_mandate", args=[mandate.pk]), {"side": "principal", "reason": "换人"}
    )
    assert Mandate.objects.get(pk=mandate.pk).end_reason == "revoked"


def test_pages_keep_their_query_budgets(one, two, planted):
    """Budgets are committed. A page that needs more has to say why; one that needs far fewer lowers its figure."""
    client = two.client
    places = addresses(planted)
    found = {}
    for name in ("home", "person", "organisation", "mandate", "proposals", "proposal", "change_person"):
        client.get(places[name])
        with CaptureQueriesContext(connection) as caught:
            client.get(places[name])
        found[name] = len(caught)
    with CaptureQueriesContext(connection) as caught:
        client.post(places["home"], {"by": "name", "q": "竹青"})
    found["search"] = len(caught)
    budgets = json.loads(BUDGETS.read_text())
    assert found.keys() == budgets.keys()
    assert {name: n for name, n in found.items() if not budgets[name] - SLACK <= n <= budgets[name]} == {}, (
        found
    )


# The API --------------------------------------------------------------------------------------------------------------


def ask(someone, path: str, *scopes: str, **headers: str):
    """The answer of the API to a token of that person's post."""
    token = access.make_token(someone.actor, name="测试", scopes=list(scopes), days=30).text
    return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"} | headers)


def test_an_organisation_is_resolved_by_its_code(clerk, planted):
    answer = ask(clerk, f"/organisations/{USCC}", "registers:read")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["kind_title"], told["legal_representative"]) == ("企业", "欧阳**")
    assert ask(clerk, f"/organisations/{USCC[:-1]}4", "registers:read").status_code == 422
    assert ask(clerk, "/organisations/11330105002500287C", "registers:read").status_code == 404
    assert ask(clerk, f"/organisations/{USCC}", "persons:read").status_code == 403


def test_a_mandate_is_checked(clerk, planted):
    row = Mandate.objects.get()
    asked = f"/mandates/check?agent={row.agent}&principal={row.principal}"
    assert ask(clerk, asked, "registers:read").json()["mandate_id"] == row.pk
    assert ask(clerk, f"{asked}&day=2023-10-01", "registers:read").json()["allowed"] is False
    assert (
        ask(clerk, f"/mandates/check?agent=x&principal={row.principal}", "registers:read").status_code == 404
    )


def test_a_person_needs_a_scope_of_its_own_a_matter_and_a_reason(clerk, planted, reads_logged, monkeypatch):
    path, ref = f"/persons/{planted['person_id']}", f"natural_person:{planted['person_id']}"
    monkeypatch.setattr(links, "_referrers", {})
    assert ask(clerk, path, "persons:read", **{"X-Reason": "x"}).status_code == 404
    links.add_referrer("test", "事项", open_for=lambda refs: 1, works_on=lambda actor, refs: ref in refs)
    assert ask(clerk, path, "registers:read", **{"X-Reason": "x"}).status_code == 403
    assert ask(clerk, path, "persons:read").status_code == 422
    assert ask(clerk, path, "persons:read", **{"X-Reason": "%20"}).status_code == 422
    assert not LogLeaf.objects.filter(action="kernel.read").exists()
    with reads_logged():
        told = ask(clerk, path, "persons:read", **{"X-Reason": quote("核发证照")}).json()
    assert (told["name"], told["document_number"], told["birth"]) == (NAME, NUMBER, BIRTH)
    leaf = LogLeaf.objects.get(action="kernel.read")
    assert json.loads(leaf.detail.body)["reason"] == "核发证照"


def test_a_token_never_has_the_officers_sight(one, planted, monkeypatch):
    monkeypatch.setattr(links, "_referrers", {})
    path = f"/persons/{planted['person_id']}"
    assert ask(one, path, "persons:read", **{"X-Reason": "x"}).status_code == 404


# In the browser -------------------------------------------------------------------------------------------------------

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_is_accessible_and_fits(live_server, root, one, two, planted, monkeypatch):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("no Chromium or no axe-core here (npm ci)")
    from playwright.sync_api import sync_playwright

    script, cookie = source.read_text(), two.client.cookies["sessionid"].value
    places = {name: address for name, address in addresses(planted).items() if name not in POST_ONLY}
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        for width in (1440, 360):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            for name, address in places.items():
                assert tab.goto(address).status == 200, name
                tab.evaluate(script)
                found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
                assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], (
                    name
                )
                assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        # The main flow: look for somebody, read a number in full for a reason.
        tab.goto(places["home"])
        tab.fill("main input[name=q]", "竹青")
        tab.get_by_role("button", name="查找").click()
        tab.get_by_role("link", name="欧阳**").click()
        tab.get_by_text("查看完整内容").click()
        tab.get_by_label("证件号码").check()
        tab.fill("main input[name=reason]", "核对申请材料")
        tab.get_by_role("button", name="查看", exact=True).click()
        tab.get_by_text(NUMBER).wait_for()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
