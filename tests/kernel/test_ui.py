"""The look: forms and what becomes of them, tags, navigation, shells. Checked as a page's author uses them."""

import re
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from django import forms as django_forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.template import engines
from django.test import RequestFactory
from django.urls import path

from liangzhu.kernel.actors import ANONYMOUS, Actor
from liangzhu.kernel.errors import AlreadyDone, Conflict, Denied, Invalid
from liangzhu.kernel.now import SHANGHAI, at
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.ui import drawing, icons, nav
from liangzhu.kernel.ui.forms import (
    ALREADY_DONE,
    PAGE_INCOMPLETE,
    DateField,
    FilesField,
    Form,
    TextField,
    form_view,
    perform,
)
from liangzhu.site import views
from liangzhu.site.context import SHELLS
from liangzhu.site.urls import urlpatterns as site_urls

ONCE = "0123456789abcdef0123456789abcdef"

urlpatterns = [
    *site_urls,
    path("plans/", views.home, name="plans"),
    path("plans/late/", views.home, name="late"),
    path("guide/", views.styleguide, name="guide"),
]


class Report(Form):
    fieldsets = (("时间", ("due",)),)

    text = TextField(label="进展情况", max_length=10)
    due = DateField(label="完成日期", required=False, help_text="例如 2022-10-20")
    kind = django_forms.ChoiceField(
        label="类型", widget=django_forms.RadioSelect, choices=[("a", "甲"), ("b", "乙")], required=False
    )
    files = FilesField(label="材料", required=False)


def request_for(method: str = "POST", **data):
    request = getattr(RequestFactory(), method.lower())("/", data)
    request.actor = ANONYMOUS
    request.request_id = "r1"
    request._messages = CookieStorage(request)
    return request


def attempt(run, version=None, **data):
    request = request_for(**{"text": "进展", "once": ONCE, **data})
    form = Report(request.POST, request.FILES, version=version)
    return perform(request, form, run), form, request


def show(source: str, **context) -> str:
    request = request_for("GET")
    return engines["django"].from_string("{% load ui %}" + source).render(context, request)


# Dates and text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2022-10-20",
        "2022年10月20日",
        "2022/10/20",
        "2022.10.20",
        "20221020",
        "２０２２年１０月２０日",
        "２０２２－１０－２０",
        " 2022年 10月 20日 ",
        "2022年10月20",
    ],
)
def test_a_day_is_understood_as_people_write_it(written):
    assert DateField().clean(written) == date(2022, 10, 20)


@pytest.mark.parametrize(
    "written", ["2022-10", "昨天", "10-20-2022", "2022-10-20 09:00", "99991", "２０２２"]
)
def test_what_is_no_day_gets_an_example_of_one(written):
    with pytest.raises(django_forms.ValidationError, match="2022年10月20日 这样的日期"):
        DateField().clean(written)


@pytest.mark.parametrize(
    ("written", "name"),
    [("2022-02-30", "2022年2月30日"), ("20221301", "2022年13月1日"), ("0000-1-1", "0年1月1日")],
)
def test_an_impossible_day_is_named(written, name):
    with pytest.raises(django_forms.ValidationError, match=f"{name}不存在，请核对日期"):
        DateField().clean(written)


def test_a_line_break_counts_as_one_character_as_it_does_in_the_browser():
    assert TextField(max_length=5).clean("一二\r\n四五") == "一二\n四五"


def test_messages_say_what_to_do_in_the_words_of_the_field():
    form = Report({"text": ""})
    assert form.errors["text"] == ["请填写进展情况。"]
    form = Report({"text": "一" * 12})
    assert form.errors["text"] == ["最多 10 个字，现在有 12 个。"]


def test_an_authors_own_message_is_kept():
    class Own(Form):
        text = django_forms.CharField(error_messages={"required": "先写一句。"})

    assert Own({"text": ""}).errors["text"] == ["先写一句。"]


def test_several_files_arrive_as_a_list_and_none_as_an_empty_one():
    files = [SimpleUploadedFile("a.txt", b"1"), SimpleUploadedFile("b.txt", b"2")]
    request = RequestFactory().post("/", {"text": "进展", "files": files})
    form = Report(request.POST, request.FILES)
    assert form.is_valid() and [one.name for one in form.cleaned_data["files"]] == ["a.txt", "b.txt"]
    assert Report({"text": "进展"}).is_valid()


def test_an_empty_file_among_several_is_refused():
    request = RequestFactory().post(
        "/", {"text": "进展", "files": [SimpleUploadedFile("a.txt", b"1"), SimpleUploadedFile("b.txt", b"")]}
    )
    assert "files" in Report(request.POST, request.FILES).errors


# Once and version ------------------------------------------------------------------------------------------------


def test_every_drawing_of_a_form_has_its_own_key():
    assert Report().once_value != Report().once_value


def test_a_form_that_failed_keeps_its_key():
    assert Report({"text": "", "once": ONCE}).once_value == ONCE


@pytest.mark.parametrize("spoilt", ["", "x", "<script>" * 5, "a" * 65])
def test_a_spoilt_key_is_replaced_and_obstructs_nobody(spoilt):
    done, form, _ = attempt(lambda data, once: once, once=spoilt)
    assert done.ok and re.fullmatch(r"[0-9a-f]{32}", done.result)


def test_a_form_with_a_version_needs_it_back():
    done, form, _ = attempt(lambda data, once: data, version=3)
    assert not done.ok
    assert PAGE_INCOMPLETE in show("{% form form %}", form=form)


# Perform ---------------------------------------------------------------------------------------------------------


def test_the_action_gets_clean_fields_and_the_key():
    done, _, _ = attempt(lambda data, once: (data, once), due="2022年10月31日")
    assert done.ok and not done.already
    assert done.result == (
        {"text": "进展", "due": date(2022, 10, 31), "kind": "", "files": []},
        ONCE,
    )


def test_the_version_reaches_the_action_when_the_form_carries_one():
    request = request_for(text="进展", once=ONCE, version="3")
    done = perform(request, Report(request.POST, version=5), lambda data, once: data["version"])
    assert done.result == 3


def test_nothing_runs_on_get_or_when_a_field_is_wrong():
    def never(data, once):
        raise AssertionError("ran")

    assert not perform(request_for("GET"), Report(), never).ok
    done, form, _ = attempt(never, text="")
    assert (done.ok, done.status) == (False, 422)


def raising(error):
    def run(data, once):
        raise error

    return run


def test_invalid_goes_beside_its_field_and_the_rest_on_top():
    done, form, _ = attempt(
        raising(Invalid({"due": "晚于时限。", "": "本季度已报。", "absent": "别处有误。"}))
    )
    assert (done.ok, done.status) == (False, 422)
    assert form.errors["due"] == ["晚于时限。"]
    assert form.non_field_errors() == ["本季度已报。", "别处有误。"]
    assert form["text"].value() == "进展"


def test_a_problem_stands_on_top_and_what_was_typed_stays():
    done, form, _ = attempt(raising(Denied("当前岗位不能报送。")))
    page = show("{% form form %}", form=form)
    assert done.status == 403
    assert "当前岗位不能报送。" in page and Denied.todo in page and ">\n进展</textarea>" in page


def test_a_form_page_goes_on_when_it_was_done_and_stays_with_what_was_typed_when_not():
    def view(run):
        request = request_for(text="进展", once=ONCE)
        context = {
            "problem": {"title": "报送"},
            "shells": {"current": engines["django"].from_string("{{ back }}")},
        }
        answer = form_view(
            request, Report(request.POST), run, "ui/problem.html", context,
            back="/back/", done="已报送。", onward=lambda made: f"/made/{made}/",
        )  # fmt: skip
        return answer, [str(one) for one in get_messages(request)]

    answer, said = view(lambda data, once: 7)
    assert (answer.status_code, answer["Location"], said) == (302, "/made/7/", ["已报送。"])
    answer, said = view(raising(AlreadyDone("report:7")))
    assert (answer.status_code, answer["Location"], said) == (302, "/back/", [ALREADY_DONE])
    answer, said = view(raising(Denied("当前岗位不能报送。")))
    assert (answer.status_code, answer.content.decode(), said) == (403, "/back/", [])


def test_after_a_conflict_the_form_carries_the_version_the_page_holds_now():
    error = Conflict("李四 10:31 改了期限。")
    request = request_for(text="进展", once=ONCE, version="3")
    form = Report(request.POST, version=5)
    assert not perform(request, form, raising(error)).ok
    assert form.version_value == "5"
    assert "李四 10:31 改了期限。" in show("{% form form %}", form=form)


def test_after_any_other_failure_the_version_stays_that_of_the_first_drawing():
    request = request_for(text="", version="3")
    form = Report(request.POST, version=5)
    perform(request, form, raising(Invalid("x")))
    assert form.version_value == "3"


def test_a_form_sent_twice_counts_as_done_and_says_so():
    done, _, request = attempt(raising(AlreadyDone("plan_task:7")))
    assert (done.ok, done.already, done.result) == (True, True, "plan_task:7")
    assert [str(message) for message in get_messages(request)] == [ALREADY_DONE]


def test_a_fault_of_the_program_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        attempt(lambda data, once: 1 / 0)


# The form as drawn -----------------------------------------------------------------------------------------------


def test_a_form_is_drawn_whole():
    page = show(
        '{% form form submit="报送" effect="报送后审核。" cancel="/back/" keep="report" confirm="确定？" %}',
        form=Report(version=4),
    )
    assert 'name="csrfmiddlewaretoken"' in page and 'name="once"' in page
    assert '<input type="hidden" name="version" value="4">' in page
    assert (
        'enctype="multipart/form-data"' in page
        and 'data-keep="report"' in page
        and 'data-confirm="确定？"' in page
    )
    assert ">报送</button>" in page and "报送后审核。" in page and 'href="/back/"' in page
    assert page.count('name="once"') == page.count('name="version"') == 1


def test_errors_are_listed_in_the_order_of_the_page():
    form = Report(request_for(text="", due="2022-02-30").POST)
    assert not form.is_valid()
    assert [target for target, _, _ in form.error_list()] == ["id_due", "id_text"]
    page = show("{% form form %}", form=form)
    assert page.index('id="id_due"') < page.index('id="id_text"')


def test_fieldsets_come_first_and_no_field_is_lost():
    page = show("{% form form %}", form=Report())
    places = [page.index(f'name="{name}"') for name in ("due", "text", "kind", "files")]
    assert places == sorted(places)
    assert "<legend>时间</legend>" in page


def test_every_error_is_listed_with_a_link_to_a_control_that_exists_and_describes_it():
    page = show("{% form form %}", form=Report({"text": "", "due": "2022-02-30", "kind": "z"}))
    targets = re.findall(r'<li><a href="#([^"]+)">', page)
    assert len(targets) == 3
    for target in targets:
        assert f'id="{target}"' in page
    for ident in re.findall(r'aria-describedby="([^"]+)"', page):
        for one in ident.split():
            assert f'id="{one}"' in page, one
    assert 'aria-invalid="true"' in page
    assert "请填写进展情况。" in page and "进展情况：请填写" not in page


def test_optional_fields_say_so_and_help_is_tied_to_its_control():
    page = show("{% field form.due %}", form=Report())
    assert "（选填）" in page
    assert 'aria-describedby="id_due_helptext"' in page and 'id="id_due_helptext"' in page


def test_a_file_that_the_browser_dropped_is_mentioned():
    request = RequestFactory().post("/", {"text": "", "files": SimpleUploadedFile("a.txt", b"1")})
    assert "请重新选择" in show("{% form form %}", form=Report(request.POST, request.FILES))
    assert "请重新选择" not in show("{% form form %}", form=Report({"text": ""}))


# Pieces ----------------------------------------------------------------------------------------------------------

PIECES = {
    "light": '{% light "near" words "/x/" %}',
    "number": '{% number words "/x/" words %}',
    "source": '{% source_tag words moment "/x/" %}',
    "unconfirmed": "{% unconfirmed words %}",
    "seal": "{% seal words %}",
    "empty": '{% empty words words "/x/" words %}',
    "stat": '{% stat words 3 "/x/" words words "ok" %}',
    "path": "{% path steps %}",
    "bars": "{% bars rows %}",
    "stacked": "{% stacked rows words %}",
    "chart": "{% line_chart points words words 3 %}",
    "crumbs": '{% breadcrumbs words "/x/" words %}',
    "bar": '{% clock_bar 55 62 "ok" stops words %}',
    "arcs": "{% clock_arcs 20 60 'near' words words words stops %}",
}


@pytest.mark.parametrize("piece", PIECES)
def test_pieces_escape_what_they_show_and_carry_no_style_or_script(piece):
    nasty = "<b style=x>"
    page = show(
        PIECES[piece],
        words=nasty,
        moment=datetime(2022, 10, 20, 10, 32, tzinfo=SHANGHAI),
        steps=[{"title": nasty, "state": "now", "note": nasty, "parts": [{"title": nasty}]}],
        rows=[{"label": nasty, "value": 2, "text": nasty}],
        points=[(nasty, 1), ("2", None), ("3", 3)],
        stops=[(10, 20)],
    )
    assert "&lt;" in page and nasty not in page
    assert " style=" not in page.replace("&lt;b style=x&gt;", "") and "<script" not in page


def test_a_light_has_its_word_even_when_none_is_given():
    assert show('{% light "law" %}') == '<span class="light law">超法定</span>'
    with pytest.raises(ValueError, match="unknown light"):
        show('{% light "red" %}')


def test_a_step_tells_its_state_in_words_and_marks_the_present_one():
    page = show(
        "{% path steps %}",
        steps=[{"title": "受理", "state": "done"}, {"title": "审核", "state": "now", "mine": True}],
    )
    assert '受理<span class="sr">（已办）' in page and "（正在办理，轮到您）" in page
    assert page.count('aria-current="step"') == 1


def test_a_missing_figure_is_not_a_zero():
    assert "—" in show("{% number value %}", value=None)
    assert ">0</span>" in show("{% number value %}", value=0)
    assert "12,345" in show("{% number value %}", value=12345)


def test_bars_are_in_proportion_and_never_longer_than_full():
    page = show("{% bars rows 100 %}", rows=[{"label": "甲", "value": 50}, {"label": "乙", "value": 130}])
    assert re.findall(r'class="used" width="([\d.]+)"', page) == ["50", "100"]


def test_a_stacked_bar_fills_the_whole_width():
    page = show("{% stacked parts %}", parts=[{"label": "甲", "value": 1}, {"label": "乙", "value": 3}])
    assert re.findall(r'x="([\d.]+)" width="([\d.]+)"', page) == [("0", "25"), ("25", "75")]
    assert 'width="0"' in show("{% stacked parts %}", parts=[{"label": "甲", "value": 0}])


def test_a_chart_says_in_words_and_in_a_table_what_it_draws():
    page = show('{% line_chart points "办件率" "%" 85 %}', points=[("1月", 80), ("2月", None), ("3月", 90.5)])
    assert "办件率：1月 80%，3月 90.5%，最高 90.5%，最低 80%，上升。目标 85%。" in page
    assert page.count("<polyline") == 2, "the line breaks where a month is missing"
    assert re.search(r"2月</th><td[^>]*>—", page)


@pytest.mark.parametrize("points", [[], [("1月", None)]])
def test_a_chart_without_data_says_so(points):
    assert "暂无数据" in show('{% line_chart points "办件率" %}', points=points)


@pytest.mark.parametrize("values", [[0], [5], [-3, 2], [0.1, 0.1], [98.2, 99.1], [0, 1_000_000]])
def test_the_scale_of_a_chart_encloses_its_values(values):
    scale = drawing.ticks(values)
    assert scale == sorted(scale) and len(scale) >= 2
    assert scale[0] <= min(values) and max(values) <= scale[-1]


@pytest.mark.parametrize(("text", "across"), [("章", 1), ("海州审批", 2), ("一二三四五六七八九十", 3)])
def test_a_seal_keeps_its_characters_inside_the_square(text, across):
    grid = drawing.seal_grid(text)
    assert "".join(char for char, *_ in grid) == text[:9]
    assert len({x for _, x, _, _ in grid}) == across
    for _, x, y, size in grid:
        assert x - size / 2 > 0 and x + size / 2 < 48 and y - size * 0.86 > 0 and y < 46


def test_an_unknown_icon_is_named_with_those_that_exist():
    with pytest.raises(KeyError, match="search"):
        icons.icon("nonsense")


def test_page_links_show_only_ways_that_lead_somewhere():
    page = show("{% page_links page %}", page=SimpleNamespace(next="?after=a&q=1", previous=""))
    assert 'href="?after=a&amp;q=1"' in page and "上一页" not in page
    assert show("{% page_links page %}", page=SimpleNamespace(next="", previous="")).strip() == ""


# Filters ---------------------------------------------------------------------------------------------------------


def test_days_and_moments_are_written_as_they_are_said_in_shanghai():
    late = datetime.fromisoformat("2022-10-19T23:30:00+00:00")
    with at("2022-10-20 12:00"):
        written = (
            "{{ d|cn_date }} / {{ d|cn_datetime }} / {{ d|cn_when }} / {{ y|cn_when }} / {{ o|cn_datetime }}"
        )
        assert show(written, d=late, y=date(2022, 10, 19), o=datetime(2021, 3, 1, 8, 5, tzinfo=SHANGHAI)) == (
            "2022年10月20日 / 10月20日 07:30 / 今天 07:30 / 昨天 / 2021年3月1日 08:05"
        )
    assert show("{{ n|cn_date }}{{ n|cn_datetime }}{{ n|cn_when }}", n=None) == ""


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.8725, "87.3%"), (0.85, "85%"), (1, "100%"), (0, "0%"), (None, "—"), (0.1, "10%"), (0.99949, "99.9%")],
)
def test_shares_become_percent_and_half_rounds_up(share, text):
    assert show("{{ share|percent }}", share=share) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 字节"), (860, "860 字节"), (12_288, "12 KB"), (1_258_291, "1.2 MB"), (3_650_722_202, "3.4 GB")],
)
def test_sizes_are_readable(size, text):
    assert show("{{ size|filesize_cn }}", size=size) == text


# Navigation ------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch, settings):
    settings.ROOT_URLCONF = __name__
    monkeypatch.setattr(nav, "_entries", {})
    return nav


STAFF = Actor(ref=Ref("account", "1"), label="张敏")


def test_entries_are_grouped_in_order_and_the_nearest_one_is_current(registry):
    registry.nav(face="workbench", group="计划", label="超期", url="late", order=20, count=lambda actor: 3)
    registry.nav(face="workbench", group="计划", label="台账", url="plans", order=10, count=lambda actor: 0)
    registry.nav(face="workbench", label="首页", url="site:home", order=1)
    registry.nav(face="portal", label="方案", url="plans")
    groups = registry.items("workbench", STAFF, SimpleNamespace(path="/plans/late/7/"))
    assert [(group.label, [item.label for item in group.items]) for group in groups] == [
        ("", ["首页"]),
        ("计划", ["台账", "超期"]),
    ]
    assert [item.label for group in groups for item in group.items if item.current] == ["超期"]
    assert [item.count for item in groups[1].items] == [None, 3]


def test_the_front_page_is_not_current_everywhere(registry):
    registry.nav(face="portal", label="首页", url="site:home")
    assert not registry.items("portal", STAFF, SimpleNamespace(path="/plans/"))[0].items[0].current
    assert registry.items("portal", STAFF, SimpleNamespace(path="/"))[0].items[0].current


def test_what_the_actor_may_not_open_is_not_shown_nor_counted(registry):
    def never(actor):
        raise AssertionError("counted for somebody who may not see it")

    registry.nav(face="workbench", label="台账", url="plans", policy="kernel.signed_in", count=never)
    assert registry.items("workbench", ANONYMOUS) == []


def test_a_wrong_or_repeated_entry_is_refused(registry):
    registry.nav(face="portal", label="台账", url="plans")
    with pytest.raises(ValueError, match="twice"):
        registry.nav(face="portal", label="又一个", url="plans")
    with pytest.raises(ValueError, match="unknown face"):
        registry.nav(face="wall", label="台账", url="plans")


# Shells ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", SHELLS)
@pytest.mark.parametrize("mode", ["standard", "elder"])
def test_the_style_guide_shows_every_face_without_inline_style_or_script(
    registry, client, settings, db, face, mode
):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    answer = client.get("/guide/", {"face": face, "as": mode})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'class="face-{face}" data-mode="{mode}"' in page
    assert "演示日期 2022-10-20 · 数据为演示生成" in page
    assert not re.search(r'\sstyle="|<style|\son\w+="|<script(?![^>]*\ssrc=)', page)
    assert page.count("<main") == page.count("<h1") - (face == "portal") == 1


def test_the_style_guide_is_hidden_in_service(settings):
    settings.DEBUG = False
    settings.LIANGZHU_DEMO_DATE = None
    with pytest.raises(Http404):
        views.styleguide(request_for("GET"))


def test_the_style_guides_form_is_checked_like_any_other(registry, client, settings, db):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    good = {
        "title": "甲",
        "unit": "a",
        "due": "2022-10-20",
        "text": "乙",
        "kind": "1",
        "sure": "on",
        "version": "1",
    }
    assert client.post("/guide/", good).status_code == 302
    refused = client.post("/guide/", {**good, "kind": "2"})
    assert refused.status_code == 422 and "晚于任务的完成时限。" in refused.content.decode()


def test_the_mode_is_kept_and_leads_back_only_to_this_site(client, db):
    answer = client.post("/mode/", {"mode": "elder", "next": "/?a=1"})
    assert (answer.status_code, answer.url, answer.cookies["mode"].value) == (302, "/?a=1", "elder")
    assert 'data-mode="elder"' in client.get("/").content.decode()
    assert client.post("/mode/", {"mode": "standard", "next": "https://evil.example/"}).url == "/"
    assert "mode" not in client.post("/mode/", {"mode": "nonsense"}).cookies


def test_following_a_link_changes_no_mode(client, db):
    answer = client.get("/mode/", {"mode": "elder", "next": "/"})
    assert answer.status_code == 405 and "mode" not in answer.cookies
    page = client.get("/?a=1").content.decode()
    assert "?mode=" not in page
    assert page.count('<button class="link" name="mode" value="elder">长者模式</button>') == 2
    assert '<input type="hidden" name="next" value="/?a=1">' in page


def test_a_page_that_is_not_there_says_what_to_do_and_names_the_request(client, db):
    answer = client.get("/nowhere/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "没有这个页面" in page and "请从首页或菜单重新进入" in page and answer["X-Request-Id"] in page
