"""The person's side: who read my data, one reading and its receipt, asking why; forms that sources prefill."""

import json
import re
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.trust.sources import actions, pulling, queries
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.trust.sources.models import Pull, Question, Read
from liangzhu.beams.work.forms import actions as filling
from liangzhu.beams.work.forms import prefilling
from liangzhu.beams.work.forms import registry as forms_registry
from liangzhu.beams.work.forms.grammar import parse
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import log, masking, reads
from liangzhu.kernel.actions import action
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref, register_ref

from .conftest import holder_of

pytestmark = pytest.mark.django_db

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CASE = Ref("trail_case", "1")
LAW = "《政务数据共享条例》第十九条"

register_ref("trail_case", "开诊所", lambda ids, actor: {one: ("开办诊所", "/toy/") for one in ids})


@action("toy.agree_for_form")
def agree(act, **given):
    return residents.give_consent(act, **given)


@pytest.fixture
def lin(as_resident):
    return as_resident("林晓禾")


@pytest.fixture
def row(lin):
    return NaturalPerson.objects.get(pk=lin.person.id)


@pytest.fixture
def doctor():
    def fetch(ask):
        return {name: {"level": "执业医师", "since": "2015-07-01"}[name] for name in ask.fields}

    fields = {"level": sources.Field("级别", grade=1), "since": sources.Field("注册日期", "date")}
    sources.register(
        sources.Source(
            "toy.register", "医师执业注册", "某卫健委", "natural_person", fields, fetch, LAW, remote=True
        )
    )
    yield
    sources.drop("toy.register")


def pulled(officer, row, **more):
    given = {
        "source": "toy.register",
        "fields": ["level"],
        "purpose": "核对医师资格",
        "case": CASE,
        "legal_basis": LAW,
    }
    return sources.pull(officer.actor, subject=row.ref, **(given | more))


class TestTrail:
    def test_every_way_of_reading_stands_there_and_nobody_elses(self, lin, row, officer, doctor, as_resident):
        pulled(officer, row)
        masking.reveal(officer.actor, row, "document_number", reason="核对原件", case=str(CASE))
        reads.note(
            officer.actor, row.ref, {"name": "姓名"}, channel="code", case=str(CASE), ground="本人出示服务码"
        )
        sources.pull(
            lin.actor, source="registers.person", subject=row.ref, fields=["name"], purpose="填表", case=CASE
        )
        text = lin.client.get("/my/trail/").content.decode()
        for words in (
            "某区卫生健康委员会",
            "从“医师执业注册”读取：级别",
            "查看完整信息：证件号码",
            "扫服务码：姓名",
            "您自己",
            "开办诊所",
        ):
            assert words in text, words
        assert "您自己" not in lin.client.get("/my/trail/?others=1").content.decode()
        other = as_resident("别人")
        assert "还没有人读取过" in other.client.get("/my/trail/").content.decode()
        for line in Read.objects.all():
            assert other.client.get(f"/my/trail/{line.pk}/").status_code == 404

    def test_who_is_not_checked_or_not_signed_in_is_sent_to_sign_in(self, client, as_resident):
        for one in (client, as_resident("王五", level=1).client):
            assert one.get("/my/trail/").status_code == 302

    def test_an_enterprise_sees_its_own(self, officer, firm):
        boss, agent = holder_of(firm), holder_of(firm, mandate_id=1)
        sources.pull(
            officer.actor,
            source="registers.organisation",
            subject=firm.ref,
            fields=["name"],
            purpose="核对",
            case=CASE,
            legal_basis=LAW,
        )
        assert [line.titles for line in queries.own_trail(boss)] == ["名称"]
        with pytest.raises(Denied):
            queries.own_trail(agent)

    def test_the_receipt_downloads_with_and_without_values(self, lin, row, officer, doctor):
        found = pulled(officer, row)
        log.sequence_now()
        page = lin.client.get(reverse("sources:receipt", args=[found.receipt_id])).content.decode()
        assert "执业医师" not in page
        assert "核对医师资格" in page
        address = reverse("sources:receipt_file", args=[found.receipt_id])
        plain = lin.client.get(address)
        assert "attachment" in plain["Content-Disposition"]
        assert "openings" not in plain.json()
        assert plain.json()["proof"]["head"]["signature"]
        whole = lin.client.get(f"{address}?values=1").json()
        assert whole["openings"]["level"]["value"] == "执业医师"
        assert officer.client.get(address).status_code == 302

    def test_pages_keep_their_query_budgets_however_long_the_trail(self, lin, row, officer, doctor):
        for _ in range(12):
            pulled(officer, row)
        staff, line = officer.client, Read.objects.latest("id").pk
        asked = {
            "/my/trail/": (lin.client, 11),
            f"/my/trail/{line}/": (lin.client, 10),
            f"/my/receipts/{Pull.objects.latest('id').receipt}/": (lin.client, 10),
            "/sources/": (staff, 13),
            "/sources/toy.register/": (staff, 13),
        }
        found = {}
        for address, (client, _) in asked.items():
            client.get(address)
            with CaptureQueriesContext(connection) as caught:
                assert client.get(address).status_code == 200
            found[address] = len(caught)
        assert {
            address: n for address, n in found.items() if not asked[address][1] - 3 <= n <= asked[address][1]
        } == {}, found


class TestWhy:
    @pytest.fixture
    def line(self, lin, row, officer):
        matters.load_processes()
        masking.reveal(officer.actor, row, "phone", reason="联系本人")
        return Read.objects.get()

    def test_a_question_is_a_matter_of_the_unit_and_its_answer_comes_back(self, lin, officer, line, health):
        assert "为什么看我的信息" in lin.client.get(f"/my/trail/{line.pk}/").content.decode()
        sent = lin.client.post(
            f"/my/trail/{line.pk}/",
            {"text": "我没有办事，为什么查我的电话？", "once": "k" * 20},
        )
        assert sent.status_code == 302
        matter = Question.objects.get().matter
        assert (matter.holding_unit_id, matter.applicant) == (health.pk, str(lin.person))
        desk = officer.client.get(f"/work/{matter.pk}/").content.decode()
        assert "为什么查我的电话" in desk
        assert "联系本人" in desk
        matters.step(
            officer.actor,
            matter_id=matter.pk,
            transition="explain",
            version=matter.version,
            data={"answer": "为通知您领证，依据申请表。"},
        )
        assert "为通知您领证" in lin.client.get(f"/my/trail/{line.pk}/").content.decode()
        assert Message.objects.get().url == f"/my/trail/{line.pk}/"
        assert "查阅疑问" in lin.client.get("/my/matters/?closed=1").content.decode()

    def test_once_and_by_the_person_only(self, lin, line, as_resident):
        with pytest.raises(Invalid):
            actions.ask_why(lin.actor, read_id=line.pk, text=" ")
        with pytest.raises(NotThere):
            actions.ask_why(as_resident("别人").actor, read_id=line.pk, text="为什么？")
        actions.ask_why(lin.actor, read_id=line.pk, text="为什么？")
        with pytest.raises(Conflict):
            actions.ask_why(lin.actor, read_id=line.pk, text="为什么？")


class TestPrefill:
    FORM = json.dumps(
        {
            "key": "toy_doctor",
            "title": "试验",
            "steps": [
                {
                    "name": "one",
                    "title": "一",
                    "fields": [
                        {
                            "name": "who",
                            "type": "text",
                            "label": "姓名",
                            "prefill": {"source": "registers.person", "part": "name"},
                        },
                        {
                            "name": "level",
                            "type": "text",
                            "label": "级别",
                            "prefill": {"source": "toy.register", "part": "level"},
                        },
                    ],
                }
            ],
        }
    )

    def test_a_field_shows_whose_it_is_and_leads_to_the_receipt(self, lin, row, doctor, reads_logged):
        form = parse(self.FORM, "toy")
        with reads_logged():
            found = prefilling.ask(form, lin.actor, CASE)
        assert (found["who"]["value"], found["who"]["title"]) == ("林晓禾", "本区自然人登记库")
        assert "没有本人同意" in found["level"]["failed"]
        agree(
            lin.actor,
            subject=row.ref,
            source="toy.register",
            fields=["level"],
            purpose="预填",
            case=str(CASE),
            channel="portal",
            until=now() + timedelta(days=1),
        )
        again = prefilling.ask(form, lin.actor, CASE, {"level"})
        assert again["level"]["value"] == "执业医师"
        assert lin.client.get(again["level"]["url"]).status_code == 200
        assert Read.objects.latest("id").titles == "级别"

    def test_one_that_does_not_answer_in_time_is_named_and_the_form_goes_on(self, lin, row, monkeypatch):
        waiting = threading.Event()
        fields = {"level": sources.Field("级别")}
        slow = sources.Source(
            "toy.register",
            "医师执业注册",
            "某卫健委",
            "natural_person",
            fields,
            lambda ask: waiting.wait(5),
            LAW,
            remote=True,
            seconds=0.1,
        )
        sources.register(slow)
        monkeypatch.setitem(
            forms_registry.sources,
            "toy.register",
            replace(forms_registry.sources["toy.register"], seconds=0.1),
        )
        monkeypatch.setattr(
            pulling.residents,
            "consent_for",
            lambda *given: SimpleNamespace(pk=1, names=["level"], ref=Ref("consent", "1")),
        )
        found = prefilling.ask(parse(self.FORM, "toy"), lin.actor, CASE)
        waiting.set()
        sources.drop("toy.register")
        assert found["who"]["value"] == "林晓禾"
        assert "没有答复" in found["level"]["failed"]
        assert Pull.objects.get(source="toy.register").outcome == "down"

    def test_a_draft_of_another_is_not_asked_for(self, officer):
        with pytest.raises(NotThere):
            filling.ask_again(officer.actor, draft_id=404)


def test_a_certificate_of_the_district_is_a_source(issue, officer, person, reads_logged):
    made = issue()
    with reads_logged():
        found = sources.pull(
            officer.actor,
            source="certificates.clinic_filing",
            subject=person.ref,
            fields=["number", "name", "phone"],
            purpose="核对诊所备案",
            case=CASE,
            legal_basis=LAW,
        )
    assert found.values == {"number": made.number, "name": "竹青诊所", "phone": "13961300077"}
    with pytest.raises(sources.NothingHeld):
        sources.pull(
            officer.actor,
            source="certificates.radiology",
            subject=person.ref,
            fields=["number"],
            purpose="核对",
            case=CASE,
            legal_basis=LAW,
        )


def test_no_other_way_leads_to_a_value_in_full(root):
    """`plain` gives a sealed value without writing it down: only these call it, and each tells log and trail itself."""
    found, callers = set(), set()
    for path in sorted((root / "src" / "liangzhu").rglob("*.py")):
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(root / "src" / "liangzhu"))
        if re.search(r"masking\.plain\(|get_field\([^)]*\)\.plain\(|field\.plain\(", text):
            found.add(name)
        if "registers.held(" in text:
            callers.add(name)
    # The counter tells an issuer the number of the member of staff who asks: the leaf of the claim says so.
    assert found == {
        "kernel/masking.py",
        "beams/people/registers/values.py",
        "beams/people/codes/checking.py",
    }
    # An application is told the name and code of an enterprise: neither is of grade 3.
    assert callers == {
        "beams/people/applications/people.py",
        "beams/trust/sources/own.py",
        "beams/trust/sources/pulling.py",
    }


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pages_are_accessible_and_fit(live_server, root, lin, row, officer, doctor, monkeypatch):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("no Chromium or no axe-core here (npm ci)")
    from playwright.sync_api import sync_playwright

    matters.load_processes()
    receipt = pulled(officer, row).receipt_id
    line = Read.objects.get().pk
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def tab_of(client, width):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            return tab

        def look(tab, what):
            tab.evaluate(source.read_text())
            found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
            assert [(rule["id"], [n["html"][:160] for n in rule["nodes"]][:2]) for rule in found] == [], what
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), what

        own = ["/my/trail/", f"/my/trail/{line}/", f"/my/receipts/{receipt}/"]
        for client, pages in ((lin.client, own), (officer.client, ["/sources/", "/sources/toy.register/"])):
            for width in (1440, 360):
                tab = tab_of(client, width)
                for address in pages:
                    assert tab.goto(address).status == 200, address
                    look(tab, (address, width))
        tab = tab_of(lin.client, 360)
        tab.goto("/my/trail/")
        tab.get_by_role("link", name="医师执业注册").click()
        tab.get_by_label("您想问什么").fill("为什么看我的执业信息？")
        tab.get_by_role("button", name="提出疑问").click()
        tab.get_by_text("已转给读取单位").wait_for()
        look(tab, "asked")
        browser.close()
    assert Question.objects.get().text == "为什么看我的执业信息？"
