"""The district's pack is data that programs trust: complete, and in agreement with itself and its sources."""

import csv
import re
import tomllib
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import chinese_calendar
import pytest

from liangzhu.kernel import identifiers

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "packs" / "haizhou"
SHARED = ROOT.parent / "shared"
PLAN_TEXT = SHARED / "plan" / "haizhou-2022-114.txt"
DIVISIONS = SHARED / "data" / "divisions"

PROCESS = ROOT / "src" / "liangzhu" / "pillars" / "programme" / "processes" / "plan_task.toml"
SIGN_FOR = tomllib.loads(PROCESS.read_text())["clocks"]["sign_for"]["amount"]
"""Working days in which a unit signs for a task."""

MARKS = {"source", "unconfirmed", "to_confirm"}

# file -> place of a table ("" is the file) -> (required keys, optional keys); in words: packs/README.md.
KEYS: dict[str, dict[str, tuple[str, str]]] = {
    "pack.toml": {
        "": (
            "key name short region_code city_name city_code province_name province_code government time_zone "
            "demo_date programme_office portal services document_series",
            "phone phone_source phone_unconfirmed phone_to_confirm bounds",
        ),
        "programme_office": ("unit name leading_group", ""),
        "portal": ("province storefront", ""),
        "bounds": ("west south east north", ""),
        "services": ("window", ""),
        "document_series": ("key prefix unit use", ""),
    },
    "units.toml": {
        "": ("unit", "succession"),
        "unit": ("key kind spell", "aliases upper"),
        "unit.spell": ("name short valid_from source", "code parent valid_to"),
        "succession": ("from to on whole scope source", ""),
    },
    "unit_sets.toml": {"": ("set", ""), "set": ("key text mode basis", "aliases kinds under members except")},
    "plan.toml": {
        "": (
            "key number title notice_title issuer issued_on published_at addressees lead_rule chapter "
            "article",
            "index_number approved_by cited",
        ),
        "lead_rule": ("rule", ""),
        "cited": ("title", "number articles"),
        "chapter": ("no title articles", ""),
        "article": ("no title task", "lead helpers open_sets bodies deadlines target"),
        "article.deadlines": ("text date", ""),
        "article.target": ("name indicator op value unit", "due"),
    },
    "calendar.toml": {
        "": ("overrides office_hours near_due reminders escalation", ""),
        "overrides": ("date workday reason source", ""),
        "office_hours": ("weekdays periods", ""),
        "near_due": ("share working_days", ""),
        "reminders": ("working_days_before", ""),
        "escalation": ("to_role working_days_overdue", ""),
    },
    "materials.toml": {
        "": ("material", ""),
        "material": ("key name channel free", "issuer source_key certificate notes"),
    },
    "laws.toml": {"": ("law", ""), "law": ("name", "text changed unread")},
    "documents.toml": {"": ("document", ""), "document": ("key title issuer how", "names apart")},
    "services.toml": {
        "": ("upper_unit defaults journey ratings", "identity_certificate"),
        "ratings": ("default_days", ""),
        "defaults": ("locked ways", "address hours contact complaints area"),
        "journey": ("key title items", ""),
    },
    "words.toml": {"": ("quiet same", "")},
    "retention.toml": {
        "": ("matters registers sources halls", ""),
        "matters": ("kind years", ""),
        "registers": ("years source", ""),
        "sources": ("days source", ""),
        "halls": ("days source", ""),
    },
    "certificates.toml": {
        "": ("issuer kind paper seal", "sample"),
        "sample": ("kind unit holder fields demo", ""),
        "issuer": ("unit code mark", ""),
        "kind": ("key title code holder layout field source", "foreign issuers seal number years states"),
        "kind.field": ("key title grade", "mask required long type"),
        "paper": ("key mark", ""),
        "seal": ("unit use number demo", ""),
    },
    "roles.toml": {"": ("role", ""), "role": ("code name about", "exclusive_with")},
    "accounts.toml": {
        "": ("demo demo_password person", "deputy"),
        "person": ("username name demo post", ""),
        "person.post": ("key unit title roles valid_from", "head valid_to"),
        "deputy": ("post person valid_from valid_to reason", ""),
    },
    "identity.toml": {
        "": ("key title algorithms scope level_parameter paths levels documents claims enterprise", ""),
        "paths": ("authorize token keys", ""),
        "levels": ("1 2 3", ""),
        "documents": ("citizen_id hmt_permit foreign_card passport hm_travel tw_travel", "other"),
        "claims": ("name document_kind document_number level enterprise", ""),
        "enterprise": ("uscc name role agent_word granted_on until", ""),
    },
    "residents.toml": {
        "": ("demo person enterprise", ""),
        "person": ("key name number level demo", "kind about"),
        "enterprise": ("uscc name legal", "agent"),
        "enterprise.agent": ("person granted_on until", ""),
    },
    "codes.toml": {
        "": (
            "key title life_seconds skew_seconds consent_days keep_hours scope paths answers documents fields province "
            "licence outlet",
            "demo",
        ),
        "paths": ("token validate licences issue", ""),
        "answers": ("ok forged expired replaced used unknown empty session", ""),
        "documents": ("citizen_id hmt_permit foreign_card passport hm_travel tw_travel uscc", ""),
        "fields": ("ZZMC ZZHM CYRMC CYRSFZJLX CYRSFZJHM FZRQ FZJGMC FZJGZZJGDM FZJGSSXZQHDM", ""),
        "province": ("key title prefix mark accepted", ""),
        "licence": ("key title code of", ""),
        "outlet": ("key title unit devices", ""),
        "demo": ("licence number issuer issued_on", "person uscc status"),
    },
    "exchange.toml": {
        "": ("resource demo", ""),
        "resource": ("key title holder subject basis field", ""),
        "resource.field": ("name title", "type grade"),
        "demo": ("resource values", "person uscc"),
    },
    "halls.toml": {
        "": (
            "slot_minutes days_ahead per_person grace_minutes remind_hours calls_most ordinary_after estimate_from "
            "estimate_least priority business hall",
            "",
        ),
        "priority": ("key title who", ""),
        "business": ("key title letter about", ""),
        "hall": ("key address phone hours weekend_hours window capacity", ""),
        "hall.window": ("key businesses", ""),
        "hall.capacity": ("business people", ""),
    },
    "indicators.toml": {
        "": ("indicator", ""),
        "indicator": (
            "key name kind owner unit decimals better caliber formula source",
            "reading group default query article due",
        ),
    },
    "history.toml": {
        "": ("demo plan first_day last_day events task", ""),
        "events": ("at who what", "post tasks indicator as_of value note confirmed_by"),
        "task": ("no fate about lead events", "added due due_basis steps public_summary"),
        "task.steps": ("key title due", ""),
        "task.events": (
            "at who what",
            "post step steps done kind text title drafted_by evidence until reason",
        ),
    },
}

ITEMS = {
    "": ("item", ""),
    "item": (
        "key name type unit basis promised case served topic result visits materials says",
        "catalog legal certificate site_check visits_why steps questions form window conditions contact "
        "complaints hours address fee fee_basis fees legal_note special online ways area locked level result_type",
    ),
    "item.steps": ("name days", ""),
    "item.questions": ("question answer", ""),
    "item.fees": ("name standard basis", "relief"),
    "item.materials": ("key", "name necessity basis local free notes"),
}
"""Of every file on the shelf `items`, by subject."""
SHELVES = ("items", "bundles", "rules", "forms")
"""Folders of the pack. Bundles and rules are checked when they are loaded."""
PLAYED = {"services_history.toml"}
"""Checked by being played: what the rules refuse stops it (tests/services/test_history.py)."""
KEYS |= {f"items/{path.name}": ITEMS for path in sorted((PACK / "items").glob("*.toml"))}

KINDS = {
    "government_department",
    "government",
    "government_office",
    "party_body",
    "city_branch",
    "zone_office",
    "town",
    "street",
    "farm_or_park",
    "public_institution",
    "command_group",
    "collective",
}
TOWNSHIP_KIND = {"street": "街道", "town": "镇", "farm_or_park": "其他"}


@cache
def load(name):
    return tomllib.loads((PACK / name).read_text(encoding="utf-8"))


def tables(value, place=""):
    """Every table below `value` with its dotted place; items of lists share their list's place."""
    if isinstance(value, dict):
        yield place, value
        for key, below in value.items():
            yield from tables(below, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for item in value:
            yield from tables(item, place)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from strings(below)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def units():
    return {unit["key"]: unit for unit in load("units.toml")["unit"]}


def articles():
    return {article["no"]: article for article in load("plan.toml")["article"]}


def tasks():
    return {task["no"]: task for task in load("history.toml")["task"]}


def posts():
    return {
        post["key"]: (person, post) for person in load("accounts.toml")["person"] for post in person["post"]
    }


def indicators():
    return {indicator["key"]: indicator for indicator in load("indicators.toml")["indicator"]}


def sets():
    return {entry["key"]: entry for entry in load("unit_sets.toml")["set"]}


def spell_on(key, day):
    found = [s for s in units()[key]["spell"] if s["valid_from"] <= day < s.get("valid_to", date.max)]
    assert len(found) <= 1
    return found[0] if found else None


def members(key, day):
    """The units of an open set on a day: the reference reading of `unit_sets.toml`."""
    entry = sets()[key]
    chosen = set(entry.get("members", []))
    for unit in units().values():
        spell = spell_on(unit["key"], day)
        if not spell or unit["kind"] not in entry.get("kinds", []):
            continue
        above = []
        while "parent" in spell:
            above.append(spell["parent"])
            spell = spell_on(spell["parent"], day)
        if "under" not in entry or entry["under"] in above:
            chosen.add(unit["key"])
    return chosen - set(entry.get("except", []))


# ---- form ----


@pytest.mark.parametrize("name", KEYS)
def test_every_table_has_the_keys_that_the_format_knows(name):
    for place, table in tables(load(name)):
        assert place in KEYS[name], f"{name}: {place} 不在格式里"
        required, optional = (set(words.split()) for words in KEYS[name][place])
        assert required <= set(table), f"{name} {place}: 缺 {required - set(table)}：{table}"
        assert set(table) <= required | optional | MARKS, (
            f"{name} {place}: 多 {set(table) - required - optional}"
        )


def test_the_folder_holds_the_files_of_the_format_and_no_other():
    assert {path.name for path in PACK.iterdir()} == {name for name in KEYS if "/" not in name} | set(
        SHELVES
    ) | PLAYED
    for shelf in SHELVES:
        assert {path.suffix for path in (PACK / shelf).iterdir()} <= {".toml", ".json"}


def test_the_readme_explains_every_file_and_key():
    readme = (PACK.parent / "README.md").read_text(encoding="utf-8")
    for name, places in KEYS.items():
        assert f"`{name.replace(name.partition('/')[2], '') if '/' in name else name}`" in readme
        for words in places.values():
            for key in " ".join(words).split():
                assert re.search(rf"[`\[.{{ ]{key}[`\] .,=]", readme), f"{name}: {key}"


@pytest.mark.parametrize("name", KEYS)
def test_every_file_names_its_source(name):
    assert load(name)["source"].strip()


@pytest.mark.parametrize("name", KEYS)
def test_what_is_unconfirmed_says_what_is_to_be_confirmed(name):
    for place, table in tables(load(name)):
        for mark in [key for key in table if key.endswith("unconfirmed")]:
            assert table[mark] is True, f"{name} {place}: 已确认就删去 {mark}"
        marked = {key.removesuffix("unconfirmed") for key in table if key.endswith("unconfirmed")}
        explained = {
            key.removesuffix("to_confirm") for key in table if key.endswith("to_confirm") and table[key]
        }
        assert marked == explained, f"{name} {place}"


def test_values_without_a_local_source_stay_unconfirmed():
    district, calendar, series = (
        load("pack.toml"),
        load("calendar.toml"),
        load("pack.toml")["document_series"],
    )
    assert district["phone_unconfirmed"]
    marked = [
        district["programme_office"],
        district["bounds"],
        load("plan.toml")["lead_rule"],
        articles()[15],
        *(calendar[name] for name in ("office_hours", "near_due", "reminders")),
        *calendar["escalation"],
        *(entry for entry in series if entry["key"] in ("urge", "criticise")),
        *(target for article in articles().values() for target in article.get("target", [])),
        *(indicator for indicator in indicators().values() if indicator["kind"] == "reported"),
        *load("units.toml")["succession"],
        *(spell for key in ("shujuju", "gaoxin") for spell in units()[key]["spell"]),
        *sets().values(),
    ]
    assert not [table for table in marked if table.get("unconfirmed") is not True]


# ---- units ----


def test_keys_of_units_are_ascii_unique_and_of_a_known_kind():
    listed = [unit["key"] for unit in load("units.toml")["unit"]]
    assert len(listed) == len(set(listed))
    assert not [key for key in listed if not re.fullmatch(r"[a-z][a-z0-9_]*", key)]
    assert {unit["kind"] for unit in units().values()} <= KINDS


def test_spells_of_one_unit_follow_each_other_without_overlap():
    for key, unit in units().items():
        spells = unit["spell"]
        for spell in spells:
            assert date(2014, 1, 1) <= spell["valid_from"] < spell.get("valid_to", date.max), key
        for earlier, later in zip(spells, spells[1:], strict=False):
            assert earlier["valid_to"] <= later["valid_from"], key


def test_a_parent_exists_as_long_as_its_children():
    for key, unit in units().items():
        for spell in unit["spell"]:
            if "parent" not in spell:
                continue
            above = units()[spell["parent"]]["spell"]
            assert above[0]["valid_from"] <= spell["valid_from"], key
            end = spell.get("valid_to", date.max)
            assert above[-1].get("valid_to", date.max) >= end, key
            for earlier, later in zip(above, above[1:], strict=False):
                assert earlier["valid_to"] == later["valid_from"], key


def test_parents_make_no_circle():
    for day in sorted({spell["valid_from"] for unit in units().values() for spell in unit["spell"]}):
        for key in units():
            seen, spell = [key], spell_on(key, day)
            while spell and "parent" in spell:
                assert spell["parent"] not in seen
                seen.append(spell["parent"])
                spell = spell_on(spell["parent"], day)


def test_a_unit_that_is_nobodys_child_names_its_superior():
    for key, unit in units().items():
        if any("parent" not in spell for spell in unit["spell"]):
            assert unit["upper"], key


def test_no_two_units_answer_to_one_name():
    owner = {}
    for key, unit in units().items():
        names = {name for spell in unit["spell"] for name in (spell["name"], spell["short"])}
        for name in names | set(unit.get("aliases", [])):
            assert owner.setdefault(name, key) == key, name


def test_codes_have_the_structure_of_their_kind():
    district = load("pack.toml")
    assert identifiers.check("region", district["region_code"]).level == "county"
    assert identifiers.check("region", district["city_code"]).level == "prefecture"
    assert identifiers.check("region", district["province_code"]).level == "province"
    assert units()[district["government"]]["spell"][-1]["code"] == district["region_code"]
    for unit in units().values():
        for spell in unit["spell"]:
            if unit["kind"] in TOWNSHIP_KIND:
                code = identifiers.check("region", spell["code"])
                assert (code.level, code.township_kind) == ("township", TOWNSHIP_KIND[unit["kind"]])
            elif "code" in spell:
                code = identifiers.check("region", spell["code"])
                assert code.level == "county"
            else:
                continue
            assert code.prefecture == district["city_code"][:4]
            assert "统计用区划代码" in spell["source"]


def test_one_code_means_one_unit_on_any_day():
    for day in sorted({spell["valid_from"] for unit in units().values() for spell in unit["spell"]}):
        codes = [s["code"] for key in units() if (s := spell_on(key, day)) and "code" in s]
        assert len(codes) == len(set(codes))


@pytest.mark.skipif(not DIVISIONS.exists(), reason="统计用区划代码的原始清单不在本机")
@pytest.mark.parametrize(
    ("year", "issued"),
    [
        (2020, date(2020, 6, 30)),
        (2021, date(2021, 10, 31)),
        (2022, date(2022, 10, 31)),
        (2023, date(2023, 6, 30)),
    ],
)
def test_codes_in_force_are_those_of_the_yearly_list(year, issued):
    with (DIVISIONS / f"haizhou_streets_{year}.csv").open(encoding="utf-8") as rows:
        listed = {row[0]: row[1] for row in csv.reader(rows) if row[0].isdigit()}
    assert len(listed) >= 24
    ours = {
        spell["code"]: spell["short"]
        for key, unit in units().items()
        if unit["kind"] in TOWNSHIP_KIND and (spell := spell_on(key, issued))
    }
    assert ours == listed


def test_a_succession_joins_two_units_that_both_exist_that_day():
    for entry in load("units.toml")["succession"]:
        assert spell_on(entry["to"], entry["on"])
        assert spell_on(entry["from"], entry["on"] - timedelta(days=1))


# ---- sets, plan ----


def test_sets_name_units_and_kinds_that_exist():
    day = load("plan.toml")["issued_on"]
    for key, entry in sets().items():
        assert entry["mode"] in ("all", "candidates")
        named = (
            entry.get("members", []) + entry.get("except", []) + [entry[k] for k in ("under",) if k in entry]
        )
        assert set(named) <= set(units()), key
        assert set(entry.get("kinds", [])) <= KINDS
        assert members(key, day), f"{key} 在印发日是空集"


def test_sets_resolve_to_the_towns_and_the_zone_as_the_plan_says():
    day = load("plan.toml")["issued_on"]
    assert len(members("zhenjie", day)) == 19
    assert {"gaoxin_kejingju", "ziran_gaoxin", "gongan_gaoxin"} <= members("gaoxin_bumen", day)
    assert not {"fagaiju", "gaoxin"} & members("gaoxin_bumen", day)
    assert "shujuju" not in members("qu_bumen", day)
    assert "shujuju" in members("qu_bumen", date(2025, 1, 1))


def test_the_plan_has_24_articles_in_chapters_of_which_21_are_tasks():
    plan = load("plan.toml")
    assert list(articles()) == list(range(1, 25))
    assert [no for chapter in plan["chapter"] for no in chapter["articles"]] == list(range(1, 25))
    assert [no for no, article in articles().items() if article["task"]] == list(range(4, 25))
    for article in articles().values():
        assert ("lead" in article) == article["task"] == bool(article.get("open_sets"))


def test_articles_name_units_sets_and_indicators_that_exist():
    plan = load("plan.toml")
    assert plan["issuer"] in units()
    assert set(plan["addressees"]) <= set(sets())
    for no, article in articles().items():
        named = [article[key] for key in ("lead",) if key in article] + article.get("helpers", [])
        assert len(named) == len(set(named)), no
        for key in named + article.get("bodies", []):
            assert spell_on(key, plan["issued_on"]), f"第{no}条 {key}"
        assert set(article.get("open_sets", [])) <= set(sets())
        for target in article.get("target", []):
            assert target["op"] in ("<", "<=", "=", ">=", ">")
            indicator = indicators()[target["indicator"]]
            assert (indicator["article"], indicator["unit"], indicator["name"]) == (
                no,
                target["unit"],
                target["name"],
            )
            assert indicator.get("due") == target.get("due")
        for deadline in article.get("deadlines", []):
            assert deadline["date"] >= plan["issued_on"]


def test_document_numbers_are_well_formed():
    plan, district = load("plan.toml"), load("pack.toml")
    number = identifiers.check("document_number", plan["number"])
    assert number.issuer in [entry["prefix"] for entry in district["document_series"]]
    assert number.year == plan["issued_on"].year
    for cited in plan["cited"]:
        if "number" in cited and not re.fullmatch(r"\w+人民政府令第\d+号", cited["number"]):
            identifiers.check("document_number", cited["number"])
    for entry in district["document_series"]:
        assert entry["unit"] in units()
        identifiers.check("document_number", f"{entry['prefix']}〔2022〕1号")


def plain(text):
    return text.replace("（", "(").replace("）", ")")


@cache
def brackets():
    """Article number -> its text, and the units in its bracket, read from the plan itself."""
    text = plain(PLAN_TEXT.read_text(encoding="utf-8"))
    body = text[: text.index("附件:名词解释")]
    found = {}
    for match in re.finditer(r"(?m)^(\d{1,2})\. ?(.*)$", body):
        bracket = re.search(r"\(责任单位:(.*)\)$", match[2])
        found[int(match[1])] = (match[2], bracket[1] if bracket else "")
    return found


with_plan_text = pytest.mark.skipif(not PLAN_TEXT.exists(), reason="方案原文不在本机")


@with_plan_text
def test_titles_open_the_articles_of_the_text():
    assert sorted(brackets()) == list(range(1, 25))
    for no, article in articles().items():
        assert brackets()[no][0].startswith(article["title"]), no


@with_plan_text
@pytest.mark.parametrize("no", range(4, 25))
def test_units_of_an_article_are_exactly_those_of_its_bracket(no):
    article, bracket = articles()[no], brackets()[no][1]
    day = load("plan.toml")["issued_on"]
    found = re.split("[、,]|(?<=[^同])等(?=区|高新区)", bracket)
    texts = {plain(sets()[key]["text"]) for key in article["open_sets"]}
    assert [name for name in found if name in texts] == [
        plain(sets()[key]["text"]) for key in article["open_sets"]
    ]
    named = [article["lead"], *article.get("helpers", [])]
    if no == 15:
        assert set(found) == texts, "第15条没有点名单位，牵头单位是约定的"
        return
    assert [name for name in found if name not in texts] == [spell_on(key, day)["short"] for key in named]


@with_plan_text
def test_bodies_deadlines_and_values_occur_in_the_text():
    day = load("plan.toml")["issued_on"]
    for no, article in articles().items():
        text = brackets()[no][0]
        for key in article.get("bodies", []):
            unit = units()[key]
            names = [spell_on(key, day)["short"], *unit.get("aliases", [])]
            assert any(plain(name) in text or plain(name).removeprefix("区") in text for name in names), key
        for deadline in article.get("deadlines", []):
            assert deadline["text"] in text
        for target in article.get("target", []):
            if no != 13:  # there the plan asks for completeness without a figure
                assert f"{target['value']}{target['unit']}" in text
    whole = PLAN_TEXT.read_text(encoding="utf-8")
    for chapter in load("plan.toml")["chapter"]:
        assert f"、{chapter['title']}" in whole


@with_plan_text
def test_no_sentence_of_the_plan_is_carried_in():
    plan = load("plan.toml")
    text = re.sub(r"\W", "", PLAN_TEXT.read_text(encoding="utf-8"))
    titles = re.sub(r"\W", "", " ".join(strings([plan["notice_title"], plan["cited"], plan["chapter"]])))
    for path in [*filter(Path.is_file, PACK.rglob("*")), PACK.parent / "README.md"]:
        for line in path.read_text(encoding="utf-8").splitlines():
            for run in re.findall(r"\w+", line):
                for start in range(len(run) - 19):
                    piece = run[start : start + 20]
                    assert piece not in text or piece in titles, f"{path.name}: {piece}"


# ---- certificates ----


def test_certificates_are_those_that_items_and_materials_speak_of():
    known = {row["key"]: row for row in load("certificates.toml")["kind"]}
    named = {row["certificate"] for row in load("materials.toml")["material"] if "certificate" in row}
    for path in sorted((PACK / "items").glob("*.toml")):
        named |= {
            table["certificate"]
            for _, table in tables(load(f"items/{path.name}"))
            if isinstance(table.get("certificate"), str)
        }
    assert named <= known.keys(), named - known.keys()


def test_certificates_are_issued_by_units_that_have_a_seal_for_it():
    file = load("certificates.toml")
    seals = {(row["unit"], row["use"]) for row in file["seal"]}
    for row in file["issuer"]:
        assert row["unit"] in units()
        identifiers.check("enterprise", row["code"])
        assert (row["unit"], "approval") in seals
    for kind in file["kind"]:
        identifiers.check("enterprise", kind["code"][:18])
        first = kind.get("issuers", [None])[0]
        assert kind.get("foreign") or (first, kind["seal"]) in seals, kind["key"]
    assert len({row["number"] for row in file["seal"]}) == len(file["seal"])
    assert all(re.fullmatch(r"\d{13}", row["number"]) for row in file["seal"])


# ---- roles, accounts, calendar, indicators ----


def test_posts_stand_in_units_with_known_roles_that_one_person_may_hold_together():
    roles = {role["code"]: role for role in load("roles.toml")["role"]}
    accounts = load("accounts.toml")
    usernames = [person["username"] for person in accounts["person"]]
    assert len(usernames) == len(set(usernames)) and len(posts()) == sum(
        len(p["post"]) for p in accounts["person"]
    )
    assert len({person["name"] for person in accounts["person"]}) == len(usernames)
    for person in accounts["person"]:
        assert person["demo"] and re.fullmatch(r"[a-z][a-z0-9_.]*", person["username"])
        held = [code for post in person["post"] for code in post["roles"]]
        assert held
        for code in held:
            assert not set(roles[code].get("exclusive_with", [])) & set(held), person["username"]
        for post in person["post"]:
            assert spell_on(post["unit"], post["valid_from"]), post["key"]
            assert post.get("head", False) == ("matters.head" in post["roles"])


def test_made_up_residents_have_numbers_that_nobody_has():
    people = {one["key"]: one for one in load("residents.toml")["person"]}
    assert {one["level"] for one in people.values()} == {1, 2, 3}
    assert all(one["demo"] and one["number"].startswith("329999") for one in people.values())
    for one in people.values():
        identifiers.check("person", one["number"])
    for firm in load("residents.toml")["enterprise"]:
        assert identifiers.check("enterprise", firm["uscc"]).region == "329999"
        assert {firm["legal"], *(agent["person"] for agent in firm.get("agent", ()))} <= people.keys()
        assert all(agent["granted_on"] < agent["until"] for agent in firm.get("agent", ()))


def test_exclusions_of_roles_are_mutual():
    roles = {role["code"]: set(role.get("exclusive_with", [])) for role in load("roles.toml")["role"]}
    for code, others in roles.items():
        for other in others:
            assert code in roles[other], (code, other)


def test_every_role_is_held_and_every_lead_unit_has_an_officer_and_a_head():
    held = {}
    for _, post in posts().values():
        for code in post["roles"]:
            held.setdefault(code, set()).add(post["unit"])
    assert set(held) == {role["code"] for role in load("roles.toml")["role"]}
    for article in articles().values():
        if article["task"]:
            assert article["lead"] in held["matters.officer"] & held["matters.head"]
            assert set(article.get("helpers", [])) <= held["matters.officer"]


def test_one_person_switches_posts_and_one_deputises_for_another():
    accounts = load("accounts.toml")
    assert [person for person in accounts["person"] if len(person["post"]) > 1]
    usernames = {person["username"] for person in accounts["person"]}
    for deputy in accounts["deputy"]:
        holder, _ = posts()[deputy["post"]]
        assert deputy["person"] in usernames - {holder["username"]}
        assert deputy["valid_from"] < deputy["valid_to"]


def test_calendar_rules_make_sense():
    calendar = load("calendar.toml")
    roles = {role["code"] for role in load("roles.toml")["role"]}
    assert 0 < calendar["near_due"]["share"] < 1
    before = calendar["reminders"]["working_days_before"]
    assert before == sorted(set(before), reverse=True) and before[-1] == 0
    steps = [entry["working_days_overdue"] for entry in calendar["escalation"]]
    assert steps == sorted(set(steps))
    assert {entry["to_role"] for entry in calendar["escalation"]} <= roles
    for start, end in calendar["office_hours"]["periods"]:
        assert time.fromisoformat(start) < time.fromisoformat(end)


def test_indicators_belong_to_units_and_computed_ones_name_their_query():
    for indicator in indicators().values():
        assert indicator["kind"] in ("reported", "computed")
        assert (indicator["kind"] == "computed") == ("query" in indicator)
        assert indicator["owner"] in units()
        assert indicator["better"] in ("up", "down")
    groups = {}
    for indicator in indicators().values():
        if "group" in indicator:
            groups.setdefault(indicator["group"], []).append(indicator)
    assert groups
    for readings in groups.values():
        assert [reading["default"] for reading in readings].count(True) == 1
        assert len({reading["reading"] for reading in readings}) == len(readings)


# ---- the demonstration history ----

BY_ROLE = {
    "issue": "programme.office",
    "urge": "programme.office",
    "send_back": "programme.office",
    "close": "programme.office",
    "approve_extension": "programme.office_head",
    "refuse_extension": "programme.office_head",
    "criticise": "programme.office_head",
    "publish": "programme.office_head",
}
BY_LEAD = {
    "sign": "matters.officer",
    "split_steps": "matters.officer",
    "report_step": "matters.officer",
    "report": None,
    "ask_extension": "matters.officer",
    "agree_extension": "matters.head",
}
BY_HELPER = {"helper_sign", "helper_report"}


def history():
    """All events in the order in which they happen, one per task: (event, task number or None)."""
    listed = [(event, no) for event in load("history.toml")["events"] for no in event.get("tasks", [None])]
    listed += [(event, no) for no, task in tasks().items() for event in task["events"]]
    return sorted(listed, key=lambda pair: pair[0]["at"])


def acting(event):
    """The post under which an event happens."""
    person = next(p for p in load("accounts.toml")["person"] if p["username"] == event["who"])
    if "post" in event:
        return next(post for post in person["post"] if post["key"] == event["post"])
    (post,) = person["post"]
    return post


def working_days(after, until):
    """Working days after `after`, up to and with `until`."""
    return sum(
        chinese_calendar.is_workday(after + timedelta(days=n)) for n in range(1, (until - after).days + 1)
    )


def helpers_of(no):
    return set(articles()[no].get("helpers", [])) | set(tasks()[no].get("added", []))


def test_history_has_the_21_tasks_with_the_plans_leads_and_dates():
    plan = load("plan.toml")
    assert load("history.toml")["plan"] == plan["key"]
    assert load("history.toml")["last_day"] == load("pack.toml")["demo_date"]
    assert list(tasks()) == [no for no, article in articles().items() if article["task"]]
    for no, task in tasks().items():
        article = articles()[no]
        assert task["lead"] == article["lead"]
        allowed = set().union(*(members(key, plan["issued_on"]) for key in article["open_sets"]))
        assert set(task.get("added", [])) <= allowed - set(article.get("helpers", [])) - {task["lead"]}, no
        assert ("due" in task) == ("due_basis" in task)
        by_plan = [deadline["date"] for deadline in article.get("deadlines", [])]
        assert ([task["due"]] if task.get("due_basis") == "plan" else []) == by_plan, no


def test_history_happens_in_office_hours_of_working_days_within_its_days():
    book = load("history.toml")
    periods = [tuple(map(time.fromisoformat, p)) for p in load("calendar.toml")["office_hours"]["periods"]]
    for event, no in history():
        assert isinstance(event["at"], datetime) and event["at"].tzinfo is None
        assert book["first_day"] <= event["at"].date() <= book["last_day"]
        assert chinese_calendar.is_workday(event["at"].date()), (no, event)
        assert any(start <= event["at"].time() <= end for start, end in periods), (no, event)


def test_nobody_in_the_history_does_two_things_to_a_task_at_one_moment():
    moments = [
        (event["at"], event["who"], no, event.get("step"), event.get("indicator")) for event, no in history()
    ]
    assert len(moments) == len(set(moments))


def test_everybody_in_the_history_acts_in_their_own_part():
    for event, no in history():
        post, what = acting(event), event["what"]
        if what in BY_ROLE:
            assert BY_ROLE[what] in post["roles"], event
        elif what in BY_LEAD:
            assert post["unit"] == tasks()[no]["lead"], event
            wanted = BY_LEAD[what] or ("matters.head" if event["kind"] == "completion" else "matters.officer")
            assert wanted in post["roles"], event
        elif what in BY_HELPER:
            assert post["unit"] in helpers_of(no), event
            assert "matters.officer" in post["roles"], event
        elif what == "report_value":
            assert post["unit"] == indicators()[event["indicator"]]["owner"]
            assert indicators()[event["indicator"]]["kind"] == "reported"
            assert event["as_of"] <= event["at"].date()
            assert [
                post for person, post in posts().values() if person["username"] == event["confirmed_by"]
            ] == [
                post
                for _, post in posts().values()
                if post.get("head") and post["unit"] == indicators()[event["indicator"]]["owner"]
            ]
        else:
            assert what == "comment", event
        if what == "criticise":
            (drafter,) = (
                post for person, post in posts().values() if person["username"] == event["drafted_by"]
            )
            assert "programme.office" in drafter["roles"]


class Task:
    """What the rules make of one task's events; raises AssertionError at a step that no rule would allow."""

    def __init__(self, no):
        self.no, self.due = no, tasks()[no].get("due")
        self.state, self.steps, self.done, self.asked = "planned", {}, set(), None
        self.issued = self.closed = None
        self.unsigned, self.reported = helpers_of(no), set()
        for event in [event for event, of in history() if of == no]:
            getattr(self, event["what"])(event, event["at"].date())

    def issue(self, event, day):
        assert self.state == "planned"
        self.state, self.issued = "issued", day

    def sign(self, event, day):
        assert self.state == "issued"
        assert working_days(self.issued, day) <= SIGN_FOR, self.no
        self.state = "signed"

    def split_steps(self, event, day):
        assert self.state == "signed"
        planned = {step["key"]: step for step in tasks()[self.no]["steps"]}
        for key in event["steps"]:
            assert key not in self.steps and day < planned[key]["due"] <= self.due, (self.no, key)
            self.steps[key] = (day, planned[key]["due"])

    def report_step(self, event, day):
        assert self.state == "signed" and event["step"] in self.steps and event["step"] not in self.done
        assert event["text"]
        if event["done"]:
            assert event["evidence"]
            self.done.add(event["step"])

    def report(self, event, day):
        assert self.state == "signed"
        if event["kind"] == "completion":
            assert self.done == set(self.steps) and self.reported == helpers_of(self.no), self.no
            self.state = "reported"

    def send_back(self, event, day):
        assert self.state == "reported" and event["text"]
        self.state = "signed"

    def close(self, event, day):
        assert self.state == "reported"
        self.state, self.closed = "closed", day

    def ask_extension(self, event, day):
        assert self.state == "signed" and self.asked is None and event["reason"]
        assert day <= self.due < event["until"]
        self.asked = {"until": event["until"], "agreed": False}

    def agree_extension(self, event, day):
        assert not self.asked["agreed"]
        self.asked["agreed"] = True

    def approve_extension(self, event, day):
        assert self.asked["agreed"]
        self.due, self.asked = self.asked["until"], None

    def refuse_extension(self, event, day):
        assert self.asked["agreed"] and event["text"]
        self.asked = None

    def helper_sign(self, event, day):
        assert self.state != "planned"
        self.unsigned.remove(acting(event)["unit"])

    def helper_report(self, event, day):
        unit = acting(event)["unit"]
        assert unit not in self.unsigned | self.reported, (self.no, unit)
        self.reported.add(unit)

    def urge(self, event, day):
        assert self.state in ("issued", "signed") and event["text"]

    def criticise(self, event, day):
        late = [due for key, (_, due) in self.steps.items() if key not in self.done]
        assert event["title"] and event["text"]
        assert any(due < day for due in [*late, *([self.due] if self.due else [])]), "没有逾期，不能通报"

    def comment(self, event, day):
        assert self.issued and event["text"]

    def publish(self, event, day):
        assert self.issued and tasks()[self.no]["public_summary"]

    def fate(self, day):
        rule, sign = load("calendar.toml")["near_due"], SIGN_FOR
        if self.state == "closed":
            return "kept" if self.due is None or self.closed <= self.due else "late"
        if self.state == "issued" and working_days(self.issued, day) > sign:
            return "overdue"
        clocks = [span for key, span in self.steps.items() if key not in self.done]
        clocks += [(self.issued, self.due)] if self.due else []
        if any(due < day for _, due in clocks):
            return "overdue"
        for start, due in clocks:
            left = working_days(day, due)
            if left <= rule["working_days"] or left <= rule["share"] * working_days(start, due):
                return "near_due"
        return "under_way" if clocks else "unmeasured"


def test_history_follows_the_rules_and_leaves_each_task_at_its_fate():
    day = load("history.toml")["last_day"]
    fates = {no: Task(no).fate(day) for no in tasks()}
    assert fates == {no: task["fate"] for no, task in tasks().items()}


def test_the_leaders_page_shows_every_kind_of_state():
    fates = [task["fate"] for task in tasks().values()]
    assert {fate: fates.count(fate) for fate in set(fates)} == {
        "kept": 4,
        "under_way": 9,
        "near_due": 3,
        "overdue": 3,
        "unmeasured": 2,
    }


def test_only_overdue_tasks_have_helpers_who_never_signed():
    missing = {no: Task(no).unsigned for no in tasks()}
    assert {no for no, left in missing.items() if left} == {9}
    assert missing[9] == {"jinrongju", "gaoxin_zhifaju"}


def test_extensions_end_in_each_way_and_one_report_is_sent_back():
    happened = [event["what"] for event, _ in history()]
    for what in ("approve_extension", "refuse_extension", "send_back", "criticise"):
        assert happened.count(what) == 1
    assert [no for no in tasks() if Task(no).asked] == [9]


def test_reported_values_of_one_indicator_move_forward_in_time():
    readings = {}
    for event, _ in history():
        if event["what"] == "report_value":
            readings.setdefault(event["indicator"], []).append((event["as_of"], event["value"]))
    assert "services.suqitong_coverage" not in readings
    for values in readings.values():
        days = [day for day, _ in values]
        assert days == sorted(set(days))
    assert readings["services.online_rate_items"][-1] == (date(2022, 10, 15), 81.3)
