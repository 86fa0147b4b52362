"""What the pack's items and bundles say of the law, against the texts of the laws and the tables of limits."""

import json
import re
import tomllib
from functools import cache

import pytest

from liangzhu.kernel.pack import pack

ARTICLE = re.compile(r"第[一二三四五六七八九十百千零]+条")
LAWS = {row["name"]: row for row in tomllib.loads((pack().folder / "laws.toml").read_text())["law"]}

# What stands in the article and nowhere near it: who cites it by a wrong number is caught.
SAYS = {
    ("行政许可法", "第四十二条"): "二十日内作出行政许可决定",
    ("医疗机构管理条例", "第十五条"): "医疗机构执业许可证",
    ("医疗机构管理条例", "第十六条"): "申请医疗机构执业登记",
    ("医疗机构管理条例", "第十九条"): "45日内",
    ("公共场所卫生管理条例", "第二条"): "游泳场",
    ("公共场所卫生管理条例", "第四条"): "卫生许可证",
    ("公共场所卫生管理条例", "第八条"): "除公园、体育场",
    ("体育法", "第九十条"): "场所责任保险",
    ("体育法", "第一百零五条"): "三十日内进行实地核查",
    ("全民健身条例", "第三十二条"): "30日内进行实地核查",
    ("消防法", "第十五条"): "十个工作日",
    ("市场主体登记管理条例", "第三条"): "设立登记",
    ("市场主体登记管理条例", "第十九条"): "3个工作日",
    ("市场主体登记管理条例", "第二十四条"): "变更登记",
    ("市场主体登记管理条例", "第三十一条"): "注销登记",
    ("市场主体登记管理条例", "第三十二条"): "清算",
    ("市场主体登记管理条例", "第三十三条"): "简易程序",
    ("城市市容和环境卫生管理条例", "第十一条"): "户外广告",
    ("居住证暂行条例", "第二条"): "居住半年以上",
    ("居住证暂行条例", "第九条"): "15日内制作发放",
    ("居住证暂行条例", "第十条"): "签注",
    ("退役军人保障法", "第十四条"): "报到",
    ("退役军人保障法", "第十五条"): "优待证",
    ("退役军人保障法", "第十七条"): "户口登记",
    ("退役军人保障法", "第十八条"): "养老、医疗等社会保险关系",
    ("退役军人保障法", "第三十六条"): "技能培训",
    ("退役军人保障法", "第五十条"): "合并计算",
    ("退役军人安置条例", "第二十三条"): "一次性经济补助",
    ("退役军人安置条例", "第五十一条"): "30日内",
    ("退役军人安置条例", "第五十三条"): "户口登记",
    ("退役军人安置条例", "第六十二条"): "适应性培训",
    ("退役军人安置条例", "第六十四条"): "技能培训",
    ("退役军人安置条例", "第八十一条"): "转移接续",
    ("退役军人安置条例", "第八十三条"): "医疗保险",
}

LIMITS = {
    "qiye_sheli": ("企业设立登记", "3 工作日"),
    "yiliao_zhiye": ("医疗机构执业登记", "45 日"),
    "fangshe_zhenliao": ("放射诊疗许可", "20 工作日"),
    "yishi_zhiye": ("医师/护士", "20 工作日"),
    "paishui_xuke": ("城镇污水排入", "20 工作日"),
}
"""The legal limit of items, and how the row of the table of limits begins that gives it."""


def items() -> list[dict]:
    return [
        row
        for path in sorted((pack().folder / "items").glob("*.toml"))
        for row in tomllib.loads(path.read_text())["item"]
    ]


def cited() -> set[tuple[str, str]]:
    """Every (law, article) that an item or a row of a bundle's table rests on."""
    texts = [row.get("basis", "") for row in items()]
    for path in (pack().folder / "rules").glob("*.json"):
        texts += [row.get("basis", "") for row in json.loads(path.read_text())["rows"]]
    found = set()
    for text in "；".join(texts).split("；"):
        law = re.split(r"（|第[一二三四五六七八九十百千零]+条", text)[0]
        found |= {(law, article) for article in ARTICLE.findall(text)}
    return found


@cache
def articles(folder, law: str) -> dict[str, str] | None:
    path = next(folder.glob(f"laws/{law}[(_]*.md"), None)
    if path is None:
        return None
    parts = re.split(r"(?m)^[ 　#*]*(第[一二三四五六七八九十百千零]+条)", path.read_text())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_ground_whose_text_is_at_hand_says_what_it_is_cited_for(shared):
    checked, wrong = 0, []
    for law, article in sorted(cited()):
        text = articles(shared, law)
        if text is None or law not in LAWS:
            continue
        checked += 1
        word = SAYS.get((law, article))
        if word is None or word not in re.sub(r"\s", "", text.get(article, "")):
            wrong.append((law, article, word))
    assert wrong == []
    assert checked >= 30


def test_a_law_that_counts_as_compared_is_cited_and_its_text_is_of_that_day(shared):
    unused = LAWS.keys() - {law for law, _ in cited()}
    assert not unused
    for name, row in LAWS.items():
        if articles(shared, name) is not None:
            assert (shared / "laws" / f"{name}({row['text']}).md").is_file()


def test_limits_are_those_of_the_table(shared):
    rows = [
        line.strip("|").split("|")
        for line in (shared / "domain.md").read_text().splitlines()
        if line.startswith("|")
    ]
    legal = {one["key"]: one.get("legal", "") for one in items()}
    for key, (begins, limit) in LIMITS.items():
        row = next(cells for cells in rows if cells[0].strip(" *").startswith(begins))
        number = limit.split()[0]
        assert re.search(rf"\b{number} ?(日|wd)", row[2]), (key, row)
        assert legal[key] == limit


@pytest.mark.parametrize(
    ("key", "said"),
    [("zhensuo_beian", "第十五条"), ("shebao_dengji", "社会保险法第五十七条"), ("gaowei_tiyu", "")],
)
def test_a_ground_that_nobody_compared_is_shown_as_to_be_confirmed(key, said):
    from liangzhu.pillars.services import catalogue

    entry = next(one for one in catalogue.read(pack()) if one.key == key)
    unread = entry.body["unconfirmed"].partition("未对照原文")[2]
    assert said in unread if said else not unread
