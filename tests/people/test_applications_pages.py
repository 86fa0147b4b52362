"""The register and the entrances as pages: registered, reviewed, secret shown once, opened, withdrawn."""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from liangzhu.beams.people.applications import actions, declared, handlers
from liangzhu.beams.people.applications.models import Declaration, DepartmentApplication
from liangzhu.kernel.errors import Denied

from .oidc import BACK, publish
from .oidc import declared as declaration

BUDGETS, SLACK = Path(__file__).with_name("query_budgets_applications.json"), 2

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(demo_day):
    declared.forget()


@pytest.fixture
def keeper(put, bureau):
    return put("周工", "zhou", bureau, ["applications.keeper"])


@pytest.fixture
def reviewer(put, government):
    return put("吴科", "wu", government, ["applications.reviewer"])


FORM = {
    "title": "执法办案系统",
    "category": "office",
    "purpose": "登记和办理执法案件",
    "contact": "周工 12345",
    "start_url": "http://127.0.0.1:9/start",
    "audience": ["staff", "residents"],
    "level": "1",
    "government": "on",
    "scope_profile": "页面上称呼您",
    "redirect_uris": BACK,
    "method": "client_secret",
    "algorithm": "RS256",
}


def test_an_application_goes_through_its_life_on_the_pages(keeper, reviewer, officer, as_resident):
    desk, second = keeper.client, reviewer.client
    wrong = desk.post("/apps/register/new/", FORM | {"redirect_uris": "http://a.example/back#x"})
    assert wrong.status_code == 422
    assert "应以 https:// 开头" in wrong.content.decode()
    assert desk.post("/apps/register/new/", FORM).status_code == 302
    row = DepartmentApplication.objects.get()
    here = f"/apps/register/{row.pk}/"
    assert "由别的单位的应用审核员审核" in desk.get(here).content.decode()
    assert "待您审核" in second.get("/apps/register/").content.decode()
    assert "执法办案系统" not in officer.client.get("/apps/").content.decode()
    assert second.post(here, {"refuse": "1"}).status_code == 422
    assert second.post(here, {"decision": ""}).status_code == 302
    shown = desk.post(here + "secret/", {"hours": "0"}).content.decode()
    secret = shown.split('id="new-secret">')[1].split("<")[0]
    assert secret.startswith("lzs_")
    assert secret not in desk.get(here).content.decode()
    for page in (officer.client.get("/apps/"), as_resident("林晓禾").client.get("/my/apps/")):
        assert "http://127.0.0.1:9/start?iss=" in page.content.decode()
    assert desk.get(here + "change/").status_code == 200
    assert desk.post(here + "change/", FORM | {"title": "执法办案平台"}).status_code == 302
    assert "执法办案平台" in second.get(here).content.decode()
    assert desk.post(here + "back/").status_code == 302
    assert desk.post(here + "withdraw/", {"reason": "系统停用"}).status_code == 302
    assert "系统停用" in desk.get(here).content.decode()
    assert "执法办案系统" not in officer.client.get("/apps/").content.decode()


def test_neither_the_own_unit_nor_who_proposed_it_reviews(put, bureau, keeper):
    both = put("钱工", "qian", bureau, ["applications.keeper", "applications.reviewer"])
    row = actions.register(keeper.actor, given=declaration())
    with pytest.raises(Denied):
        actions.review(both.actor, declaration_id=Declaration.objects.get().pk, accept=True)
    assert row.state == row.DRAFT


def test_others_see_no_register(officer, keeper, make_unit, government, put):
    assert officer.client.get("/apps/register/").status_code == 403
    actions.register(keeper.actor, given=declaration())
    other = put(
        "孙工", "sun", make_unit("某区民政局", government, short_name="区民政局"), ["applications.keeper"]
    )
    number = DepartmentApplication.objects.get().pk
    assert other.client.get(f"/apps/register/{number}/").status_code == 404


def test_an_application_that_does_not_answer_is_shown_so(keeper, reviewer, officer):
    program = publish(keeper.actor, reviewer.actor, health_url="http://127.0.0.1:9/health")
    handlers.check_health()
    program.row.refresh_from_db()
    assert program.row.health == "down"
    assert "连接不上" in keeper.client.get(f"/apps/register/{program.row.pk}/").content.decode()
    assert "暂时没有回应" in officer.client.get("/apps/").content.decode()


def test_pages_keep_their_query_budgets(keeper, reviewer, officer, as_resident):
    budgets = json.loads(BUDGETS.read_text())
    rows = [publish(keeper.actor, reviewer.actor, title=f"系统{n}").row for n in range(3)]
    pages = {
        "tiles": (officer.client, "/apps/"),
        "own": (as_resident("林晓禾").client, "/my/apps/"),
        "register": (keeper.client, "/apps/register/"),
        "new": (keeper.client, "/apps/register/new/"),
        "application": (keeper.client, f"/apps/register/{rows[0].pk}/"),
        "change": (keeper.client, f"/apps/register/{rows[0].pk}/change/"),
    }
    found = {}
    for name, (client, address) in pages.items():
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200, name
        found[name] = len(seen)
    over = {name: (n, budgets.get(name)) for name, n in found.items() if n > budgets.get(name, 0) + SLACK}
    assert over == {}, json.dumps(found)
