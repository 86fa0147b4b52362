"""The two real plans: every article, unit, deadline and target of them, in every file format."""

import html
import io
import json
import re

import docx
import pytest
import weasyprint

from liangzhu.pillars.programme.reading import NotAPlan, read_bytes, read_file, read_text, to_json

CHAPTERS = {
    "一、总体要求": range(1, 4),
    "二、系统搭建集约的数字政府主架构": range(4, 9),
    "三、构建协同高效的政府数字化履职能力体系": range(9, 15),
    "四、加快推动数据资源的汇聚共享": range(15, 18),
    "五、加快筑牢安全可靠的防护体系": range(18, 20),
    "六、加快健全科学规范的管理体制": range(20, 25),
}
TITLES = [
    "指导思想",
    "基本原则",
    "工作目标",
    "加快建设苏服办总门户",
    "推进苏服码应用",
    "依托市政务云平台加强云资源使用管理",
    "打造快捷通达电子政务外网",
    "加强标准建设",
    "积极推进一网统管",
    "切实提升全领域数字治理能力",
    "全面推进政务服务一网通办",
    "加快推进数字机关建设",
    "提高12345政务服务热线质效",
    "加快提升全区疫情防控信息化水平",
    "大力消除信息孤岛数据壁垒",
    "大力开展数据汇聚治理攻坚行动",
    "大力推进公共数据开发利用",
    "严格执行安全管理制度",
    "全面加强安全技术防护",
    "强化组织领导",
    "健全协调机制",
    "统筹建设管理",
    "明确各方责任",
    "加强队伍建设",
]
ALL = "区各有关部门和单位 各镇街"
# no: lead, helpers, open sets
UNITS = {
    4: ("区行政审批局", "", ALL),
    5: ("区行政审批局", "区人社局 区退役军人事务局 区文体旅游局 区卫健委 区市场监督管理局", ALL),
    6: ("区行政审批局", "", "有非涉密政务信息系统的区级部门"),
    7: ("区行政审批局", "", ALL),
    8: ("区市场监督管理局", "区行政审批局", ALL),
    9: (
        "区委政法委",
        "区发改局 区教育局 区司法局 市自然资源和规划局海州分局 区住建局 区交通运输局 区农业农村局 区应急管理局 区行政审批局 "
        "区市场监督管理局 区地方金融监管局 高新区科经局 高新区财政局 高新区规划建设局 高新区行政审批局 高新区安全生产监督局 "
        "高新区综合执法局 市自然资源和规划局高新分局",
        f"{ALL} 高新区各有关部门和单位",
    ),
    10: (
        "区委政法委",
        "区委网信办 区发改局 区工信局 海州公安分局 市自然资源和规划局海州分局 区住建局 区农业农村局 区应急管理局 区行政审批局 "
        "区市场监督管理局 高新区科经局 高新区规划建设局 高新区行政审批局 高新区安全生产监督局 市自然资源和规划局高新分局 高新公安分局",
        f"{ALL} 高新区各园区办 高新区各有关部门和单位",
    ),
    11: ("区行政审批局", "区发改局 海州公安分局 区民政局 区人社局 区卫健委", ALL),
    12: ("区政府办公室", "区行政审批局 高新区综合办", ALL),
    13: ("区智慧城市管理中心", "区司法局 区人社局 区交通运输局 区文体旅游局", ALL),
    14: ("海州公安分局", "区行政审批局 区卫健委", "区疫情应急处置指挥部各工作组(专班) 各镇街"),
    15: ("", "", ALL),
    16: ("区行政审批局", "", ALL),
    17: (
        "区行政审批局",
        "区发改局 海州公安分局 区民政局 区人社局 区住建局 区交通运输局 区商务局 区文体旅游局 区卫健委 区市场监督管理局",
        ALL,
    ),
    18: ("区委网信办", "区国家密码管理局 海州公安分局 区行政审批局", ALL),
    19: ("区委网信办", "区国家密码管理局 区工信局 海州公安分局 区行政审批局", ALL),
    20: (
        "区行政审批局",
        "区委网信办 区发改局 区财政局 区审计局 高新区综合办 高新区科经局 高新区财政局 高新区行政审批局",
        f"{ALL} 高新区各园区办 高新区各有关部门和单位",
    ),
    21: ("区行政审批局", "区工信局 区财政局", ALL),
    22: ("区委网信办", "区发改局 区工信局 区财政局 区行政审批局", "区各有关部门和单位"),
    23: (
        "区委网信办",
        "区国家密码管理局 区发改局 区工信局 区财政局 区审计局 区行政审批局",
        "区各有关部门和单位",
    ),
    24: ("区委组织部", "区委党校 区人社局 区行政审批局", ALL),
}
REPAIRED = [
    "国发〔2022〕14号",
    "苏政发〔2022〕44号",
    "连政发〔2022〕80号",
    "连政办发〔2022〕36号",
    "海政办发〔2021〕31号",
]


@pytest.fixture(scope="module")
def district(shared):
    return (shared / "plan" / "haizhou-2022-114.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def council(shared):
    return (shared / "plan" / "state-council-2020-24.txt").read_text(encoding="utf-8")


# -- the district's plan -----------------------------------------------------------------------------------------------


def test_the_head_of_the_districts_plan_is_repaired_and_confirmed(district):
    reading = read_text(district)
    assert reading.number.value == "海政发〔2022〕114号"
    assert reading.number.sure
    assert reading.title.value == "区政府关于印发加快统筹推进数字政府高质量建设实施方案的通知"
    assert reading.issuer.value == "海州区人民政府"
    assert reading.date.value.isoformat() == "2022-08-26"
    assert reading.date.text == "2022826"
    assert reading.date.sure
    assert "发布日期" in reading.date.why


def test_cited_documents_are_repaired_but_doubtful_where_nothing_confirms_them(district):
    reading = read_text(district)
    assert [cite.value for cite in reading.cites if not cite.sure] == REPAIRED
    assert [cite.value for cite in reading.cites if cite.sure] == ["江苏省人民政府令第148号"]
    places = {doubt.text: doubt.article for doubt in reading.doubts if "号" in doubt.text}
    assert places["国发〔202214号"] is None
    assert places["连政办发〔202236号"] == 15
    assert places["海政办发〔202131号"] == 22


def test_the_districts_plan_has_24_articles_in_six_chapters(district):
    reading = read_text(district)
    assert [article.no for article in reading.articles] == list(range(1, 25))
    assert [article.title.value for article in reading.articles] == TITLES
    assert {article.no: article.chapter for article in reading.articles} == {
        no: chapter for chapter, numbers in CHAPTERS.items() for no in numbers
    }
    assert [chapter.value for chapter in reading.chapters] == list(CHAPTERS)


def test_headings_that_lost_their_full_stop_are_doubtful(district):
    reading = read_text(district)
    assert [article.no for article in reading.articles if not article.title.sure] == [9, 11]


def test_the_districts_21_tasks_name_exactly_these_units(district):
    found = {
        article["no"]: (article["lead"], " ".join(article["helpers"]), " ".join(article["open_sets"]))
        for article in to_json(read_text(district))["articles"]
        if article["lead"] or article["helpers"] or article["open_sets"]
    }
    assert found == UNITS


def test_a_task_for_everybody_has_no_lead_and_says_so(district):
    reading = read_text(district)
    (doubt,) = [doubt for doubt in reading.doubts if "牵头单位空缺" in doubt.why]
    assert doubt.article == 15
    assert doubt.text == "区各有关部门和单位,各镇街"


def test_the_districts_deadlines_and_targets_are_these_and_no_others(district):
    articles = to_json(read_text(district))["articles"]
    assert {article["no"]: article["deadlines"] for article in articles if article["deadlines"]} == {
        11: [{"text": "年内", "date": "2022-12-31"}],
        13: [{"text": "10月底前", "date": "2022-10-31"}],
    }
    assert {article["no"]: article["targets"] for article in articles if article["targets"]} == {
        11: [
            {"text": "一网通办率达到85%", "name": "一网通办率", "op": ">=", "value": 85, "unit": "%"},
            {"text": "覆盖应用率100%", "name": "覆盖应用率", "op": ">=", "value": 100, "unit": "%"},
        ]
    }


def test_a_bare_rate_is_named_as_written_and_the_fuller_guess_is_a_doubt(district):
    (doubt,) = [doubt for doubt in read_text(district).doubts if doubt.text == "覆盖应用率100%"]
    assert doubt.article == 11
    assert "苏企通覆盖应用率" in doubt.why


def test_an_articles_text_is_its_wording_without_number_and_bracket(district):
    articles = read_text(district).articles
    assert articles[15].text == (
        "大力开展数据汇聚治理攻坚行动。加强数据源头治理,适时修订完善政务信息资源目录,提升数据汇聚时效性。"
        "开展数据汇聚攻坚行动,全面摸清数据底数,编制数据资源目录。"
    )
    assert articles[1].text.startswith("基本原则\n——坚持党的全面领导。")
    assert articles[23].text.endswith("人才流动的具体措施。")  # neither the remark after it nor the annex


def test_every_finding_stands_where_it_says(district):
    reading = read_text(district)
    findings = [
        reading.number,
        reading.title,
        reading.issuer,
        reading.date,
        *reading.cites,
        *reading.chapters,
    ]
    for article in reading.articles:
        assert reading.text[article.start : article.end].startswith(article.label)
        findings += [
            article.title,
            *article.helpers,
            *article.open_sets,
            *article.deadlines,
            *article.targets,
        ]
        findings += [article.lead] if article.lead else []
    for found in findings:
        assert reading.text[found.start : found.end] == found.text
    for doubt in reading.doubts:
        assert reading.text[doubt.start : doubt.end] == doubt.text


def test_a_broken_date_without_another_date_beside_it_is_not_filled_in(district):
    alone = district.replace("发布日期:2022-08-26 09:18", "").replace("2022年 8月26日印发", "印发")
    reading = read_text(alone)
    assert to_json(reading)["date"] == ""
    assert not reading.date.sure
    assert "2022-08-26" in reading.date.why
    assert reading.articles[12].deadlines[0].value.isoformat() == "2022-10-31"  # the year is still there
    assert not reading.articles[12].deadlines[0].sure


def test_a_broken_number_without_the_whole_one_beside_it_is_doubtful(district):
    reading = read_text(district.replace("文 号 海政发〔2022〕114号", "文 号"))
    assert reading.number.value == "海政发〔2022〕114号"
    assert not reading.number.sure


# -- the same plan in every format ---------------------------------------------------------------------------------------


def _paragraphs(text, element):
    return "".join(f"<{element}>{html.escape(line)}</{element}>" for line in text.split("\n") if line.strip())


def _word(text):
    document = docx.Document()
    for line in text.split("\n"):
        document.add_paragraph(line)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _page(text, encoding):
    return (
        f'<!DOCTYPE html><html><head><meta charset="{encoding}"><title>一、导航</title><script>var a = "1. 甲";</script></head>'
        f"<body><nav><ul><li>1. 首页</li><li>2. 公开</li></ul></nav><div>{_paragraphs(text, 'p')}</div></body></html>"
    ).encode(encoding)


def _pdf(text):
    style = (
        '@page { size: A4; margin: 37mm 26mm 35mm 28mm; @bottom-center { content: "— " counter(page) " —" } }'
        'body { font: 16pt/28pt "Noto Serif CJK SC" } p { text-indent: 2em; margin: 0; text-align: justify }'
    )
    return weasyprint.HTML(string=f"<html lang=zh><style>{style}</style>{_paragraphs(text, 'p')}").write_pdf()


FORMATS = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with mark": lambda text: text.encode("utf-8-sig"),
    "gb18030": lambda text: text.encode("gb18030"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 without mark": lambda text: text.encode("utf-16-le"),
    "windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "docx": _word,
    "html": lambda text: _page(text, "utf-8"),
    "html in gbk": lambda text: _page(text, "gbk"),
    "pdf": _pdf,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("plan", ["district", "council"])
def test_every_format_gives_the_same_facts(plan, form, request):
    text = request.getfixturevalue(plan)
    assert to_json(read_bytes(FORMATS[form](text))) == to_json(read_text(text))


@pytest.mark.parametrize("gap", ["", " ", "  "])
def test_a_plan_whose_line_breaks_were_lost_keeps_its_articles(district, gap):
    whole, reading = read_text(district), read_text(district.replace("\n", gap))
    found = {
        a.no: (a.chapter, a.title.value, a.lead and a.lead.value, len(a.helpers)) for a in reading.articles
    }
    assert found == {
        a.no: (a.chapter, a.title.value, a.lead and a.lead.value, len(a.helpers)) for a in whole.articles
    }
    assert reading.number.value == whole.number.value


@pytest.mark.parametrize("marker", ["{}、", "{}．", "（{}）", "第{}条 "])
def test_other_ways_of_numbering_give_the_same_articles(district, marker):
    def numeral(match):
        number = int(match[1])
        tens, ones = divmod(number, 10)
        han = ("" if tens == 0 else "十" if tens == 1 else "二十") + "零一二三四五六七八九"[ones].replace(
            "零", ""
        )
        return marker.format(han if marker in ("（{}）", "第{}条 ") else number)

    other = re.sub(r"(?m)^(\d+)\. ?", numeral, district)
    assert other != district
    facts, expected = to_json(read_text(other))["articles"], to_json(read_text(district))["articles"]
    assert facts == expected


def test_full_width_punctuation_gives_the_same_units(district):
    wide = district.translate(str.maketrans(",():;", "，（）：；"))
    found = {a["no"]: a["lead"] for a in to_json(read_text(wide))["articles"]}
    assert found == {no: (UNITS[no][0] if no in UNITS else "") for no in range(1, 25)}


def test_the_facts_are_json_of_the_fixed_shape(district):
    facts = json.loads(json.dumps(to_json(read_text(district)), ensure_ascii=False))
    assert list(facts) == ["number", "title", "issuer", "date", "cites", "articles", "doubts"]
    assert list(facts["articles"][0]) == [
        "no", "chapter", "title", "text", "lead", "helpers", "open_sets", "deadlines", "targets",
    ]  # fmt: skip
    assert all(list(doubt) == ["article", "text", "why"] for doubt in facts["doubts"])


# -- the plan of another government: one line, other brackets --------------------------------------------------------------


def test_all_20_articles_of_a_plan_without_line_breaks_are_found(council):
    reading = read_text(council)
    assert [article.no for article in reading.articles] == list(range(1, 21))
    assert [article.label for article in reading.articles][10:13] == ["（十一）", "（十二）", "（十三）"]
    assert len(reading.chapters) == 6
    assert reading.articles[0].chapter == "一、持续提升投资建设便利度"
    assert reading.articles[19].title.value == "抓好惠企政策兑现"
    assert all(article.title.sure for article in reading.articles)


def test_who_leads_and_who_helps_is_read_from_the_words(council):
    found = {
        article["no"]: (article["lead"], article["helpers"], article["open_sets"])
        for article in to_json(read_text(council))["articles"]
    }
    assert found[1] == ("国家发展改革委", [], ["国务院相关部门", "各地区"])
    assert found[3] == ("自然资源部", ["住房城乡建设部"], ["国务院相关部门", "各地区"])
    assert found[5] == (
        "工业和信息化部",
        ["公安部", "财政部", "交通运输部", "商务部", "税务总局", "市场监管总局", "银保监会"],
        ["国务院相关部门"],
    )
    assert found[6][2] == ["相关部门", "各地区"]
    assert found[8][:1] == ("海关总署",)
    assert found[13] == (
        "国家发展改革委",
        [
            "中央网信办",
            "工业和信息化部",
            "公安部",
            "民政部",
            "住房城乡建设部",
            "交通运输部",
            "国家卫生健康委",
        ],
        ["相关部门", "各地区"],
    )
    assert found[16] == ("国家知识产权局", [], [])
    assert found[18] == ("国务院办公厅", [], ["各地区", "各部门"])
    assert found[19] == ("国务院办公厅", [], ["国务院相关部门和单位", "各地区"])
    assert found[20] == ("", [], ["各地区", "各部门"])


def test_the_first_of_a_list_by_shared_duty_leads_only_doubtfully(council):
    reading = read_text(council)
    doubtful = [article.no for article in reading.articles if article.lead and not article.lead.sure]
    assert doubtful == [4, 5, 6, 9, 10, 11, 12, 14]


def test_deadlines_and_targets_of_the_other_plan(council):
    facts = to_json(read_text(council))
    dates = {
        article["no"]: [one["date"] for one in article["deadlines"]]
        for article in facts["articles"]
        if article["deadlines"]
    }
    assert dates == {
        2: ["2020-12-31"], 5: ["2020-12-31", "2020-12-31"], 11: ["2021-06-30"], 15: ["2020-12-31"], 16: ["2020-12-31"],
    }  # fmt: skip
    (target,) = [target for article in facts["articles"] for target in article["targets"]]
    assert target == {
        "text": "商标注册平均审查周期压缩至4个月以内", "name": "商标注册平均审查周期", "op": "<=", "value": 4, "unit": "个月",
    }  # fmt: skip
    assert (facts["issuer"], facts["date"], facts["number"], facts["title"]) == (
        "国务院办公厅",
        "2020-07-15",
        "",
        "",
    )


# -- what is no plan -------------------------------------------------------------------------------------------------------


def test_laws_are_refused_with_reasons(shared):
    laws = sorted((shared / "laws").glob("*.md"))
    assert len(laws) > 40
    for law in laws:
        with pytest.raises(NotAPlan) as refusal:
            read_file(law)
        assert "没有写责任单位（牵头、配合、负责的单位）" in refusal.value.reasons


@pytest.mark.parametrize(
    "name", ["laws/laws_index.csv", "data/hotline/replies_2816.csv", "data/policy_qa/ncp_policies_train.csv"]
)
def test_data_tables_are_refused_as_such(shared, name):
    with pytest.raises(NotAPlan, match="数据表"):
        read_file(shared / name)


def test_notices_to_the_public_are_refused(shared):
    documents = json.loads(
        (shared / "data/policy_kb_tianhe/documents_fulltext.json").read_text(encoding="utf-8")
    )
    accepted = []
    for document in documents:
        try:
            reading = read_text(document["original_text"])
        except NotAPlan:
            continue
        accepted.append(reading.title.value)
    assert all("方案" in title for title in accepted)
    assert len(accepted) <= 2
