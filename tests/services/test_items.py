"""Items, bundles and the guide of the pack in use."""

from datetime import date

import pytest
from django.db import transaction

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import bundles, catalogue, checks, guide, offers, sheets
from liangzhu.pillars.services.models import ItemMaterial, ItemVersion

CLINIC = {
    "kind": "clinic",
    "nature": "profit",
    "registered": False,
    "xray": True,
    "sewage": True,
    "sign": True,
    "staff": True,
}


@pytest.fixture(scope="module")
def pack_items(django_db_setup, django_db_blocker):
    """The pack's units, forms, tables, items and bundles, once for the module; each test takes back what it changed."""
    with django_db_blocker.unblock(), at("2022-10-20 09:00"):
        held = transaction.atomic()
        # As the tests' own: what must not run inside a transaction is not inside one of the program's.
        held._from_testcase = True
        with held:
            offers.forget()
            directory.load_units(pack())
            forms.load_forms()
            decisions.load_rules()
            catalogue.load_items(pack())
            bundles.load_bundles()
            yield
            transaction.set_rollback(True)


@pytest.fixture
def loaded(pack_items, db):
    offers.forget()
    with at("2022-10-20 09:00"):
        yield
    offers.forget()


def test_every_item_of_the_pack_comes_into_force_once(loaded):
    rows = ItemVersion.objects.filter(state=ItemVersion.IN_FORCE)
    assert rows.count() == len(catalogue.read(pack())) > 60
    assert catalogue.load_items(pack()) == 0


def test_the_packs_items_pass_every_check_that_blocks_a_release(loaded):
    rows = ItemVersion.objects.prefetch_related(*sheets.ROWS)
    wrong = [
        (str(row), one.rule, one.message)
        for row in rows
        for one in checks.check(sheets.Sheet.of(row))
        if one.blocks
    ]
    assert wrong == []


def test_what_is_not_filled_in_is_told_as_one_and_what_is_wrong_apart():
    sheet = sheets.Sheet(
        ItemVersion(name="某事项", task_type="20", result="备案凭证", result_type="other", complaints="12")
    )
    found = checks.check(sheet)
    wrong = [one for one in found if not one.gap]
    assert [(one.rule, one.element) for one in wrong] == [("P12", "complaints")]
    told = checks.gathered(found)
    assert len(told) == 2 and told[-1].message.startswith("没有填：") and "设定依据" in told[-1].message


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("P01", {"project_type": "1"}),
        ("P02", {"review": "spot"}),
        ("P03", {"result_type": "other", "result": "卫生许可证"}),
        ("P08", {"visits": 2, "depth": "3"}),
        ("P10", {"online": False, "depth": "3", "ways": "window"}),
        ("P11", {"visits": 1, "visits_why": "双方到场"}),
        ("P12", {"contact": "0518-85400000", "complaints": "0518-85400000"}),
        ("P13", {"hours": "9:00-17:00"}),
        ("P14", {"address": "海州区"}),
        ("P15", {"person_topics": "医疗卫生"}),
        ("P17", {"promised_amount": 1}),
        ("P19", {"pays_online": True}),
        ("L01", {"promised_amount": 60}),
        ("P04", {"result": "项目批复", "result_type": "other"}),
        ("P05", {"result": "准予决定文", "result_type": "other"}),
        ("P06", {"result_type": ""}),
        ("P07", {"visits": None}),
        ("P09", {"visits_why": "双方到场"}),
        ("L02", {"legal_unit": ""}),
        ("L03", {"legal_amount": None, "legal_unit": ""}),
        ("L05", {"fee": True}),
        ("C01", {"catalog_code": "12345"}),
    ],
)
def test_each_rule_finds_what_it_is_for(loaded, rule, change):
    row = ItemVersion.objects.get(item__key="yiliao_zhiye")
    before = {one.rule for one in checks.check(sheets.Sheet.of(row)) if one.blocks}
    for name, value in change.items():
        setattr(row, name, value)
    assert rule not in before
    assert rule in {one.rule for one in checks.check(sheets.Sheet.of(row)) if one.blocks}


def test_a_local_addition_that_asks_for_what_government_issues_blocks_the_release(loaded):
    row = ItemVersion.objects.get(item__key="zhensuo_beian")
    ItemMaterial.objects.create(
        version=row,
        place=90,
        key="hukou",
        name="户口簿",
        channel="20",
        issuer="公安机关",
        free="none",
        local=True,
    )
    found = [one for one in checks.check(sheets.Sheet.of(row)) if one.rule == "V01"]
    assert [one.blocks for one in found] == [True] and "公安机关" in found[0].message


def test_a_clinic_is_a_filing_and_an_outpatient_department_a_permit_each_with_its_ground(loaded):
    found = guide.route(bundles.bundle("open_clinic"), CLINIC)
    parts = {part.name: part for part in found.parts}
    assert set(parts) == {"shop", "filing", "rays", "doctors", "drain", "sign"}
    assert "国卫医政发〔2022〕33号" in parts["filing"].why
    assert parts["filing"].needs == {"shop"} and parts["rays"].needs == {"filing"}
    other = guide.route(bundles.bundle("open_clinic"), {**CLINIC, "kind": "outpatient"})
    assert "permit" in {part.name for part in other.parts}
    # Before 1 May 2022 a clinic needed a permit as well.
    before = guide.route(bundles.bundle("open_clinic"), CLINIC, on=date(2022, 4, 30))
    assert "permit" in {part.name for part in before.parts}


def test_each_material_is_asked_once_and_most_are_not_asked_at_all(loaded):
    found = guide.route(bundles.bundle("open_clinic"), CLINIC)
    keys = [one.material for one in found.materials]
    assert len(keys) == len(set(keys)) and found.asked_singly > len(keys)
    licence = next(one for one in found.materials if one.material == "business_licence")
    assert licence.why and len(licence.parts) > 1
    assert 0 < len(found.needed) < len(found.not_needed) + len(found.needed)


def test_the_plan_names_the_longest_chain_and_what_it_cannot_prove(loaded):
    found = guide.route(bundles.bundle("open_clinic"), CLINIC)
    assert found.plan.critical[0] == "shop" and found.plan.promised_days < found.plan.one_by_one


def test_every_bundle_finds_its_items_for_every_example_of_its_table(loaded):
    seen = set()
    for bundle in bundles.all_bundles():
        for example in decisions.in_force(bundle.rule).examples:
            found = guide.route(bundle, example.given, on=example.on)
            seen |= {bundle.parts[part.name].item for part in found.parts}
    assert {
        "zhensuo_beian",
        "gaowei_tiyu",
        "qiye_sheli",
        "xiangmu_beian",
        "tiyi_baodao".replace("tiyi", "tuiyi"),
    } <= seen


def test_one_item_is_a_bundle_of_one_part(loaded):
    one = bundles.bundle("item:jiehun_dengji")
    assert one.single and [part.offer.name for part in guide.route(one, {}).parts] == ["内地居民结婚登记"]
    with pytest.raises(NotThere):
        bundles.bundle("item:nothing")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('key = "x"\ntitle = "甲"\nwindow = "a"', r"至少要有一个"),
        ('key = "x"\ntitle = "甲"\nwindow = "a"\n[parts.a]\nitem = "i"\nneeds = ["b"]', "没有这一件"),
        (
            'key = "x"\ntitle = "甲"\nwindow = "a"\nrule = "r"\n[parts.a]\nitem = "i"\nneeds = ["b"]\n'
            '[parts.b]\nitem = "j"\nneeds = ["a"]',
            "互为前置",
        ),
        (
            'key = "x"\ntitle = "甲"\nwindow = "a"\n[parts.a]\nitem = "i"\n[parts.b]\nitem = "j"',
            "不止一件的，要写 rule",
        ),
        ('key = "x"\ntitle = "甲"\nwindow = "a"\ncolour = 1\n[parts.a]\nitem = "i"', "不认识 'colour'"),
        ("key = ", "不是合规的 TOML"),
    ],
)
def test_a_bundle_that_cannot_run_is_refused_with_file_and_reason(line, says):
    with pytest.raises(DataFileError, match=says):
        bundles.parse(line, "bundles/x.toml")
