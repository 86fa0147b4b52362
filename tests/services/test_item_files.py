"""Items from files and into files: the national shape there and back, a real catalogue, CPSV-AP, search, the pages."""

import json

import pytest
import rdflib
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse

from liangzhu.kernel.errors import BadFile, Denied, TooLarge
from liangzhu.kernel.now import at
from liangzhu.kernel.search import fold
from liangzhu.pillars.services import actions, cpsv, finding, issued, national, sheets
from liangzhu.pillars.services.models import Batch, Item, ItemVersion, SourceRecord
from liangzhu.pillars.services.queries import items

CPSV = rdflib.Namespace("http://purl.org/vocab/cpsv#")
CV = rdflib.Namespace("http://data.europa.eu/m8g/")
DCT = rdflib.Namespace("http://purl.org/dc/terms/")


pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")


@pytest.fixture(autouse=True)
def day():
    with at("2022-10-20 09:00"):
        yield


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("营业执照复印件（加盖公章）", "business_licence"),
        ("法定代表人身份证", "id_card"),
        ("户口簿原件及复印件", "hukou"),
        ("未婚证明", "single"),
        ("房产证（或租赁合同）", "real_estate"),
        ("授权委托书及受托人身份证", None),
        ("建筑平面图", None),
        ("房屋租赁合同", None),
    ],
)
def test_what_government_issues_is_recognised_under_any_name(name, key):
    found = issued.match(name)
    assert (found.key if found else None) == key


# There and back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
def test_the_national_shape_is_read_again_without_loss(all_items, keeper, form):
    before = items.published_sheets()
    row = before[0].version
    # Every column with something in it, so that none is lost unseen.
    row.local_code, row.served, row.ways = (
        "511Z07001006-511602000000",
        "person organisation other",
        "window post",
    )
    row.online_depths, row.flow, row.says = "3^4^5", "第一行\n第二行，有“引号”", "一\n二"
    data = national.WRITERS[form][1](before)
    lines = national.lines(national.read_tables(data, f"items.{form}"))
    assert len(lines) == len(before) > 60
    for sheet, line in zip(before, lines, strict=True):
        body, unmapped = national.body_of(line)
        assert (body, unmapped) == (sheet.body(), [])


def test_what_was_exported_changes_nothing_and_one_changed_cell_becomes_one_draft(items_loaded, keeper):
    data = json.loads(national.write_json(items.published_sheets()))
    batch = actions.import_items(keeper.actor, title="原样", data=json.dumps(data).encode(), name="a.json")
    assert (batch.taken, batch.unchanged, batch.refused) == (0, 2, 0)
    data["task_general_basic"][0]["promise_explain"] = "改了一格"
    batch = actions.import_items(keeper.actor, title="一格", data=json.dumps(data).encode(), name="a.json")
    assert (batch.taken, batch.unchanged) == (1, 1)
    draft = ItemVersion.objects.get(state=ItemVersion.DRAFT)
    assert draft.number == 2 and [one.element for one in items.changes(keeper.actor, draft)[1]] == [
        "promised_note"
    ]


def test_only_the_keeper_imports_and_a_file_that_lies_is_named(items_loaded, keeper, editor):
    with pytest.raises(Denied):
        actions.import_items(editor.actor, title="x", data=b"[]", name="a.json")
    for data, name, problem in (
        (b"PK\x03\x04 not a workbook", "a.xlsx", BadFile),
        (b"\xff\xfe\x00", "a.csv", BadFile),
        (b"{", "a.json", BadFile),
        (b"", "a.exe", BadFile),
        (b"x" * (national.MAX_BYTES + 1), "a.csv", TooLarge),
    ):
        with pytest.raises(problem):
            actions.import_items(keeper.actor, title="x", data=data, name=name)


def test_what_cannot_be_taken_in_is_kept_with_its_reason_and_what_has_no_column_too(items_loaded, keeper):
    text = (
        "item_name,task_type,department,item_code,area_code\n"
        "养老机构备案,10,区民政局,A-1,320706\n"
        "没有类型,,区民政局,A-2,320706\n"
        "外地单位的,10,外地某局,A-3,320706\n"
        "编码重复,10,区民政局,A-1,320706\n"
    )
    batch = actions.import_items(keeper.actor, title="清单", data=text.encode(), name="list.csv")
    assert (batch.taken, batch.refused) == (1, 3)
    reasons = dict(items.refusals(batch))
    assert {"task_type：没有事项类型", "与第 2 行是同一个事项（编码相同）"} < reasons.keys()
    assert any("外地某局" in one for one in reasons)
    assert items.unmapped(batch) == [("area_code", 3)]
    assert SourceRecord.objects.filter(batch=batch).count() == 4
    assert json.loads(batch.records.get(place=4).body)["item_code"] == "A-3"
    assert ItemVersion.objects.get(local_code="A-1").state == ItemVersion.DRAFT


@pytest.mark.slow
def test_a_real_catalogue_of_another_district_goes_in_whole(items_loaded, keeper, shared):
    file = shared / "data" / "service_items" / "guangan_district_items.csv"
    if not file.exists():
        pytest.skip("the catalogue of the other district is not here")
    batch = actions.import_items(
        keeper.actor, title="另一个区的清单", data=file.read_bytes(), name=file.name, rest="shenpiju"
    )
    assert (batch.taken + batch.refused, batch.refused) == (1135, 0)
    assert batch.records.count() == 1135
    # 109 rows have a code of the body that is none: 19 or 22 characters.
    assert dict(items.unmapped(batch)) == {
        "main_item": 1135,
        "task_type_name": 1135,
        "area_code": 1135,
        "dept_code": 109,
    }
    again = actions.import_items(
        keeper.actor, title="再来一次", data=file.read_bytes(), name=file.name, rest="shenpiju"
    )
    assert (again.taken, again.unchanged, again.refused) == (0, 1135, 0)
    found = items.examine(keeper.actor)
    assert found.items == 1137 and found.rules["L04"] >= 1135
    assert set(found.rules) >= {"P07", "P15", "L01", "L03", "P17", "C03"}
    # The list names items and no more: what it does not say is one row for each, and drowns nothing.
    assert (found.rules - found.gaps).keys() <= {"L04", "P18"} and len(found.lines) < 1200
    assert items.published().count() == 2


# CPSV-AP ------------------------------------------------------------------------------------------------------------


def test_items_are_services_of_the_european_vocabulary_that_ask_for_no_more_than_the_guide(all_items):
    found = items.published_sheets()
    graph = rdflib.Graph().parse(
        data=json.dumps(cpsv.document(found, "https://example.org/", "某区")), format="json-ld"
    )
    services = set(graph.subjects(rdflib.RDF.type, CPSV.PublicService))
    assert len(services) == len(found)
    for one in services:
        for needed in (DCT.identifier, DCT.title, DCT.description, CV.hasCompetentAuthority):
            assert graph.value(one, needed) is not None, (one, needed)
        assert (graph.value(one, CV.hasCompetentAuthority), rdflib.RDF.type, CV.PublicOrganisation) in graph
    clinic = rdflib.URIRef("https://example.org/services/items/zhensuo_beian/")
    evidence = {str(graph.value(one, DCT.identifier)) for one in graph.objects(clinic, CPSV.hasInput)}
    assert evidence == {one.row.key for one in items.guide("zhensuo_beian").needed}
    assert graph.value(clinic, CV.processingTime).toPython().total_seconds() == 0


# Search and pages ---------------------------------------------------------------------------------------------------


def test_everyday_words_find_the_right_item_among_the_first_three(all_items, root):
    from bench.find import phrasings, right

    asked = phrasings("find_phrasings.toml")
    missed = [
        one["say"]
        for one in asked
        if not right(one, [hit.key for hit in finding.find(one["say"], limit=3)])[1]
    ]
    assert missed == [] and len(asked) >= 70
    later = phrasings("find_later.toml")
    good = sum(right(one, [hit.key for hit in finding.find(one["say"], limit=3)])[1] for one in later)
    assert good >= 0.8 * len(later)


def test_search_knows_codes_says_nothing_to_nonsense_and_follows_a_change(all_items, editor, reviewer):
    code = items.in_force("zhensuo_beian").catalog_code
    assert [one.key for one in finding.find(code)] == ["zhensuo_beian"]
    assert finding.find("核聚变装置") == [] and finding.find("") == [] and finding.find("？！") == []
    assert [one.key for one in finding.find(fold("ＫＴＶ"))][:1] == ["yule_changsuo"]
    draft = actions.begin_draft(editor.actor, item_id=Item.objects.get(key="zhensuo_beian").pk)
    actions.edit_section(editor.actor, version_id=draft.pk, section="served", values={"says": "核聚变装置"})
    actions.submit(editor.actor, version_id=draft.pk, note="加一个说法")
    assert finding.find("核聚变装置") == []
    actions.decide(reviewer.actor, version_id=draft.pk, accept=True)
    assert [one.key for one in finding.find("核聚变装置")] == ["zhensuo_beian"]


def test_the_public_pages_answer_within_their_queries(all_items, client, django_assert_max_num_queries):
    pages = {
        reverse("services:home"): 16,
        f"{reverse('services:home')}?q=开诊所": 16,
        reverse("services:browse"): 16,
        reverse("services:guide", args=["gaowei_tiyu"]): 22,
        reverse("services:once_only"): 16,
        reverse("services:catalogue", args=["json"]): 16,
    }
    client.get(reverse("services:home"))
    for address, most in pages.items():
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200, address
    page = client.get(reverse("services:guide", args=["gaowei_tiyu"])).content.decode()
    places = [
        page.index(word) for word in ("我能办吗", "要带什么", "要多久", "在哪里办", "要多少钱", "怎样申请")
    ]
    assert places == sorted(places)
    assert "不用您交" in page and "体育部门、人力资源社会保障部门已有" in page
    assert client.get(reverse("services:guide", args=["nothing"])).status_code == 404


def test_the_desk_keeps_what_was_typed_and_shows_the_error_beside_the_field(
    items_loaded, editor, reviewer, django_assert_max_num_queries
):
    desk = editor.client
    desk.post(reverse("services:begin_draft", args=["zhensuo_beian"]))
    draft = ItemVersion.objects.get(state=ItemVersion.DRAFT)
    address = reverse("services:section", args=[draft.pk, "channels"])
    assert "提示：没有咨询方式" in desk.get(address).content.decode()
    answer = desk.post(address, {"version": "1", "visits": "一次", "contact": "写了很久的电话"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "写了很久的电话" in page and 'name="visits"' in page
    row = reverse("services:new_row", args=[draft.pk, "questions"])
    assert desk.post(row, {"version": "1", "question": "要多久？", "answer": "当场。"}).status_code == 302
    local = reverse("services:new_row", args=[draft.pk, "materials"])
    given = {
        "name": "身份证复印件",
        "kind": "复印件",
        "form": "纸质",
        "necessity": "must",
        "channel": "10",
        "free": "none",
    }
    assert desk.post(local, {"version": "2", **given}).status_code == 302
    assert draft.materials.get(name="身份证复印件").local
    stopped = desk.post(reverse("services:submit", args=[draft.pk]), {"version": "3", "note": "试"})
    assert stopped.status_code == 409 and "公安机关核发的《居民身份证》" in stopped.content.decode()
    for name, args, most in (
        ("desk", [], 30),
        ("item", ["zhensuo_beian"], 36),
        ("changes", [draft.pk], 36),
        ("checks", [], 30),
        ("exemptions", [], 24),
        ("upwards", [], 24),
    ):
        with django_assert_max_num_queries(most):
            assert desk.get(reverse(f"services:{name}", args=args)).status_code == 200
    assert desk.get(reverse("services:imports")).status_code == 403
    assert Client().get(reverse("services:desk")).status_code == 302


def test_an_import_page_reports_every_row(items_loaded, keeper):
    from django.core.files.uploadedfile import SimpleUploadedFile

    text = "item_name,task_type,department\n收养登记,07,区民政局\n没有单位,07,\n"
    upload = SimpleUploadedFile("list.csv", text.encode())
    answer = keeper.client.post(
        reverse("services:imports"), {"title": "清单", "file": upload, "rest": ""}, follow=True
    )
    page = answer.content.decode()
    assert "未收入的原因" in page and "不在机构名录里" in page and Batch.objects.get().taken == 1


def test_the_command_checks_the_catalogue_and_finds(items_loaded, monkeypatch):
    from liangzhu.site import cli

    monkeypatch.setattr(cli, "set_up_django", lambda: None)
    done = CliRunner().invoke(cli.main, ["items", "check", "--json"], standalone_mode=False)
    found = json.loads(done.output)
    assert found["items"] == 2 and found["rules"]["P12"] == 2 and done.exit_code == 0
    done = CliRunner().invoke(cli.main, ["items", "find", "开诊所"], standalone_mode=False)
    assert "诊所备案" in done.output


def test_difference_names_rows_and_limits_are_words():
    old = sheets.Sheet(ItemVersion(task_type="01")).body()
    new = {**old, "promised_amount": 5, "promised_unit": "workday"}
    new["materials"] = [{"name": "平面图", "necessity": "must"}]
    found = {one.title: one.after for one in sheets.difference(old, new)}
    assert found["承诺办结时限"] == "5" and "必要" in found["申请材料“平面图”"]
    assert sheets.term(0, "spot") == "当场" and sheets.term(None, "workday") == ""
