"""Residents sign in with the province: the simulator on loopback, the client as in service, every wrong answer by name."""

import re
import urllib.parse
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from liangzhu.adapters.province_identity.client import Province
from liangzhu.adapters.province_identity.simulator import make
from liangzhu.adapters.province_identity.wording import DEMO_CLIENT, DEMO_SECRET
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents import sessions
from liangzhu.beams.people.residents.models import ResidentAccount, ResidentSession
from liangzhu.kernel import limits
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at
from liangzhu.kernel.simulating import serving

PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"
FIRM = "913299990000000198"
DAY = "2022-10-20 09:00"

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulator():
    return make(PACK)


@pytest.fixture
def province(simulator):
    """The province on loopback, as the product knows it."""
    limits.forget()
    with serving(simulator) as address:
        one = Province(address, DEMO_CLIENT, DEMO_SECRET, simulator.wording, seconds=1, rest=0)
        residents.register_provider("province", "省统一身份认证", one, simulated=True)
        yield one
        residents.drop_provider("province")


@pytest.fixture(autouse=True)
def day():
    with at(DAY):
        yield


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def at_the_province(address: str, person: str, firm: str = "") -> str:
    """What a person does there: opens the page, chooses who signs in; the address that leads back."""
    page = urllib.request.urlopen(address, timeout=5).read().decode()
    assert "模拟" in page
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
    body = urllib.parse.urlencode({"ticket": ticket, "person": person, "firm": firm}).encode()
    host = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(address))
    opener = urllib.request.build_opener(NoRedirect)
    try:
        opener.open(f"{host}/choose", body, timeout=5)
    except urllib.error.HTTPError as redirected:
        return redirected.headers["Location"]
    raise AssertionError("no way back")


def begin(client: Client, onward: str = "/my/", level: int = 1, **more) -> str:
    asked = client.get("/my/sign-in/", {"next": onward, "level": level, **more})
    assert asked.status_code == 302, asked.content.decode()
    return asked.url


def sign_in(client: Client, person: str = "linxiaohe", firm: str = "", onward: str = "/my/", level: int = 1):
    return client.get(at_the_province(begin(client, onward, level), person, firm))


def actor(client: Client) -> residents.Resident | None:
    number = client.session.get(sessions.KEY)
    row = ResidentSession.objects.filter(pk=number, ended_at=None).first()
    return row and sessions.actor_of(row)


class TestSignIn:
    def test_the_first_sign_in_registers_the_person_with_the_province_as_source(self, province):
        client = browser()
        assert sign_in(client).url == "/my/"
        page = client.get("/my/").content.decode()
        assert "林**" in page and "林晓禾" not in page and "329999198803121026" not in page
        person = NaturalPerson.objects.get(document_blind="329999198803121026")
        assert (person.source, person.sex, str(person.as_of)) == ("province", "female", "2022-10-20")
        leaves = LogLeaf.objects.filter(action="residents.sign_in")
        assert {leaf.actor for leaf in leaves} == {"identity_provider:province"}
        assert {leaf.subject for leaf in leaves} == {str(person.ref), str(actor(client).ref)}

    def test_a_known_person_is_found_by_the_number_and_a_new_name_is_taken_over(self, province, simulator):
        sign_in(browser())
        people = [
            {"key": "lin", "name": "林晓和", "number": "329999198803121026", "level": 2},
        ]
        simulator.configure({"people": people, "enterprises": []})
        sign_in(browser(), "lin")
        assert (NaturalPerson.objects.count(), ResidentAccount.objects.count()) == (1, 1)
        person = NaturalPerson.objects.get()
        assert person._meta.get_field("name").plain(person) == "林晓和" and person.version == 2
        sign_in(browser(), "lin")
        assert NaturalPerson.objects.get().version == 2

    def test_an_enterprise_sign_in_acts_for_it_as_legal_representative(self, province):
        client = browser()
        sign_in(client, firm="0")
        who, firm = actor(client), Organisation.objects.get(uscc=FIRM)
        assert who.principal == who.organisation == firm.ref and who.mandate_id is None
        assert firm.legal_representative.ref == who.person and firm.source == "province"
        assert (
            "正在为 <b>虚构一号口腔门诊部有限公司</b> 办事（法定代表人）"
            in client.get("/my/").content.decode()
        )

    def test_an_agent_gets_a_mandate_for_as_long_as_the_grant(self, province):
        client = browser()
        sign_in(client, "hejun", firm="0")
        mandate = Mandate.objects.get()
        assert actor(client).mandate_id == mandate.pk and str(mandate.valid_to) == "2023-09-01"
        sign_in(browser(), "hejun", firm="0")
        assert Mandate.objects.count() == 1

    def test_an_agent_whose_grant_is_over_is_told_so_and_not_signed_in(self, province):
        client = browser()
        answer = sign_in(client, "hejun", firm="1")
        assert answer.status_code == 409 and "经办授权只在" in answer.content.decode()
        assert actor(client) is None and not NaturalPerson.objects.exists()

    def test_an_agent_whose_mandate_was_ended_here_does_not_get_it_back_from_an_old_grant(self, province):
        sign_in(browser(), "hejun", firm="0")
        Mandate.objects.update(ended_on="2022-10-19", end_reason="revoked")
        client = browser()
        assert "已于 2022-10-19 在本区终止" in sign_in(client, "hejun", firm="0").content.decode()
        assert actor(client) is None

    def test_the_session_begins_under_a_new_key_and_the_old_one_is_gone(self, province):
        client = browser()
        begin(client)
        before = client.session.session_key
        sign_in(client)
        assert client.session.session_key != before
        assert not Session.objects.filter(session_key=before).exists()

    @pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example/", "/\\evil.example", "my/"])
    def test_one_comes_back_to_this_site_only(self, province, onward):
        assert sign_in(browser(), onward=onward).url == "/my/"

    def test_without_a_provider_the_page_says_so(self):
        answer = browser().get("/my/sign-in/")
        assert answer.status_code == 503 and "还不能登录" in answer.content.decode()


class TestWrongAnswers:
    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ("signature", "签名不对"),
            ("algorithm", "签名算法不在约定之内"),
            ("unsigned", "签名算法不在约定之内"),
            ("issuer", "不是约定的系统签发"),
            ("audience", "不是签发给本区"),
            ("nonce", "不是为这一次登录签发"),
            ("expired", "已经过期"),
            ("claims", "没有给出完整的姓名、证件或实名等级"),
            ("garbage", "回答无法识别"),
            ("fault", "出现故障（状态 500）"),
        ],
    )
    def test_a_wrong_answer_signs_nobody_in_and_is_named(self, province, simulator, wrong, words):
        client = browser()
        back = at_the_province(begin(client, "/my/messages/"), "linxiaohe")
        simulator.faults.wrong = wrong
        page = client.get(back)
        text = page.content.decode()
        assert page.status_code in (502, 503) and words in text
        assert "/my/sign-in/?next=%2Fmy%2Fmessages%2F" in text, "a way to try again, to the same page"
        assert actor(client) is None and not NaturalPerson.objects.exists()
        simulator.faults.wrong = ""
        assert sign_in(client, onward="/my/messages/").url == "/my/messages/"

    def test_a_province_that_does_not_answer_is_said_before_the_browser_is_sent_there(
        self, province, simulator
    ):
        simulator.faults.silent = True
        answer = browser().get("/my/sign-in/")
        assert answer.status_code == 503 and "在 1 秒内没有回应" in answer.content.decode()
        simulator.faults.silent = False

    def test_a_province_that_falls_silent_meanwhile_loses_nothing(self, province, simulator):
        client = browser()
        back = at_the_province(begin(client), "linxiaohe")
        simulator.faults.silent = True
        assert client.get(back).status_code == 503
        simulator.faults.silent = False
        assert sign_in(client).status_code == 302

    def test_after_a_failure_nobody_waits_again_at_once(self, simulator):
        with serving(simulator) as address:
            one = Province(address, DEMO_CLIENT, DEMO_SECRET, simulator.wording, seconds=0.2, rest=60)
            simulator.faults.silent = True
            ask = residents.Ask.new(1, "http://localhost/")
            with pytest.raises(residents.ProviderDown):
                one.authorize_url(ask)
            simulator.faults.silent = False
            with pytest.raises(residents.ProviderDown, match="刚才没有回应"):
                one.authorize_url(ask)

    def test_who_cancels_at_the_province_is_not_signed_in(self, province):
        client = browser()
        answer = sign_in(client, "")
        assert answer.status_code == 400 and "您在省平台取消了登录" in answer.content.decode()

    def test_a_person_registered_as_dead_does_not_sign_in(self, province):
        sign_in(browser())
        NaturalPerson.objects.update(state="dead", died_on="2022-10-01")
        client = browser()
        assert "登记状态是“死亡”" in sign_in(client).content.decode()
        assert actor(client) is None


class TestWayBack:
    def test_a_sign_in_that_another_browser_began_is_refused(self, province):
        """Login CSRF: somebody sends a victim the address that ends his own sign-in."""
        back = at_the_province(begin(browser()), "linxiaohe")
        victim = browser()
        answer = victim.get(back)
        assert answer.status_code == 400 and "不是从这个浏览器开始的" in answer.content.decode()
        assert actor(victim) is None

    def test_the_way_back_opened_twice_goes_on_without_a_second_sign_in(self, province):
        client = browser()
        back = at_the_province(begin(client, "/my/messages/"), "linxiaohe")
        assert [client.get(back).url for _ in range(2)] == ["/my/messages/"] * 2
        assert ResidentSession.objects.count() == 1

    def test_a_way_back_is_good_once(self, province):
        client = browser()
        back = at_the_province(begin(client), "linxiaohe")
        client.get(back)
        client.post("/my/sign-out/")
        assert client.get(back).status_code == 400
        assert actor(client) is None

    def test_a_code_is_not_taken_under_another_state(self, province):
        client = browser()
        back = at_the_province(begin(client), "linxiaohe")
        other = urllib.parse.parse_qs(urllib.parse.urlsplit(begin(client)).query)["state"][0]
        swapped = re.sub(r"state=[^&]+", f"state={other}", back)
        assert client.get(swapped).status_code == 400
        assert actor(client) is None

    def test_a_state_that_was_forged_is_refused(self, province):
        client = browser()
        back = at_the_province(begin(client), "linxiaohe")
        assert client.get(re.sub(r"state=[^&]+", "state=forged", back)).status_code == 400

    def test_several_tabs_may_sign_in_side_by_side(self, province):
        client = browser()
        first, second = begin(client, "/my/messages/"), begin(client, "/my/consents/")
        ways = [at_the_province(first, "linxiaohe"), at_the_province(second, "linxiaohe")]
        assert client.get(ways[0]).url == "/my/messages/"

    def test_who_stayed_too_long_at_the_province_begins_anew(self, province, monkeypatch):
        client = browser()
        back = at_the_province(begin(client), "linxiaohe")
        moment = sessions.machine_now() + sessions.ASKING + timedelta(seconds=1)
        monkeypatch.setattr(sessions, "machine_now", lambda: moment)
        assert "停留太久" in client.get(back).content.decode()


class TestLevels:
    def test_a_page_that_needs_more_sends_to_the_province_and_back(self, province):
        client = browser()
        sign_in(client, "linxiaohe")
        assert actor(client).assurance == 2
        sign_in(client, "linxiaohe", level=3, onward="/my/consents/")
        assert actor(client).assurance == 3
        assert ResidentSession.objects.filter(ended_at=None).count() == 1

    def test_who_cannot_show_the_level_is_told_and_keeps_the_session(self, province):
        client = browser()
        sign_in(client, "qiaoyunfei")
        answer = sign_in(client, "qiaoyunfei", level=2, onward="/my/consents/")
        assert answer.status_code == 403 and "您在省统一身份认证现在是“已注册”" in answer.content.decode()
        assert actor(client).assurance == 1

    def test_acting_goes_on_over_a_higher_level_and_ends_with_another_person(self, province):
        client = browser()
        sign_in(client, firm="0")
        sign_in(client, level=3)
        assert actor(client).organisation is not None
        before = actor(client)
        client.get(at_the_province(begin(client, again=1), "hejun"))
        assert actor(client).organisation is None and actor(client).person != before.person
        assert ResidentSession.objects.filter(ended_at=None).count() == 1


def test_a_member_of_staff_who_signs_in_as_a_resident_is_out_of_the_workbench(province, officer):
    client = officer.client
    client.defaults["SERVER_NAME"] = "localhost"
    assert client.get("/my/sign-in/").status_code == 200, "first it is said what will end"
    assert client.get("/work/").status_code == 200
    client.get(at_the_province(begin(client, leave=1), "linxiaohe"))
    assert actor(client) is not None and "_auth_user_id" not in client.session
    assert client.get("/work/").url.startswith("/account/login/")
    assert LogLeaf.objects.filter(action="access.sign_out", subject=str(officer.account.ref)).exists()
