"""Authenticator app and recovery codes through HTTP; roles that wait for a second factor."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.exceptions import InvalidTag
from django.core.cache import cache
from django.test import Client

from liangzhu.beams.people.access import actions
from liangzhu.beams.people.access import api as access
from liangzhu.kernel.models import LogLeaf

PASSWORD = "a-long-enough-secret"
LOGIN = "/account/login/"
ACTIVATE = "/account/2fa/totp/activate/"
AUTHENTICATE = "/account/2fa/authenticate/"


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def sign_in(client: Client, username: str = "lisi"):
    return client.post(LOGIN, {"login": username, "password": PASSWORD})


def confirm(client: Client, page: str) -> None:
    """Give the password again, as the page asks before it changes the means of signing in."""
    answer = client.get(page)
    assert answer.url.startswith("/account/reauthenticate/")
    assert client.post(answer.url, {"password": PASSWORD}).url == page


def enrol(client: Client) -> str:
    """Activate the authenticator app; the secret."""
    confirm(client, ACTIVATE)
    page = client.get(ACTIVATE).content.decode()
    secret = re.search(r'id="totp-secret">([A-Z2-7]+)<', page)[1]
    assert client.post(ACTIVATE, {"code": code_of(secret)}).status_code == 302
    return secret


def forget_used_code() -> None:
    """A code counts once; the test does not wait for the next one."""
    cache.clear()


@pytest.fixture
def protected(officer, client, django_capture_on_commit_callbacks):
    """An officer who enrolled an authenticator app: the secret."""
    sign_in(client)
    with django_capture_on_commit_callbacks(execute=True):
        secret = enrol(client)
    forget_used_code()
    return secret


def test_the_whole_way_of_an_authenticator_app(protected, officer):
    client = Client()
    assert sign_in(client).url == AUTHENTICATE
    assert client.get("/access/security/").status_code == 302
    assert "用通行密钥" not in client.get(AUTHENTICATE).content.decode()
    assert "验证码不正确" in client.post(AUTHENTICATE, {"code": "000000"}).content.decode()
    answer = client.post(AUTHENTICATE, {"code": code_of(protected)})
    assert answer.url == "/start/"
    assert client.get("/access/security/").status_code == 200
    leaf = LogLeaf.objects.filter(action="access.sign_in").latest("id")
    assert '"methods":["password","totp"]' in leaf.detail.body


def test_who_left_the_desk_cannot_have_the_means_of_signing_in_changed(officer, client):
    sign_in(client)
    answer = client.get(ACTIVATE)
    assert "请再确认一次身份" in client.get(answer.url).content.decode()
    assert "密码不正确" in client.post(answer.url, {"password": "wrong"}).content.decode()
    assert client.get(ACTIVATE).status_code == 302
    assert client.post(answer.url, {"password": PASSWORD}).status_code == 302
    assert client.get(ACTIVATE).status_code == 200
    session = client.session
    records = session["account_authentication_methods"]
    records[-1]["at"] -= 3600
    session["account_authentication_methods"] = records
    session.save()
    assert client.get(ACTIVATE).status_code == 302


def test_a_recovery_code_works_once(protected, client):
    page = client.get("/account/2fa/recovery-codes/").content.decode()
    codes = re.search(r'<pre id="recovery-codes">(.*?)</pre>', page, re.S)[1].split()
    assert len(codes) == 10
    for expected in (302, 200):
        other = Client()
        sign_in(other)
        assert other.post(AUTHENTICATE, {"code": codes[0]}).status_code == expected
    download = client.get("/account/2fa/recovery-codes/download/").content.decode().split()
    assert download == codes[1:]


def test_wrong_codes_lock_the_account_like_wrong_passwords(protected, officer, settings):
    client = Client()
    sign_in(client)
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post(AUTHENTICATE, {"code": "000000"})
    assert answer.status_code == 429
    forget_used_code()
    assert client.post(AUTHENTICATE, {"code": code_of(protected)}).status_code == 429
    assert sign_in(Client()).status_code == 429
    failures = LogLeaf.objects.filter(action="access.sign_in_failed")
    assert '"means":"totp"' in failures.first().detail.body
    assert LogLeaf.objects.filter(action="access.locked_out").count() == 1


def test_adding_and_removing_a_second_factor_are_leaves(
    protected, client, django_capture_on_commit_callbacks
):
    def changes():
        found = LogLeaf.objects.filter(action="access.second_factor_changed").order_by("id")
        return [re.findall(r'"(?:change|kind)":"(\w+)"', leaf.detail.body) for leaf in found]

    assert changes() == [["added", "totp"], ["added", "recovery_codes"]]
    for path in ("/account/2fa/recovery-codes/generate/", "/account/2fa/totp/deactivate/"):
        with django_capture_on_commit_callbacks(execute=True):
            client.post(path)
    assert changes()[2:] == [
        ["replaced", "recovery_codes"],
        ["removed", "totp"],
        ["removed", "recovery_codes"],
    ]
    assert sign_in(Client()).url == "/start/"


def test_the_pages_of_an_enrolled_person_show(protected, client):
    for path, word in [
        ("/access/security/", "还剩 10 个"),
        ("/account/2fa/totp/deactivate/", "移除身份验证器"),
        ("/account/2fa/recovery-codes/generate/", "全部作废"),
        ("/account/2fa/webauthn/add/", "登记通行密钥"),
        ("/account/password/change/", "修改密码"),
        ("/account/logout/", "退出登录"),
    ]:
        answer = client.get(path)
        assert answer.status_code == 200 and word in answer.content.decode(), path
        assert "style=" not in answer.content.decode(), path


def test_an_administrator_removes_lost_second_factors(protected, officer, admin, client):
    actions.drop_second_factors(admin.actor, account_id=officer.account.pk, reason="手机丢失，已当面核实")
    assert not Authenticator.objects.exists()
    assert client.get("/access/security/").status_code == 302
    assert sign_in(Client()).url == "/start/"


def test_administration_waits_for_a_second_factor_and_says_where_to_enrol(admin, client):
    sign_in(client, "gu")
    answer = client.get("/access/accounts/")
    page = answer.content.decode()
    assert answer.status_code == 403 and "请先启用第二因素" in page and "可以“维护账号”" in page
    assert ACTIVATE in page and "/account/2fa/webauthn/add/" in page
    actor = answer.wsgi_request.actor
    assert not actor.has("access.admin") and actor.withheld == {"access.admin"}
    enrol(client)
    assert client.get("/access/accounts/").status_code == 200


def test_roles_without_that_demand_work_at_once(auditor, client):
    sign_in(client, "shen")
    assert client.get("/access/log/").status_code == 200


def test_in_a_demonstration_administration_does_not_wait(admin, demo_day):
    client = Client()
    client.force_login(admin.account)
    assert client.get("/access/accounts/").status_code == 200


def test_an_actor_made_by_the_program_has_the_whole_post(admin):
    assert access.actor_of("gu").has("access.admin")


def test_the_secret_in_the_database_opens_nothing_by_itself(officer, client, settings):
    settings.MFA_ADAPTER = "liangzhu.beams.people.access.adapter.StaffMFAAdapter"
    sign_in(client)
    secret = enrol(client)
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert secret not in str(stored.data)
    forget_used_code()
    other = Client()
    sign_in(other)
    assert other.post(AUTHENTICATE, {"code": code_of(secret)}).url == "/start/"
    settings.SECRET_KEY = "the key of another installation"
    with pytest.raises(InvalidTag):
        stored.wrap().validate_code(code_of(secret))
