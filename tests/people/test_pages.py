"""The pages of administration: who may open which, what they say to bad input, and what they cost."""

import re
from datetime import date, timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.models import Deputy, UnitSuccession
from liangzhu.kernel import log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.now import today

ROLES = ("nobody", "officer", "auditor", "admin")
OPEN, STAFF, BUSINESS, ADMIN, AUDITOR = "open", "staff", "business", "admin", "auditor"

PAGES = {
    "/directory/units/": STAFF,
    "/directory/units/{unit}/": STAFF,
    "/directory/sets/": STAFF,
    "/directory/sets/{set}/": STAFF,
    "/access/security/": STAFF,
    "/directory/units/open/": ADMIN,
    "/directory/units/{unit}/rename/": ADMIN,
    "/directory/units/{unit}/move/": ADMIN,
    "/directory/units/{unit}/confirm/": ADMIN,
    "/directory/units/{unit}/close/": ADMIN,
    "/directory/units/{unit}/reopen/": ADMIN,
    "/directory/units/{unit}/succeed/": ADMIN,
    "/directory/units/{unit}/aliases/": ADMIN,
    "/directory/units/{unit}/posts/open/": ADMIN,
    "/directory/successions/{succession}/confirm/": ADMIN,
    "/directory/sets/open/": ADMIN,
    "/directory/sets/{set}/change/": ADMIN,
    "/directory/persons/": ADMIN,
    "/directory/persons/open/": ADMIN,
    "/directory/persons/{person}/": ADMIN,
    "/directory/persons/{person}/rename/": ADMIN,
    "/directory/posts/{post}/": ADMIN,
    "/directory/posts/{post}/change/": ADMIN,
    "/directory/posts/{post}/close/": ADMIN,
    "/directory/posts/{post}/roles/give/": ADMIN,
    "/directory/posts/{post}/hold/": ADMIN,
    "/directory/posts/{post}/deputies/appoint/": ADMIN,
    "/directory/holdings/{holding}/end/": ADMIN,
    "/directory/deputies/": ADMIN,
    "/access/accounts/": ADMIN,
    "/access/accounts/open/": ADMIN,
    "/access/accounts/open/{person}/": ADMIN,
    "/access/accounts/{account}/": ADMIN,
    "/access/accounts/{account}/close/": ADMIN,
    "/access/accounts/{account}/reopen/": ADMIN,
    "/access/accounts/{account}/reset/": ADMIN,
    "/access/accounts/{account}/unlock/": ADMIN,
    "/access/accounts/{account}/end-sessions/": ADMIN,
    "/access/accounts/{account}/drop-factors/": ADMIN,
    "/access/tokens/": BUSINESS,
    "/access/tokens/all/": ADMIN,
    "/access/applications/": ADMIN,
    "/access/applications/open/": ADMIN,
    "/access/log/": AUDITOR,
}
ALLOWED = {
    STAFF: {"officer", "auditor", "admin"},
    BUSINESS: {"officer"},
    ADMIN: {"admin"},
    AUDITOR: {"auditor"},
}
POST_ONLY = [
    "/directory/posts/{post}/roles/take/",
    "/directory/deputies/{deputy}/end/",
]


@pytest.fixture
def scene(officer, admin, auditor, bureau, government, make_unit, put):
    """Every kind of thing that a page shows, as values for the addresses."""
    TOTP.activate(admin.account, "A" * 32)
    heir = make_unit("某区数据局", government)
    succession = actions.succeed_unit(
        SYSTEM,
        unit_id=bureau.pk,
        successor_id=heir.pk,
        on=date(2022, 1, 1),
        source="报道",
        whole=False,
        scope="数据归集",
        unconfirmed=True,
        to_confirm="承接范围",
    )
    row = actions.save_unit_set(
        SYSTEM, expression="各部门", source="某发1号", kinds=["government_department"]
    )
    second = put("王五", "wangwu", bureau)
    deputy = actions.appoint_deputy(
        SYSTEM,
        post_id=second.post.pk,
        person_id=officer.person.pk,
        valid_from=today(),
        last_day=today() + timedelta(days=3),
        reason="休假",
    )
    newcomer = actions.open_person(SYSTEM, name="新来的")
    return {
        "unit": bureau.pk,
        "set": row.pk,
        "succession": succession.pk,
        "person": newcomer.pk,
        "post": officer.post.pk,
        "holding": officer.post.holdings.get().pk,
        "deputy": deputy.pk,
        "account": officer.account.pk,
    }


@pytest.fixture
def clients(officer, admin, auditor):
    return {
        "nobody": Client(),
        "officer": officer.client,
        "auditor": auditor.client,
        "admin": admin.client,
    }


def test_every_page_opens_to_whom_it_should_and_to_nobody_else(scene, clients):
    found, expected = {}, {}
    for template, group in PAGES.items():
        path = template.format(**scene)
        for role in ROLES:
            found[template, role] = clients[role].get(path).status_code
            refused = 302 if role == "nobody" else 403
            expected[template, role] = 200 if role in ALLOWED[group] else refused
    wrong = {key: status for key, status in found.items() if status != expected[key]}
    assert wrong == {}


def test_whoever_comes_to_no_page_is_led_back_to_where_they_work(clients):
    assert 'href="/start/">回到工作台' in clients["officer"].get("/no-such-page/").content.decode()
    assert 'href="/start/">回到工作台' in clients["admin"].get("/work/").content.decode()
    page = clients["nobody"].get("/no-such-page/").content.decode()
    assert 'href="/">回到首页' in page and "回到工作台" not in page


def test_buttons_are_refused_to_others_and_change_nothing(scene, clients):
    for template in POST_ONLY:
        path = template.format(**scene)
        form = {"role": "matters.officer"}
        assert clients["nobody"].post(path, form).status_code == 302
        assert clients["officer"].post(path, form).status_code == 403
        assert clients["auditor"].post(path, form).status_code == 403
    assert Deputy.objects.get(pk=scene["deputy"]).valid_to > today()
    assert "matters.officer" in directory.post(scene["post"]).roles


def test_every_address_of_the_two_apps_stands_in_the_table():
    from liangzhu.beams.people.access.pages import urls as access_urls
    from liangzhu.beams.people.directory.pages import urls as directory_urls

    known = {re.sub(r"\{\w+\}", "*", path) for path in [*PAGES, *POST_ONLY]}
    ours = set()
    for prefix, patterns in (
        ("/directory/", directory_urls.urlpatterns),
        ("/access/", access_urls.urlpatterns),
    ):
        ours |= {prefix + re.sub(r"<[^>]+>", "*", str(each.pattern)) for each in patterns}
    elsewhere = {
        "/access/login/",
        "/access/logout/",
        "/access/switch-post/",
        "/access/sessions/*/end/",
        "/access/sessions/end-others/",
        "/access/accounts/of/*/",
        # Tokens one by one: tests/work/api/test_pages.py.
        "/access/tokens/new/",
        "/access/tokens/*/",
        "/access/tokens/*/revoke/",
        "/access/applications/*/close/",
        "/access/applications/*/token/",
    }
    assert ours - elsewhere == known


@pytest.fixture
def desk(scene, clients):
    """The administrator's browser: desk(path, **form) sends a form and returns the answer and the page's text."""

    def send(path: str, **form):
        answer = clients["admin"].post(path.format(**scene), {"once": "k" * 20, **form}, follow=True)
        return answer, answer.content.decode()

    return send


def error_of(page: str) -> list[str]:
    """The fields that the page marks as wrong."""
    return re.findall(r'id="id_(\w+)_error"', page)


UNIT = {"kind": "town", "name": "东镇", "on": "2022年1月1日", "source": "某发1号"}


@pytest.mark.parametrize(
    ("field", "word", "change"),
    [
        ("parent", "没有叫", {"parent": "某区不存在局"}),
        ("parent", "可能是", {"parent": "服务中心"}),
        ("on", "不存在", {"on": "2022年2月30日"}),
        ("on", "核对年份", {"on": "1022-01-01"}),
        ("name", "请填写", {"name": ""}),
        ("name", "已有叫", {"name": "某区教育局", "parent": "某区人民政府"}),
        ("code", "属于", {"code": "100001"}),
        ("key", "只能用", {"key": "教育局"}),
    ],
)
def test_a_bad_entry_is_named_beside_its_field_and_what_was_typed_stays(
    desk, make_unit, bureau, government, field, word, change
):
    make_unit("服务中心", bureau)
    make_unit("服务中心", government)
    answer, page = desk("/directory/units/open/", **{**UNIT, **change})
    assert answer.status_code == 422 and error_of(page) == [field]
    assert word in re.search(rf'id="id_{field}_error">(.*?)</p>', page)[1]
    assert 'value="某发1号"' in page


def test_a_unit_is_set_up_renamed_and_passed_on_through_the_pages(desk, scene):
    answer, page = desk("/directory/units/open/", **UNIT, parent="区政府")
    town = directory.resolve_unit("东镇")
    assert "已设立" in page and answer.request["PATH_INFO"] == f"/directory/units/{town.id}/"
    _, page = desk(
        f"/directory/units/{town.id}/rename/", name="东新镇", on="2022-06-01", source="某发2号", once="a" * 20
    )
    assert "东新镇" in page and "东镇" in page
    assert "东新镇" not in desk_get(answer, f"/directory/units/{town.id}/?day=2022-05-31").split("沿革")[0]
    other, _ = desk("/directory/units/open/", **{**UNIT, "name": "大镇"}, once="b" * 20)
    _, page = desk(
        f"/directory/units/{town.id}/succeed/",
        successor="大镇",
        on="2022-10-01",
        whole="whole",
        source="某发3号",
        once="c" * 20,
    )
    assert "起已撤销" in page and "整体承接" in page


def desk_get(answer, path: str) -> str:
    return answer.client.get(path).content.decode()


def test_sending_a_form_twice_does_it_once(desk):
    for _ in range(2):
        answer, page = desk("/directory/persons/open/", name="赵六")
    assert "没有重复办理" in page
    assert desk_get(answer, "/directory/persons/?q=赵六").count("赵六</a>") == 1


def test_a_succession_that_is_not_confirmed_is_shown_as_such_and_can_be_confirmed(desk, clients, scene):
    page = clients["officer"].get(f"/directory/units/{scene['unit']}/").content.decode()
    assert "部分承接：数据归集" in page and "待确认" in page and "确认承接" not in page
    desk("/directory/successions/{succession}/confirm/", source="某编1号")
    assert not UnitSuccession.objects.get(pk=scene["succession"]).unconfirmed


def test_a_person_is_entered_put_into_a_post_and_given_an_account(desk, scene):
    _, page = desk(
        "/directory/units/{unit}/posts/open/", title="科员", roles=["matters.officer"], once="a" * 20
    )
    post_id = max(view.id for view in directory.posts())
    answer, page = desk(f"/directory/posts/{post_id}/hold/", person="没有这人", valid_from="2022-01-01")
    assert error_of(page) == ["person"]
    _, page = desk(f"/directory/posts/{post_id}/hold/", person="新来的", valid_from=str(today()))
    assert "已办任职" in page and "新来的" in page
    _, page = desk("/access/accounts/open/{person}/", username="xinlai", once="d" * 20)
    assert "初始密码只显示这一次" in page
    assert access.actor_of("xinlai").has("matters.officer")
    assert "xinlai" in desk_get(answer, "/access/accounts/?q=新来")


def test_names_of_two_persons_are_told_apart_by_number(desk, scene):
    other = actions.open_person(SYSTEM, name="新来的")
    answer, page = desk("/directory/posts/{post}/deputies/appoint/", person="新来的", reason="休假")
    assert "有重名" in page and f"新来的（{other.pk}）" in page
    day = str(today())
    _, page = desk(
        "/directory/posts/{post}/deputies/appoint/",
        person=f"新来的（{other.pk}）",
        valid_from=day,
        last_day=day,
        reason="休假",
    )
    assert "已指定代理" in page
    assert [view.deputy for view in directory.posts_open_to(other.pk)] == [True]


def test_a_set_is_changed_through_its_page_and_shown_on_a_day(desk, scene, clients):
    _, page = desk(
        "/directory/sets/{set}/change/",
        expression="各部门",
        mode="all",
        kinds=["government_department"],
        excepts="某区数据局\n某区没有的局",
        source="某发1号",
    )
    assert error_of(page) == ["excepts"] and "第 2 行" in page
    _, page = desk(
        "/directory/sets/{set}/change/",
        expression="各部门",
        mode="all",
        kinds=["government_department"],
        excepts="某区数据局",
        source="某发1号",
    )
    assert "的单位（1）" in page
    early = clients["officer"].get(f"/directory/sets/{scene['set']}/?day=2019-01-01").content.decode()
    assert "的单位（0）" in early


def test_units_are_found_by_name_code_and_former_name(scene, clients, bureau):
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教体局", on=date(2022, 1, 1), source="某发1号")
    for query in ("教体", "100001", "某区教育局"):
        page = clients["officer"].get("/directory/units/", {"q": query}).content.decode()
        assert f"/directory/units/{bureau.pk}/" in page, query
    assert "没有这样的单位" in clients["officer"].get("/directory/units/?q=无此局").content.decode()
    wrong = clients["officer"].get("/directory/units/?day=2022-02-30").content.decode()
    assert "2022年2月30日不存在" in wrong and f"/directory/units/{bureau.pk}/" in wrong


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_pages_of_units_cost_the_same_whatever_the_number_of_units(scene, clients, government, make_unit):
    paths = ["/directory/units/", f"/directory/units/{government.pk}/", "/directory/sets/"]
    before = {path: queries_of(clients["officer"], path) for path in paths}
    for n in range(40):
        unit = make_unit(f"第{n}局", government)
        actions.open_post(SYSTEM, unit_id=unit.pk, title="局长")
    for n in range(10):
        actions.save_unit_set(SYSTEM, expression=f"第{n}组", source="某发1号", kinds=["town"])
    assert {path: queries_of(clients["officer"], path) for path in paths} == before


def test_pages_of_persons_and_accounts_cost_the_same_whatever_their_number(scene, clients, bureau, put):
    paths = ["/directory/persons/", "/access/accounts/", "/directory/deputies/", "/access/accounts/open/"]
    before = {path: queries_of(clients["admin"], path) for path in paths}
    for n in range(8):
        put(f"人{n}", f"ren{n}", bureau)
    assert {path: queries_of(clients["admin"], path) for path in paths} == before


def test_long_lists_are_paged(scene, clients):
    for n in range(60):
        actions.open_person(SYSTEM, name=f"甲{n:02}")
    first = clients["admin"].get("/directory/persons/").content.decode()
    onward = re.search(r'href="(\?after=[^"]+)" rel="next"', first)[1]
    second = clients["admin"].get("/directory/persons/" + onward).content.decode()
    names = [set(re.findall(r">(甲\d\d)</a>", page)) for page in (first, second)]
    assert not names[0] & names[1] and len(names[0] | names[1]) == 60


# The log --------------------------------------------------------------------------------------------------------------


def test_the_auditor_sees_who_did_what_and_whether_it_still_holds(scene, clients, admin, bureau):
    actions.rename_unit(
        admin.actor, unit_id=bureau.pk, name="某区教体局", on=date(2022, 1, 1), source="某发1号"
    )
    leaf = LogLeaf.objects.latest("id")
    page = clients["auditor"].get("/access/log/?action=directory.rename_unit").content.decode()
    assert "机构更名" in page and "顾一（gu）" in page and "某区教体局" in page and "相符" in page
    LogDetail.objects.filter(pk=leaf.pk).update(body='{"name":"别的局"}')
    assert "不符" in clients["auditor"].get("/access/log/?action=directory.rename_unit").content.decode()
    LogDetail.objects.filter(pk=leaf.pk).delete()
    page = clients["auditor"].get("/access/log/?action=directory.rename_unit").content.decode()
    assert "内容已按规则销毁" in page


def test_the_auditor_sees_which_leaves_are_in_the_tree_and_takes_their_proof(
    scene, clients, settings, tmp_path
):
    settings.LIANGZHU_HOME = tmp_path
    address = "/access/log/?action=directory.open_person"
    assert "待入树" in clients["auditor"].get(address).content.decode()
    log.sequence_now()
    page = clients["auditor"].get(address).content.decode()
    assert "待入树" not in page
    proof = clients["auditor"].get(re.search(r'href="(/log/leaf/\d+\.json)"', page)[1]).json()
    assert "directory.open_person" in proof["leaf"]["text"]
    assert clients["admin"].get("/log/leaf/0.json").status_code == 403


def leaves_on(page: str) -> set[str]:
    return set(re.findall(r'data-leaf="(\d+)"', page))


def test_the_log_is_narrowed_by_person_action_subject_and_day(scene, clients, admin, bureau):
    actions.rename_unit(
        admin.actor, unit_id=bureau.pk, name="某区教体局", on=date(2022, 1, 1), source="某发1号"
    )
    leaf = str(LogLeaf.objects.latest("id").pk)

    def found(**query) -> set[str]:
        return leaves_on(clients["auditor"].get("/access/log/", query).content.decode())

    assert found(actor="gu") == {leaf}
    assert leaf in found(subject=f"unit:{bureau.pk}") and leaf in found(since=str(today()))
    assert found(until=str(today() - timedelta(days=1))) == set()
    assert found(actor="nobody") == set()
    page = clients["auditor"].get("/access/log/", {"since": "2022-02-01", "until": "2022-01-01"})
    assert "结束日早于起始日" in page.content.decode()


def test_the_log_is_paged_at_a_flat_cost(scene, clients):
    cost = queries_of(clients["auditor"], "/access/log/?action=directory.open_person")
    for n in range(60):
        actions.open_person(SYSTEM, name=f"甲{n}")
    path = "/access/log/?action=directory.open_person"
    assert queries_of(clients["auditor"], path) == cost
    page = clients["auditor"].get(path).content.decode()
    onward = re.search(r'href="(\?[^"]*after=[^"]+)" rel="next"', page)[1].replace("&amp;", "&")
    second = clients["auditor"].get("/access/log/" + onward).content.decode()
    assert leaves_on(page) and leaves_on(second) and not leaves_on(page) & leaves_on(second)
