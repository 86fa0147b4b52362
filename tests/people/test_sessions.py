"""Sessions that one sees and ends, and the post one acts under."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from liangzhu.beams.people.access import actions, handlers
from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, NotThere
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at, today

PASSWORD = "a-long-enough-secret"
SECURITY = "/access/security/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def browser(username: str, agent: str = "") -> Client:
    """A browser in which somebody signed in through the page."""
    client = Client(HTTP_USER_AGENT=agent)
    assert client.post("/account/login/", {"login": username, "password": PASSWORD}).status_code == 302
    return client


def session_of(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=client.session.session_key)


def signed_in(client: Client) -> bool:
    return client.get(SECURITY).status_code == 200


def test_one_sees_the_own_sessions_and_which_one_is_here(officer, admin):
    here, there = browser("lisi", FIREFOX), browser("lisi")
    browser("gu", "somebody else's browser")
    page = here.get(SECURITY).content.decode()
    assert "Firefox · Windows" in page and "就是这里" in page
    assert len(re.findall(r"/access/sessions/\d+/end/", page)) == 1
    assert str(session_of(there).pk) in re.findall(r"/access/sessions/(\d+)/end/", page)


def test_ending_a_session_really_ends_it(officer):
    here, there = browser("lisi"), browser("lisi")
    row = session_of(there)
    assert here.post(f"/access/sessions/{row.pk}/end/").url == SECURITY
    assert not Session.objects.filter(session_key=row.session_key).exists()
    assert not signed_in(there) and signed_in(here)
    leaf = LogLeaf.objects.get(action="access.end_session")
    assert leaf.actor == leaf.subject == str(officer.account.ref)


def test_nobody_sees_or_ends_the_session_of_another(officer, admin):
    mine, other = browser("lisi"), browser("gu")
    assert mine.post(f"/access/sessions/{session_of(other).pk}/end/").status_code == 404
    assert signed_in(other)
    with pytest.raises(NotThere):
        actions.end_session(officer.actor, account_id=officer.account.pk, session_id=session_of(other).pk)
    with pytest.raises(Denied):
        actions.end_session(officer.actor, account_id=admin.account.pk, session_id=session_of(other).pk)


def test_all_other_sessions_end_at_once(officer):
    here, others = browser("lisi"), [browser("lisi") for _ in range(3)]
    here.post("/access/sessions/end-others/")
    assert signed_in(here) and not any(signed_in(other) for other in others)


def test_changing_the_password_ends_the_other_sessions(officer):
    here, there = browser("lisi"), browser("lisi")
    new = "another-long-secret"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/account/password/change/", form).status_code == 302
    assert signed_in(here) and not signed_in(there)
    assert UserSession.objects.filter(user=officer.account).count() == 1


def test_an_administrator_ends_all_sessions_of_an_account(officer, admin):
    one, two = browser("lisi"), browser("lisi")
    actions.end_all_sessions(admin.actor, account_id=officer.account.pk, reason="设备丢失")
    assert not signed_in(one) and not signed_in(two)


def test_a_session_that_is_used_lives_on(officer):
    client = browser("lisi")
    signed_in(client)
    row = Session.objects.get(session_key=client.session.session_key)
    session = client.session
    session["seen"] -= 3600
    session.save()
    Session.objects.filter(pk=row.pk).update(expire_date=row.expire_date - timedelta(hours=7))
    signed_in(client)
    assert Session.objects.get(pk=row.pk).expire_date >= row.expire_date


def label(client: Client) -> str:
    return client.get(SECURITY).wsgi_request.actor.label


@pytest.fixture
def two_posts(officer, bureau, put):
    """An officer who also stands in for the head, tomorrow and the day after: (officer, head)."""
    head = put("张三", "zhangsan", bureau, roles=["matters.head"], title="局长", is_head=True)
    directory_actions.appoint_deputy(
        SYSTEM,
        post_id=head.post.pk,
        person_id=officer.person.pk,
        valid_from=today() + timedelta(days=1),
        last_day=today() + timedelta(days=2),
        reason="外出培训",
    )
    return officer, head


def test_one_switches_to_a_post_stood_in_for_within_the_dates_only(two_posts):
    officer, head = two_posts
    client = browser("lisi")
    switch = {"post": str(head.post.pk), "next": SECURITY}
    seen = {}
    for offset in range(4):
        with at(f"{today() + timedelta(days=offset)} 12:00"):
            answer = client.post("/access/switch-post/", switch)
            seen[offset] = (answer.status_code, label(client))
    own, lent = "李四 · 科长", "李四（代张三）· 局长"
    assert seen == {0: (403, own), 1: (302, lent), 2: (302, lent), 3: (403, own)}
    leaves = LogLeaf.objects.filter(action="access.switch_post")
    assert leaves.count() == 2 and '"deputy":true' in leaves.first().detail.body


def test_one_cannot_switch_to_the_post_of_another(officer, admin):
    client = browser("lisi")
    assert client.post("/access/switch-post/", {"post": str(admin.post.pk)}).status_code == 403
    assert client.post("/access/switch-post/", {"post": "x"}).status_code == 404
    assert label(client) == "李四 · 科长"


def test_switching_does_not_lead_to_another_site(two_posts):
    officer, head = two_posts
    client = browser("lisi")
    answer = client.post(
        "/access/switch-post/", {"post": str(officer.post.pk), "next": "https://evil.example/"}
    )
    assert answer.url == "/start/"


def test_the_chosen_post_stays_chosen(officer, bureau):
    second = directory_actions.open_post(SYSTEM, unit_id=bureau.pk, title="党支部书记")
    directory_actions.hold_post(SYSTEM, post_id=second.pk, person_id=officer.person.pk, valid_from=today())
    client = browser("lisi")
    assert label(client) == "李四 · 科长"
    client.post("/access/switch-post/", {"post": str(second.pk)})
    assert [label(client) for _ in range(2)] == ["李四 · 党支部书记"] * 2


def test_sessions_that_ran_out_are_swept_and_others_stay(officer):
    here, there = browser("lisi"), browser("lisi")
    gone = session_of(there)
    past = Session.objects.get(pk=gone.session_key).expire_date - timedelta(days=30)
    Session.objects.filter(pk=gone.session_key).update(expire_date=past)
    handlers.sweep_sessions()
    assert not Session.objects.filter(pk=gone.session_key).exists()
    assert not UserSession.objects.filter(pk=gone.pk).exists() and signed_in(here)
