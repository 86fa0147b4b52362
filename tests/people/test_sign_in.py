"""Signing in with a password: success, failure, lock-out, closed accounts, first sign-in, and what is not offered."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from axes.models import AccessAttempt
from django.test import Client
from django.urls import NoReverseMatch, reverse

from liangzhu.beams.people.access import actions
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.kernel import limits
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.now import today

PASSWORD = "a-long-enough-secret"
LOGIN = "/account/login/"


def sign_in(client: Client, username: str, password: str = PASSWORD, **more):
    return client.post(LOGIN, {"login": username, "password": password, **more})


def strong(someone) -> Client:
    """A browser of somebody who signed in and has a second factor."""
    TOTP.activate(someone.account, "A" * 32)
    return someone.client


def leaves(action: str) -> list[LogLeaf]:
    return list(LogLeaf.objects.filter(action=action).order_by("id"))


def test_the_right_password_opens_the_workbench_and_leaves_a_leaf(client, officer):
    answer = sign_in(client, "lisi")
    assert (answer.status_code, answer.url) == (302, "/start/")
    assert client.get("/access/security/").status_code == 200
    (leaf,) = leaves("access.sign_in")
    assert leaf.subject == leaf.actor == str(officer.account.ref)


def test_one_goes_on_to_where_one_wanted_to_go_but_not_elsewhere(client, officer):
    assert sign_in(client, "lisi", next="/directory/units/").url == "/directory/units/"
    assert sign_in(Client(), "lisi", next="https://evil.example/").url == "/start/"


def test_the_user_name_may_be_written_in_capitals_or_full_width(officer):
    for written in (" LISI ", "ｌｉｓｉ"):
        assert sign_in(Client(), written).status_code == 302


def test_a_wrong_password_says_so_in_chinese_and_keeps_the_name(client, officer):
    answer = sign_in(client, "lisi", "wrong")
    page = answer.content.decode()
    assert "用户名或密码不正确" in page and 'value="lisi"' in page and "wrong" not in page


def test_a_failed_name_stands_in_the_log_only_as_a_commitment(client, officer):
    sign_in(client, "my-password-by-mistake")
    sign_in(client, "lisi", "wrong")
    unknown, known = leaves("access.sign_in_failed")
    assert unknown.subject == "account:unknown" and known.subject == str(officer.account.ref)
    text = " ".join(row.body for row in LogDetail.objects.all())
    assert "my-password-by-mistake" not in text and "lisi" not in text
    assert actions.name_token("My-Password-by-mistake") in unknown.detail.body


def test_the_account_is_locked_after_some_failures_whatever_the_address_and_case(officer, settings):
    for n in range(settings.AXES_FAILURE_LIMIT):
        client = Client(REMOTE_ADDR=f"10.0.0.{n}", HTTP_USER_AGENT=f"browser {n}")
        answer = sign_in(client, "lisi" if n % 2 else "LiSi", "wrong")
    assert answer.status_code == 429
    answer = sign_in(Client(), "lisi")
    page = answer.content.decode()
    assert answer.status_code == 429 and "账号已锁定" in page and "系统管理员解锁" in page
    assert re.search(r"锁定到 \d+月\d+日 \d\d:\d\d", page)
    assert len(leaves("access.locked_out")) == 1


def test_a_lock_ends_by_itself(officer, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(), "lisi", "wrong")
    for row in AccessAttempt.objects.all():
        past = row.attempt_time - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=past)
    assert sign_in(Client(), "lisi").status_code == 302


def test_an_administrator_unlocks(officer, admin, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(), "lisi", "wrong")
    assert sign_in(Client(), "lisi").status_code == 429
    actions.unlock_account(admin.actor, account_id=officer.account.pk, reason="本人来电")
    assert sign_in(Client(), "lisi").status_code == 302
    with pytest.raises(StepNotAllowed):
        actions.unlock_account(admin.actor, account_id=officer.account.pk, reason="再来一次")


def test_the_lock_of_one_name_does_not_touch_others(officer, admin, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(), "nobody", "wrong")
    assert sign_in(Client(), "nobody", "wrong").status_code == 429
    assert sign_in(Client(), "lisi").status_code == 302


def test_a_closed_account_is_told_so_and_its_sessions_end(officer, admin, client):
    sign_in(client, "lisi")
    actions.close_account(admin.actor, account_id=officer.account.pk, reason="调离")
    assert client.get("/access/security/").status_code == 302
    answer = Client().post(LOGIN, {"login": "lisi", "password": PASSWORD}, follow=True)
    assert "账号已停用" in answer.content.decode() and not answer.wsgi_request.user.is_authenticated
    assert "用户名或密码不正确" in sign_in(Client(), "lisi", "wrong").content.decode()
    actions.reopen_account(admin.actor, account_id=officer.account.pk, reason="调回")
    assert sign_in(Client(), "lisi").status_code == 302


def test_nobody_closes_the_own_account(admin):
    with pytest.raises(StepNotAllowed):
        actions.close_account(admin.actor, account_id=admin.account.pk, reason="误点")


def test_the_initial_password_must_be_changed_before_anything_else(bureau, client):
    holding = directory_actions.appoint(SYSTEM, unit_id=bureau.pk, name="王五", title="科员", roles=[])
    opened = access.open_account(SYSTEM, person_id=holding.person_id, username="wangwu")
    sign_in(client, "wangwu", opened.password)
    change = reverse("account_change_password")
    for path in ("/access/security/", "/directory/units/", "/"):
        assert client.get(path).url == change
    page = client.get(change).content.decode()
    assert "请先设置自己的密码" in page
    weak = {"oldpassword": opened.password, "password1": "1234567890", "password2": "1234567890"}
    assert client.post(change, weak).status_code == 200
    strong = {"oldpassword": opened.password, "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(change, strong).status_code == 302
    assert client.get("/access/security/").status_code == 200
    assert len(leaves("access.change_password")) == 1
    assert sign_in(Client(), "wangwu", opened.password).status_code == 200


def test_a_reset_password_is_shown_once_and_works_once(officer, admin):
    client = strong(admin)
    page = f"/access/accounts/{officer.account.pk}/reset/"
    form = {"reason": "忘记密码", "once": "k" * 20}
    answer = client.post(page, form)
    password = re.search(r'id="initial-password">([^<]+)<', answer.content.decode())[1]
    assert "no-store" in answer.headers["Cache-Control"]
    assert sign_in(Client(), "lisi").status_code == 200
    assert sign_in(Client(), "lisi", password).status_code == 302
    again = client.post(page, form, follow=True)
    assert "initial-password" not in again.content.decode() and "只显示一次" in again.content.decode()
    assert password not in " ".join(row.body for row in LogDetail.objects.all())


@pytest.mark.parametrize("username", ["x", "Ünal", "a b", "-a", "a" * 41, "管理员"])
def test_a_bad_user_name_is_refused_beside_its_field(officer, username):
    with pytest.raises(Invalid) as error:
        access.open_account(SYSTEM, person_id=officer.person.pk, username=username)
    assert set(error.value.fields) == {"username"}


def test_a_person_has_one_account_and_a_user_name_one_person(officer, admin):
    with pytest.raises(Invalid) as error:
        access.open_account(SYSTEM, person_id=officer.person.pk, username="lisi2")
    assert "person" in error.value.fields
    with pytest.raises(Invalid) as error:
        access.open_account(SYSTEM, person_id=officer.person.pk, username="GU")
    assert "username" in error.value.fields


def test_who_has_no_post_today_is_told_so(officer, client):
    directory_actions.close_post(SYSTEM, post_id=officer.post.pk, on=today())
    sign_in(client, "lisi")
    answer = client.get("/directory/units/")
    assert answer.status_code == 403 and "今天没有可用的岗位" in answer.content.decode()
    assert client.get("/account/login/").status_code == 302
    assert client.post("/access/logout/").status_code == 302


@pytest.mark.parametrize(
    "name",
    [
        "account_signup",
        "account_email",
        "account_reset_password",
        "account_set_password",
        "account_confirm_login_code",
        "account_request_login_code",
        "mfa_signup_webauthn",
        "socialaccount_connections",
    ],
)
def test_what_is_not_offered_does_not_exist(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_signing_out_ends_the_session_and_leaves_a_leaf(client, officer):
    sign_in(client, "lisi")
    assert client.get("/access/logout/").status_code == 405
    client.post("/access/logout/")
    assert client.get("/access/security/").status_code == 302
    assert len(leaves("access.sign_out")) == 1


def test_the_demonstration_offers_its_accounts_and_each_signs_in_with_one_click(district, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client = Client()
    page = client.get(LOGIN).content.decode()
    assert "演示账号" in page and 'name="login" value="office"' in page
    password = re.search(r'type="hidden" name="password" value="([^"]+)"', page)[1]
    assert sign_in(client, "office", password).status_code == 302
    assert client.get("/access/security/").status_code == 200


def test_outside_the_demonstration_no_account_is_offered(district, settings):
    settings.LIANGZHU_DEMO_DATE = None
    assert "演示账号" not in Client().get(LOGIN).content.decode()


def test_the_first_administrator_comes_from_the_command_line_and_only_once(bureau):
    opened = access.open_first_administrator(SYSTEM, unit_key=bureau.key, name="顾一", username="gu")
    assert access.actor_of("gu").has("access.admin") and opened.account.must_change_password
    with pytest.raises(StepNotAllowed):
        access.open_first_administrator(SYSTEM, unit_key=bureau.key, name="顾二", username="gu2")


def test_no_page_of_signing_in_has_script_or_style_of_its_own(client, officer):
    page = client.get(LOGIN)
    text = page.content.decode()
    inline = [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag and "json" not in tag]
    assert inline == [] and "style=" not in text and "<style" not in text and " onclick" not in text
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_too_many_tries_from_one_network_are_told_to_wait(officer, settings):
    settings.LIANGZHU_SIGN_IN_RATE = 1
    sign_in(Client(), "lisi", "wrong")
    # Another process knows nothing but what stands in the database.
    limits.forget()
    answer = sign_in(Client(), "lisi")
    assert answer.status_code == 429 and "请在 60 秒后重试" in answer.content.decode()
    assert answer.headers["Retry-After"] == "60"
