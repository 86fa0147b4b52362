"""Opening a matter: by people on a page, with a form that was saved as typed, and by programs over the API."""

import json
import re
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.work.forms import actions as filling
from liangzhu.beams.work.forms import specs
from liangzhu.beams.work.forms.models import Draft, Snapshot
from liangzhu.beams.work.matters import answers, kinds
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import Answer, Matter
from liangzhu.kernel import releases
from liangzhu.kernel.actions import action
from liangzhu.kernel.errors import Denied, Invalid, StepNotAllowed
from liangzhu.kernel.models import LogLeaf, Release
from liangzhu.kernel.policies import get_policy

from .api.conftest import nobody_remembered, program  # noqa: F401 - a client of the API
from .conftest import SIMPLE
from .test_forms_at_steps import VISIT

FIELDS = """
[opening]
form = "site_visit"
fields = [{ name = "channel", label = "渠道", type = "choice", required = true, options = [{ value = "desk", label = "窗口" }, { value = "phone", label = "电话" }] }]
"""
TOKEN = "4f9d2a10-0000-4000-8000-000000000001"


@action("test.open_simple")
def open_simple(act, *, title, data, note, files):
    """As an app that owns a kind does it: the unit that registers leads."""
    act.check(get_policy("matters.assign"))
    unit = act.actor.unit_id
    return matters.open_matter(
        act,
        kind="simple",
        title=title,
        parties={"lead": unit, "office": unit},
        holding_unit_id=unit,
        data=data,
        note=note,
        files=files,
    )


OPENING = kinds.Opening(open_simple, policy="matters.assign", title="收件")


@pytest.fixture
def visit(district):
    specs.forget()
    yield releases.seed("form", "site_visit", json.dumps(VISIT, ensure_ascii=False), "site_visit.json")
    specs.forget()


@pytest.fixture
def opened_by_form(visit, seed_process):
    """A kind whose opening asks a form and a field of the process."""
    return seed_process(SIMPLE.replace("[parties]", f"{FIELDS}\n[parties]", 1), opening=OPENING)


@pytest.fixture
def plain(district, seed_process):
    """A kind that asks nothing but its title."""
    return seed_process(SIMPLE, opening=OPENING)


# On the page ----------------------------------------------------------------------------------------------


def test_a_form_is_filled_in_saved_as_typed_and_opens_the_matter(opened_by_form, sign_in):
    client, _ = sign_in("甲局", "李四")
    assert reverse("matters:openings") in client.get("/work/?scope=unit").content.decode()
    assert reverse("matters:open", args=["simple"]) in client.get("/work/open/").content.decode()
    page = client.get("/work/open/simple/").content.decode()
    start = re.search(r'href="(/forms/start/[^"]+)"', page)[1]
    assert start.endswith("?for=matter_kind:simple") and "渠道" not in page
    assert "要填什么" in client.get(start).content.decode()
    address = client.post(start, follow=True).redirect_chain[-1][0]
    draft = Draft.objects.get()
    typed = {"has": ["good", "who"], "version": draft.version, "good": "yes", "who": "王核"}
    saved = client.post(reverse("forms:autosave", args=[draft.pk, "seen"]), typed)
    assert saved.status_code == 200 and "王核" in client.get(address).content.decode()
    check = client.post(
        address, typed | {"version": saved.json()["version"], "who": "王核查", "go": "next"}, follow=True
    ).content.decode()
    assert reverse("matters:open", args=["simple"]) in check and "下一步：收件" in check
    page = client.get("/work/open/simple/").content.decode()
    assert "已填好" in page and "核查由两人共同进行" in page
    draft.refresh_from_db()
    data = {"form_draft": draft.pk, "form_version": draft.version, "title": "诊所备案", "channel": "desk"}
    refused = client.post("/work/open/simple/", data)
    assert refused.status_code == 422 and not Matter.objects.exists()
    assert "诊所备案" in refused.content.decode()
    once = {"form_declared": "on", "once": "0123456789abcdef"}
    answer = client.post("/work/open/simple/", data | once)
    matter = Matter.objects.get()
    assert answer.status_code == 302 and answer.url == f"/work/{matter.pk}/"
    snapshot = Snapshot.objects.get()
    assert snapshot.subject == str(matter.ref) and not Draft.objects.exists()
    kept = answers.read(Answer.objects.get(matter=matter))
    assert (kept["form_snapshot"], kept["good"], kept["channel"]) == (snapshot.pk, True, "desk")
    history = client.get(f"/work/{matter.pk}/").content.decode()
    assert f"/forms/sent/{snapshot.pk}/" in history and "王核查" not in history
    assert "渠道" in history and "窗口" in history
    assert "系统签名" in client.get(f"/forms/sent/{snapshot.pk}/").content.decode()
    assert client.post("/work/open/simple/", data | once).status_code == 302
    assert Matter.objects.count() == 1


def test_a_draft_of_an_older_release_is_carried_over_before_it_opens_anything(opened_by_form, sign_in):
    _, li = sign_in("甲局", "李四")
    draft = filling.begin(li, key="site_visit", subject="matter_kind:simple")
    draft = filling.save(li, draft_id=draft.pk, version=1, answers={"good": True, "who": "王核查"})
    Release.objects.filter(kind="form", key="site_visit").update(state=Release.SUPERSEDED)
    changed = VISIT | {"title": "新的核查表"}
    releases.seed("form", "site_visit", json.dumps(changed, ensure_ascii=False), "x.json")
    Release.objects.filter(kind="form", key="site_visit", number=2).update(state=Release.IN_FORCE)
    given = {"form_draft": draft.pk, "form_version": draft.version, "form_declared": True, "channel": "desk"}
    with pytest.raises(StepNotAllowed, match="新版"):
        matters.open_new(li, kind="simple", title="甲", data=given)
    draft = filling.carry_over(li, draft_id=draft.pk, version=draft.version)
    given["form_version"] = draft.version
    assert matters.open_new(li, kind="simple", title="甲", data=given).state == "received"


def test_only_whom_the_kind_lets_open_it_may_begin_its_form(opened_by_form, sign_in, district):
    client, plain_clerk = sign_in("甲局", "赵六", "access.sits_there")
    assert client.get("/work/open/simple/").status_code == 404
    with pytest.raises(Denied):
        filling.begin(plain_clerk, key="site_visit", subject="matter_kind:simple")
    with pytest.raises(Denied):
        matters.open_new(plain_clerk, kind="simple", title="甲")
    officer = district.officer("甲局", "李四")
    for subject in ("matter_kind:dated", "matter_kind:nothing"):
        with pytest.raises(Denied):
            filling.begin(officer, key="site_visit", subject=subject)


# Over the API ---------------------------------------------------------------------------------------------


def test_a_program_learns_what_is_asked_and_opens_a_matter_once(opened_by_form, program):  # noqa: F811
    li = program("甲局", "李四", "matters.officer")
    kind = next(one for one in li.get("kinds").json() if one["key"] == "simple")
    assert kind["may_open"] and kind["titled"] and [one["name"] for one in kind["fields"]] == ["channel"]
    assert [one["name"] for one in kind["form"]["fields"]] == ["good", "until", "who"]
    assert kind["form"]["declaration"] == "核查由两人共同进行。"
    body = {"kind": "simple", "title": "诊所备案", "data": {"good": False, "channel": "post", "until": "?"}}
    wrong = li.post("matters", body)
    assert wrong.status_code == 422
    draft = filling.begin(li.actor, key="site_visit", subject="matter_kind:simple")
    half = li.post("matters", body | {"data": {"channel": "desk", "form_draft": draft.pk}})
    assert half.json()["errors"][0]["pointer"] == "#/data/form_version"
    assert {one["pointer"] for one in wrong.json()["errors"]} == {
        "#/data/until",
        "#/data/who",
        "#/data/form_declared",
    }
    body["data"] = {"good": True, "who": "王核查", "form_declared": True, "channel": "phone"}
    first = li.post("matters", body, Idempotency_Key=TOKEN)
    again = li.post("matters", body, Idempotency_Key=TOKEN)
    assert first.status_code == again.status_code == 201, first.content.decode()
    assert again.headers["Idempotent-Replayed"] == "true" and first.content == again.content
    matter = Matter.objects.get()
    assert first.headers["Location"] == again.headers["Location"] == f"/api/v1/matters/{matter.pk}"
    assert (first.json()["title"], first.json()["state"]) == ("诊所备案", "received")
    assert li.get(f"matters/{matter.pk}").json()["id"] == matter.pk
    assert Snapshot.objects.get().subject == str(matter.ref)


def test_a_kind_that_is_not_opened_here_says_where_it_is(plain, program):  # noqa: F811
    li = program("甲局", "李四", "matters.officer")
    answer = li.post("matters", {"kind": "plan_task", "title": "甲"})
    body = answer.json()
    assert (answer.status_code, body["type"]) == (409, "urn:liangzhu:problem:opened_elsewhere")
    assert "任务台账" in body["detail"] and body["todo"]
    listed = {one["key"]: one for one in li.get("kinds").json()}
    assert not listed["plan_task"]["may_open"] and "任务台账" in listed["plan_task"]["elsewhere"]
    answer = li.post("matters", {"kind": "nonsense"})
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "#/kind"
    assert "simple（一般事项）" in answer.json()["errors"][0]["detail"]
    answer = li.post("matters", {"kind": "simple", "title": " "})
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "#/title"
    assert not Matter.objects.exists()


def test_opening_asks_scope_and_the_policy_of_the_kind(plain, program):  # noqa: F811
    reader = program("甲局", "李四", "matters.officer", scopes=["matters:read"])
    body = {"kind": "simple", "title": "甲"}
    assert reader.post("matters", body).json()["type"] == "urn:liangzhu:problem:insufficient_scope"
    assert reader.get("kinds").status_code == 200
    clerk = program("甲局", "赵六", "access.sits_there")
    assert clerk.post("matters", body).json()["type"] == "urn:liangzhu:problem:denied"
    assert not Matter.objects.exists()


def test_an_action_that_makes_its_own_title_takes_none(district, seed_process):
    def titled(actor, *, title, data, note, files, once=""):
        return open_simple(actor, title=f"来信 {data['day']:%m-%d}", data=None, note=note, files=files)

    field = matters.Field("day", "来信日期", type="date", required=True)
    seed_process(
        SIMPLE, opening=kinds.Opening(titled, policy="matters.assign", titled=False, fields=(field,))
    )
    li = district.officer("甲局", "李四")
    with pytest.raises(Invalid) as caught:
        matters.open_new(li, kind="simple", title="自拟")
    assert set(caught.value.fields) == {"title"}
    with pytest.raises(Invalid) as caught:
        matters.open_new(li, kind="simple", data={"day": "昨天"})
    assert set(caught.value.fields) == {"day"}
    row = matters.open_new(li, kind="simple", data={"day": date(2022, 10, 19)})
    assert row.title == "来信 10-19"
    assert LogLeaf.objects.filter(subject=str(row.ref), action="test.open_simple").exists()
