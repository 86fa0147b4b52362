"""A process names a form at a step: the step is done with what was filled in there."""

import json

import pytest
from django.urls import reverse

from liangzhu.beams.work.forms import actions as filling
from liangzhu.beams.work.forms import specs
from liangzhu.beams.work.forms.models import Draft, Snapshot
from liangzhu.beams.work.matters import answers, formed
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import Answer
from liangzhu.beams.work.matters.process import ProcessError, pin
from liangzhu.kernel import releases
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import Release

from .conftest import SIMPLE

VISIT = {
    "key": "site_visit",
    "title": "现场核查表",
    "declaration": "核查由两人共同进行。",
    "steps": [
        {
            "name": "seen",
            "title": "核查情况",
            "fields": [
                {"name": "good", "type": "yesno", "label": "是否符合", "required": True},
                {
                    "name": "until",
                    "type": "date",
                    "label": "整改期限",
                    "required": True,
                    "show_if": {"field": "good", "is": False},
                },
                {"name": "who", "type": "text", "label": "核查人", "required": True, "grade": 3},
            ],
        }
    ],
}
WITH_FORM = SIMPLE.replace(
    'name = "accept"\ntitle = "受理"', 'name = "accept"\ntitle = "受理"\nform = "site_visit"', 1
)


@pytest.fixture
def visit(district):
    specs.forget()
    yield releases.seed("form", "site_visit", json.dumps(VISIT, ensure_ascii=False), "site_visit.json")
    specs.forget()


@pytest.fixture
def case(visit, district, seed_process, sign_in, run):
    """A matter that waits for its acceptance, the browser and actor who do it."""
    seed_process(WITH_FORM)
    client, li = sign_in("甲局", "李四")
    units = {"lead": district.units["甲局"], "office": district.units["督办室"]}
    matter = run(
        li,
        lambda act: matters.open_matter(
            act, kind="simple", title="示例事项", parties=units, holding_unit_id=units["lead"]
        ),
    )
    return matter, client, li


def step(actor, matter, **data):
    matters.step(actor, matter_id=matter.pk, transition="accept", data=data)
    matter.refresh_from_db()
    return matter


def test_a_process_may_only_name_a_form_that_exists(db, seed_process):
    with pytest.raises(ProcessError, match="site_visit"):
        seed_process(WITH_FORM)


def test_the_step_is_done_with_the_finished_form(case):
    matter, client, li = case
    page = client.get(f"/work/{matter.pk}/step/accept/").content.decode()
    assert "办这一步要先填这张表单" in page and f"for=matter:{matter.pk}" in page
    client.post(f"/forms/start/site_visit/?for=matter:{matter.pk}")
    draft = Draft.objects.get()
    assert "继续填写" in client.get(f"/work/{matter.pk}/step/accept/").content.decode()
    filling.save(
        li,
        draft_id=draft.pk,
        version=draft.version,
        answers={"good": False, "until": "2022-11-20", "who": "王核查"},
    )
    check = client.get(f"/forms/draft/{draft.pk}/check/").content.decode()
    assert reverse("matters:step", args=[matter.pk, "accept"]) in check and "下一步：受理" in check
    draft.refresh_from_db()
    page = client.get(f"/work/{matter.pk}/step/accept/").content.decode()
    assert "已填好，办理时一并提交" in page and "核查由两人共同进行" in page
    data = {"version": matter.version, "form_draft": draft.pk, "form_version": draft.version}
    refused = client.post(f"/work/{matter.pk}/step/accept/", data)
    assert refused.status_code == 422 and Draft.objects.exists()
    assert client.post(f"/work/{matter.pk}/step/accept/", {**data, "form_declared": "on"}).status_code == 302
    matter.refresh_from_db()
    assert matter.state == "working" and not Draft.objects.exists()
    snapshot = Snapshot.objects.get()
    assert snapshot.subject == f"matter:{matter.pk}"
    kept = answers.read(Answer.objects.get(matter=matter))
    assert kept["form_snapshot"] == snapshot.pk and kept["until"] == "2022-11-20"
    history = client.get(f"/work/{matter.pk}/").content.decode()
    assert f"/forms/sent/{snapshot.pk}/" in history and "王核查" not in history
    assert "王核查" in client.get(f"/forms/sent/{snapshot.pk}/").content.decode()


def test_a_draft_that_changed_since_the_page_was_drawn_is_read_again_first(case):
    matter, client, li = case
    draft = filling.begin(li, key="site_visit", subject=str(matter.ref))
    draft = filling.save(li, draft_id=draft.pk, version=1, answers={"good": True, "who": "王核查"})
    filling.save(li, draft_id=draft.pk, version=draft.version, answers={"who": "赵核查"})
    data = {
        "version": matter.version,
        "form_draft": draft.pk,
        "form_version": draft.version,
        "form_declared": "on",
    }
    page = client.post(f"/work/{matter.pk}/step/accept/", data, follow=True).content.decode()
    assert "刚刚改过" in page
    matter.refresh_from_db()
    assert matter.state == "received"


def test_values_without_a_draft_are_checked_and_kept_the_same_way(case):
    matter, _, li = case
    with pytest.raises(Invalid) as caught:
        step(li, matter, good=False, who="王核查", colour="red")
    assert set(caught.value.fields) == {"until", "colour", "form_declared"}
    step(li, matter, good=True, who="王核查", form_declared=True)
    assert matter.state == "working" and Snapshot.objects.get().content["answers"]["good"] is True


def test_a_step_that_fails_leaves_the_draft_as_it_was(case, district):
    matter, _, li = case
    draft = filling.begin(li, key="site_visit", subject=str(matter.ref))
    draft = filling.save(li, draft_id=draft.pk, version=1, answers={"good": True, "who": "王核查"})
    stranger = district.officer("乙局", "陌生人")
    with pytest.raises(NotThere):
        step(stranger, matter, form_draft=draft.pk, form_version=draft.version, form_declared=True)
    with pytest.raises(StepNotAllowed):
        step(li, matter, form_draft=draft.pk + 1, form_version=draft.version, form_declared=True)
    assert Draft.objects.count() == 1 and not Snapshot.objects.exists()


def test_a_form_of_a_step_is_not_sent_without_the_step_nor_by_those_who_may_not_do_it(case, district):
    matter, client, li = case
    draft = filling.begin(li, key="site_visit", subject=str(matter.ref))
    draft = filling.save(li, draft_id=draft.pk, version=1, answers={"good": True, "who": "王核查"})
    with pytest.raises(StepNotAllowed, match="随办理步骤"):
        filling.send(li, draft_id=draft.pk, version=draft.version, declared=True)
    office = district.officer("督办室", "钱办")
    with pytest.raises(Denied):
        filling.begin(office, key="site_visit", subject=str(matter.ref))
    step(li, matter, form_draft=draft.pk, form_version=draft.version, form_declared=True)
    with pytest.raises(Denied):
        filling.begin(li, key="site_visit", subject=str(matter.ref))


def test_the_form_is_filled_in_under_the_release_that_the_process_pinned(case):
    matter, _, li = case
    pin(Release.objects.get(pk=matter.release_id))
    changed = json.loads(json.dumps(VISIT))
    changed["title"] = "新的核查表"
    Release.objects.filter(kind="form", key="site_visit").update(state=Release.SUPERSEDED)
    releases.seed("form", "site_visit", json.dumps(changed, ensure_ascii=False), "x.json")
    Release.objects.filter(kind="form", key="site_visit", number=2).update(state=Release.IN_FORCE)
    begun = filling.begin(li, key="site_visit", subject=str(matter.ref))
    assert specs.by_release_id(begun.release_id).release == 1
    assert specs.in_force("site_visit").release == 2
    assert (
        formed.at_step(li, matter, matters.process_of(matter).flow.transitions["accept"]).form.title
        == "现场核查表"
    )


# Parts ----------------------------------------------------------------------------------------------------

PART_FORM = SIMPLE.replace(
    'name = "answer"\ntitle = "反馈意见"', 'name = "answer"\ntitle = "反馈意见"\nform = "site_visit"', 1
)


def test_two_parts_of_one_matter_have_a_draft_each(visit, district, seed_process, sign_in, run):
    seed_process(PART_FORM)
    client, yi = sign_in("乙局", "孙七")
    units = {"lead": district.units["甲局"], "office": district.units["督办室"]}

    def begin(act):
        row = matters.open_matter(
            act, kind="simple", title="示例事项", parties=units, holding_unit_id=units["lead"]
        )
        return row, [
            matters.add_part(act, row, kind="opinion", unit_id=district.units["乙局"], title=title)
            for title in ("城东", "城西")
        ]

    matter, (east, west) = run(yi, begin)
    addresses = [reverse("matters:part_step", args=[matter.pk, part.pk, "answer"]) for part in (east, west)]
    for part, address in zip((east, west), addresses, strict=True):
        assert f"for=matter:{matter.pk}&amp;part={part.pk}" in client.get(address).content.decode()
        client.post(f"/forms/start/site_visit/?for=matter:{matter.pk}&part={part.pk}")
    first, second = Draft.objects.order_by("id")
    filling.save(yi, draft_id=first.pk, version=1, answers={"good": True, "who": "王东"})
    filling.save(yi, draft_id=second.pk, version=1, answers={"good": True, "who": "赵西"})
    second.refresh_from_db()
    check = client.get(f"/forms/draft/{second.pk}/check/").content.decode()
    assert addresses[1] in check and addresses[0] not in check and "王东" not in check
    given = {
        "result": "同意",
        "form_draft": second.pk,
        "form_version": second.version,
        "form_declared": "on",
        "version": west.version,
    }
    # The draft of one part does not do the step of the other.
    assert client.post(addresses[0], given | {"version": east.version}).status_code in (302, 409)
    assert Draft.objects.count() == 2
    assert client.post(addresses[1], given).status_code == 302
    assert Draft.objects.get().pk == first.pk
    assert Snapshot.objects.get().content["answers"]["who"] == "赵西"
    west.refresh_from_db()
    assert west.state == "given"
    for part in ("", str(west.pk), "999", "x" * 50):
        assert client.post(f"/forms/start/site_visit/?for=matter:{matter.pk}&part={part}").status_code in (
            403,
            404,
        )
