"""Tokens: who gets in, with what, for how long; and what is told to whoever does not."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from liangzhu.beams.people.access import actions, tokens
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.access.models import Token
from liangzhu.beams.people.directory.models import Holding
from liangzhu.beams.work.matters.models import Entry
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, Invalid, StepNotAllowed
from liangzhu.kernel.log import holds
from liangzhu.kernel.log.leaves import leaf_text
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.refs import Ref

from .conftest import EVERYTHING, ApiClient

STAFF = {"officer": ("matters.officer",), "auditor": ("kernel.auditor",), "admin": ("access.admin",)}

OPERATIONS = {
    "me": ("GET", "me", None),
    "list": ("GET", "matters", None),
    "one": ("GET", "matters/{matter}", None),
    "steps": ("GET", "matters/{matter}/steps", None),
    "step": ("POST", "matters/{matter}/steps/accept", {"version": 1}),
    "comment": ("POST", "matters/{matter}/comments", {"text": "请核对"}),
    "assign": ("POST", "matters/{matter}/assignment", {"post_id": None}),
    "notices": ("GET", "notices", None),
    "units": ("GET", "units", None),
    "processes": ("GET", "processes", None),
    "calendar": ("GET", "calendar/2022", None),
    "indicators": ("GET", "indicators", None),
}
EXPECTED = {
    #            officer of the unit, of another, auditor, admin (its strict role is withheld), read only, other area, nobody
    "me": (200, 200, 200, 200, 200, 200, 401),
    "list": (200, 200, 403, 403, 200, 403, 401),
    "one": (200, 404, 403, 403, 200, 403, 401),
    "steps": (200, 404, 403, 403, 200, 403, 401),
    "step": (200, 404, 403, 403, 403, 403, 401),
    "comment": (201, 404, 403, 403, 403, 403, 401),
    "assign": (200, 404, 403, 403, 403, 403, 401),
    "notices": (200, 200, 200, 200, 200, 403, 401),
    "units": (200, 200, 200, 200, 200, 200, 401),
    "processes": (200, 200, 200, 200, 200, 403, 401),
    "calendar": (200, 200, 200, 200, 200, 403, 401),
    "indicators": (200, 200, 200, 200, 200, 403, 401),
}
READ_ONLY = [scope for scope in EVERYTHING if scope.endswith(":read")]


def token_for(actor, scopes=None) -> ApiClient:
    """A client whose token was made for an actor, whatever the rules for making one."""
    made = Token.objects.create(
        name="测试",
        digest=tokens.digest(text := tokens.make()),
        hint=text[-4:],
        account_id=int(actor.ref.id),
        post_id=actor.post_id,
        scopes=" ".join(EVERYTHING if scopes is None else scopes),
        made_by=str(actor.ref),
        made_at=tokens.expiry(0),
        expires_at=tokens.expiry(1),
    )
    return ApiClient(text, made, actor)


@pytest.mark.parametrize("name", OPERATIONS)
def test_who_may_do_what(name, simple, sign_in):
    _, li = sign_in("甲局", "李四", "matters.officer")
    callers = [
        token_for(li),
        token_for(sign_in("乙局", "外人", "matters.officer")[1]),
        token_for(sign_in("甲局", "沈二", "kernel.auditor")[1]),
        token_for(sign_in("甲局", "顾一", "access.admin")[1]),
        token_for(li, READ_ONLY),
        token_for(li, ["units:read"]),
        ApiClient(),
    ]
    method, path, body = OPERATIONS[name]
    found = []
    for caller in callers:
        address = path.format(matter=simple(li).pk)
        answer = caller.get(address) if method == "GET" else caller.post(address, body)
        found.append(answer.status_code)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert tuple(found) == EXPECTED[name]


def test_a_token_is_shown_once_and_kept_as_a_digest(program):
    client = program("甲局", "李四")
    row = Token.objects.get()
    kept = " ".join(str(value) for value in Token.objects.values_list().get())
    assert client.token not in kept and client.token[3:40] not in kept
    assert row.digest == tokens.digest(client.token) and client.token.endswith(row.hint)
    leaf = LogLeaf.objects.get(action="access.make_token")
    assert leaf.subject == str(row.ref)
    assert client.token not in LogDetail.objects.get(leaf=leaf).body


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "没有带令牌"),
        ("Basic bGk6NA==", "没有带令牌"),
        ("Bearer", "没有带令牌"),
        ("Bearer lz_abc", "没有这个令牌"),
        ("Bearer " + "x" * 5000, "没有这个令牌"),
        ("Bearer 令牌", "没有这个令牌"),
    ],
)
def test_what_is_no_token_is_challenged(header, said, db):
    answer = Client().get("/api/v1/me", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401 and said in answer.json()["detail"]
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="liangzhu"')


def test_a_signed_in_browser_is_nobody_here(sign_in):
    browser, _ = sign_in("甲局", "李四")
    assert browser.get("/api/v1/me").status_code == 401


def test_a_revoked_token_ends_at_once(program):
    client = program("甲局", "李四")
    assert client.get("me").status_code == 200
    access.revoke_token(client.actor, token_id=client.made.pk)
    answer = client.get("me")
    assert answer.status_code == 401 and "已经吊销" in answer.json()["detail"]
    assert LogLeaf.objects.filter(action="access.revoke_token", subject=str(client.made.ref)).exists()
    with pytest.raises(StepNotAllowed):
        access.revoke_token(client.actor, token_id=client.made.pk)


def test_a_token_ends_with_its_day_its_account_and_its_post(program):
    client = program("甲局", "李四")
    row = Token.objects.filter(pk=client.made.pk)
    row.update(expires_at=tokens.expiry(0) - timedelta(seconds=1))
    assert "已经过期" in client.get("me").json()["detail"]
    row.update(expires_at=tokens.expiry(1))
    account = access.Account.objects.get(pk=client.made.account_id)
    account.is_active = False
    account.save()
    assert "已经停用" in client.get("me").json()["detail"]
    account.is_active = True
    account.save()
    Holding.objects.filter(post_id=client.actor.post_id).update(valid_to=date(2022, 10, 1))
    tokens.forget()
    answer = client.get("me")
    assert answer.status_code == 401 and "任职或代理不在有效期内" in answer.json()["detail"]


def test_a_new_password_and_a_closed_account_end_the_tokens(program):
    client = program("甲局", "李四")
    access_id = client.made.account_id
    actions.reset_password(SYSTEM, account_id=access_id, reason="遗失")
    assert client.get("me").status_code == 401
    assert Token.objects.get().revoked_by == str(SYSTEM.ref)


def test_a_token_may_be_bound_to_addresses(program, settings):
    inside = program("甲局", "李四", networks="127.0.0.0/8 10.1.2.3")
    outside = program("甲局", "王五", networks="10.1.2.0/24")
    assert inside.get("me").status_code == 200
    assert "不能在当前地址使用" in outside.get("me").json()["detail"]
    # What a client writes about itself counts for nothing; what our proxy wrote does.
    assert outside.get("me", X_Forwarded_For="10.1.2.9").status_code == 401
    settings.LIANGZHU_PROXIES = 1
    assert outside.get("me", X_Forwarded_For="8.8.8.8, 10.1.2.9").status_code == 200
    assert outside.get("me", X_Forwarded_For="10.1.2.9, 8.8.8.8").status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["matters:everything"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 100_000}, "days"),
        ({"networks": "10.1.2.3/8"}, "networks"),
        ({"networks": "某处"}, "networks"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_by_field(change, field, sign_in):
    _, li = sign_in("甲局", "李四")
    given = {"name": "同步", "scopes": ["matters:read"], "days": 30, "networks": ""} | change
    with pytest.raises(Invalid) as caught:
        access.make_token(li, **given)
    assert list(caught.value.fields) == [field]


def test_roles_that_need_a_second_factor_never_work_through_a_token(sign_in, settings):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    _, both = sign_in("甲局", "顾一", "access.admin", "matters.officer")
    seen = token_for(both).get("me").json()
    assert seen["roles"] == ["matters.officer"] and seen["withheld_roles"] == ["access.admin"]


def test_a_program_makes_no_tokens_and_who_only_keeps_the_system_none_either(sign_in):
    _, li = sign_in("甲局", "李四")
    with pytest.raises(Denied):
        access.make_token(replace(li, token=Ref("token", "1")), name="x", scopes=["matters:read"], days=1)
    _, admin = sign_in("甲局", "顾一", "access.admin")
    with pytest.raises(Denied):
        access.make_token(admin, name="x", scopes=["matters:read"], days=1)


def test_the_log_tells_which_token_did_what_and_the_token_s_page_lists_it(
    simple, sign_in, district, settings
):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    browser, li = sign_in("甲局", "李四", "matters.officer")
    matter = simple(li, "张三的噪声投诉")
    first, second = token_for(li), token_for(li)
    first.post(f"matters/{matter.pk}/steps/accept", {"version": 1})
    second.post(f"matters/{matter.pk}/comments", {"text": "请核对"})
    browser.post(f"/work/{matter.pk}/comment/", {"text": "在页面上写的"})
    done = {leaf.action: leaf for leaf in LogLeaf.objects.exclude(via="").select_related("detail")}
    assert {name: leaf.via for name, leaf in done.items()} == {
        "matters.step": str(first.made.ref),
        "matters.comment": str(second.made.ref),
    }
    for leaf in done.values():
        assert f'"via":"{leaf.via}"' in leaf.detail.body and leaf.via not in leaf_text(leaf)
        assert holds(leaf) is True
    pages = {token.made.pk: f"/access/tokens/{token.made.pk}/" for token in (first, second)}
    mine, other = (browser.get(address).content.decode() for address in pages.values())
    assert "办理步骤" in mine and matter.title in mine and "批注" not in mine
    assert "批注" in other and "办理步骤" not in other
    assert pages[first.made.pk] in browser.get("/access/tokens/").content.decode()
    stranger, _ = sign_in("甲局", "王五", "matters.officer")
    assert stranger.get(pages[first.made.pk]).status_code == 404
    for role in ("access.admin", "kernel.auditor"):
        keeper, _ = sign_in("甲局", "顾一", role)
        page = keeper.get(pages[first.made.pk]).content.decode()
        assert f"事项 {matter.pk}" in page and matter.title not in page and "办理步骤" in page
    log = keeper.get("/access/log/").content.decode()
    assert "凭令牌" in log and pages[second.made.pk] in log


# Applications ---------------------------------------------------------------------------------------------


@pytest.fixture
def exchange(district, sign_in):
    """An application of 甲局 with its head, its token and the post it works under."""
    _, head = sign_in("甲局", "王局", "matters.head", head=True)
    post = district.post("甲局", "matters.officer", "matters.head", title="数据对接")
    row = access.open_application(
        SYSTEM, name="收件系统", post_id=post.pk, contact_id=head.person_id, purpose="收件后自动受理"
    )
    made = access.make_application_token(head, application_id=row.pk, name="正式", scopes=EVERYTHING, days=30)
    client = ApiClient(made.text, made.token, head)
    client.application, client.post_row = row, post
    return client


def test_an_application_acts_under_its_post_with_its_own_name(exchange, simple):
    matter = simple(exchange.actor)
    assert exchange.get("me").json()["kind"] == "application"
    assert exchange.post(f"matters/{matter.pk}/steps/accept").json()["state"] == "working"
    entry = Entry.objects.get(matter=matter, transition="accept")
    assert entry.actor_label == "收件系统（应用）" and entry.person_id is None
    assert entry.actor_ref == str(exchange.application.ref)


def test_an_application_is_nobodys_second_person(exchange, simple, advance, district, run):
    from liangzhu.beams.work.matters import api as matters

    li = district.officer("甲局", "李四")
    matter = advance(li, advance(li, simple(li), "accept"), "report", result="完成")
    run(SYSTEM, lambda act: matters.set_party(act, matter, "office", exchange.actor.unit_id))
    offered = exchange.get(f"matters/{matter.pk}/steps").json()
    assert [step["blocked"] for step in offered if step["name"] == "close"] == [
        "“核查办结”要由另一个人把关，程序不能办理。"
    ]
    answer = exchange.post(f"matters/{matter.pk}/steps/close")
    assert answer.status_code == 403 and "程序不能办理" in answer.json()["detail"]


def test_an_application_stops_when_closed_or_when_its_post_is_held(exchange, district):
    person = district.person("新人", exchange.post_row)
    answer = exchange.get("me")
    assert answer.status_code == 401 and "已有人任职" in answer.json()["detail"]
    Holding.objects.filter(person=person).delete()
    assert exchange.get("me").status_code == 200
    actions.close_application(SYSTEM, application_id=exchange.application.pk, reason="下线")
    assert exchange.get("me").status_code == 401


def test_only_head_or_contact_of_its_unit_make_its_tokens(exchange, sign_in):
    wanted = {"application_id": exchange.application.pk, "name": "x", "scopes": ["matters:read"], "days": 1}
    for _, actor in (
        sign_in("甲局", "李四", "matters.officer"),
        sign_in("乙局", "外人", "matters.head", head=True),
        sign_in("甲局", "顾一", "access.admin"),
    ):
        with pytest.raises(Denied):
            access.make_application_token(actor, **wanted)


def test_an_application_gets_no_post_that_is_held_or_keeps_the_system(district, sign_in):
    _, head = sign_in("甲局", "王局", "matters.head", head=True)
    more = {"name": "程序", "contact_id": head.person_id, "purpose": "试"}
    for post_id in (head.post_id, district.post("甲局", "kernel.auditor").pk, district.post("乙局").pk):
        with pytest.raises(Invalid):
            access.open_application(SYSTEM, post_id=post_id, **more)


# Cost -----------------------------------------------------------------------------------------------------


def test_a_token_costs_one_query(program):
    client = program("甲局", "李四")
    client.get("me")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        client.get("me")
    asked = [each["sql"] for each in seen.captured_queries]
    assert sum("access_token" in sql for sql in asked) == 1
    # Besides it the version of the tree of units, for the unit's name.
    assert len(asked) == 2, asked


def test_a_lost_post_is_noticed_within_seconds(program, monkeypatch):
    client = program("甲局", "李四")
    assert client.get("me").status_code == 200
    Holding.objects.filter(post_id=client.actor.post_id).update(valid_to=date(2022, 10, 1))
    clock = tokens.time.monotonic()
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock + tokens.REMEMBERED + 1)
    assert client.get("me").status_code == 401
    assert tokens.REMEMBERED <= 5


def test_the_reference_of_tokens_and_applications_is_readable(exchange):
    assert Ref.parse(str(exchange.made.ref)).kind == "token"
