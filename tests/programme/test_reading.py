"""Plans of other governments and layouts, written for these tests: what is read, what stays doubtful, what is refused."""

import datetime

import pytest

from liangzhu.pillars.programme.reading import NotAPlan, UndecodableText, read_text, to_json


def facts(text):
    return to_json(read_text(text))


def units(text):
    """no → (lead, helpers, open sets)."""
    return {a["no"]: (a["lead"], a["helpers"], a["open_sets"]) for a in facts(text)["articles"]}


def plan(*items, date="2023年3月10日"):
    """A small plan whose articles are the given wordings."""
    body = "".join(f"{no}. {item}\n" for no, item in enumerate(items, 1))
    return f"青浦县政府办公室关于印发试点方案的通知\n青政办发〔2023〕7号\n青浦县政府办公室\n{date}\n一、重点任务\n{body}"


def of_article(wording, date="2023年3月10日"):
    """The one article with this wording, beside another one."""
    return to_json(read_text(plan(wording + "(责任单位:县发改局)", "收尾。(责任单位:县财政局)", date=date)))[
        "articles"
    ][0]


def deadlines(wording, date="2023年3月10日"):
    return [(one["text"], one["date"]) for one in of_article(wording, date)["deadlines"]]


def targets(wording):
    return [(t["name"], t["op"], t["value"], t["unit"]) for t in of_article(wording)["targets"]]


# -- whole plans -------------------------------------------------------------------------------------------------------

THREE_LEVELS = """临江县人民政府办公室关于印发
临江县２０２３年优化营商环境
行动方案的通知
临政办发〔2023〕15号
各乡镇人民政府，县各委办局，县各直属单位：
《临江县2023年优化营商环境行动方案》已经县政府同意，现印发给你们。
临江县人民政府办公室
2023年3月10日
（此件公开发布）
临江县2023年优化营商环境行动方案
为贯彻《省政府办公厅关于进一步优化营商环境的意见》（苏政办发〔2022〕9号）精神，制定本方案。
一、深化改革
（一）提升审批效率
１．压缩办理时限。6月底前，将企业开办时间压缩至0.5个工作日以内。（牵头单位：县行政审批局；配合单位：县税务局、县公安局，责任领导：张三；完成时限：2023年6月底前）
２．推行告知承诺。年底前，告知承诺事项不少于６０项，占比达到三成以上。（县行政审批局牵头，县司法局、县市场监管局配合）
（二）加强监管
３．推进“双随机、一公开”监管。到2025年，抽查比例不低于百分之五，部门联合抽查占比提高到二成半。（由县市场监管局负责，各相关部门按职责分工落实）
二、保障措施
（一）加强组织领导。各乡镇要高度重视。（责任单位：县政府办公室，各乡镇）
（二）强化督查考核。将落实情况纳入年度考核，每季度末前通报一次。（责任单位：县委督查办、县政府督查室）
"""


def test_three_levels_with_lead_and_helper_labels_and_full_width_digits():
    found = facts(THREE_LEVELS)
    assert found["number"] == "临政办发〔2023〕15号"
    assert found["title"] == "临江县人民政府办公室关于印发临江县２０２３年优化营商环境行动方案的通知"
    assert (found["issuer"], found["date"]) == ("临江县人民政府办公室", "2023-03-10")
    assert found["cites"] == ["苏政办发〔2022〕9号"]
    assert [(a["no"], a["chapter"], a["title"]) for a in found["articles"]] == [
        (1, "一、深化改革", "压缩办理时限"),
        (2, "一、深化改革", "推行告知承诺"),
        (3, "一、深化改革", "推进“双随机、一公开”监管"),
        (4, "二、保障措施", "加强组织领导"),
        (5, "二、保障措施", "强化督查考核"),
    ]
    assert units(THREE_LEVELS) == {
        1: ("县行政审批局", ["县税务局", "县公安局"], []),
        2: ("县行政审批局", ["县司法局", "县市场监管局"], []),
        3: ("县市场监管局", [], ["各相关部门"]),
        4: ("县政府办公室", [], ["各乡镇"]),
        5: ("县委督查办", ["县政府督查室"], []),
    }
    assert [a["deadlines"] for a in found["articles"]] == [
        [{"text": "6月底前", "date": "2023-06-30"}, {"text": "2023年6月底前", "date": "2023-06-30"}],
        [{"text": "年底前", "date": "2023-12-31"}],
        [{"text": "到2025年", "date": "2025-12-31"}],
        [],
        [{"text": "每季度末前", "date": ""}],
    ]
    assert [
        [(t["name"], t["op"], t["value"], t["unit"]) for t in a["targets"]] for a in found["articles"][:3]
    ] == [
        [("企业开办时间", "<=", 0.5, "个工作日")],
        [("告知承诺事项", ">=", 60, "项"), ("占比", ">=", 30, "%")],
        [("抽查比例", ">=", 5, "%"), ("部门联合抽查占比", ">=", 25, "%")],
    ]


def test_sections_are_kept_and_mixed_numbering_is_counted_through_and_said():
    reading = read_text(THREE_LEVELS)
    assert [article.section for article in reading.articles[:3]] == [
        "（一）提升审批效率",
        "（一）提升审批效率",
        "（二）加强监管",
    ]
    assert [article.label for article in reading.articles] == ["１．", "２．", "３．", "（一）", "（二）"]
    assert any("按出现次序" in doubt.why for doubt in reading.doubts)


LINES = """2024年东湖区民生实事任务分工
第一章 社会保障
第一条 新建居家养老服务站12个，改造老旧小区8万平方米以上。由区民政局负责，2024年11月30日前完成。
（责任单位：区民政局）
第二条 城镇新增就业1.2万人以上，登记失业率控制在4%以内。（责任单位：区人社局会同区财政局）
第二章 教育卫生
第三条 新增公办幼儿园学位900个，9月1日前投入使用。责任单位：区教育局、区住建局
第四条 家庭医生签约服务满意度达到九成，重点人群签约率超过75%。责任单位：区卫健委；各镇（街道）
"""


def test_a_plan_of_numbered_clauses_without_number_issuer_and_date():
    found = facts(LINES)
    assert (found["number"], found["issuer"], found["date"]) == ("", "", "")
    assert found["title"] == "2024年东湖区民生实事任务分工"
    assert [(a["no"], a["chapter"]) for a in found["articles"]] == [
        (1, "第一章 社会保障"), (2, "第一章 社会保障"), (3, "第二章 教育卫生"), (4, "第二章 教育卫生"),
    ]  # fmt: skip
    assert units(LINES) == {
        1: ("区民政局", [], []),
        2: ("区人社局", ["区财政局"], []),
        3: ("区教育局", ["区住建局"], []),
        4: ("区卫健委", [], ["各镇（街道）"]),
    }
    assert [[one["date"] for one in a["deadlines"]] for a in found["articles"]] == [
        ["2024-11-30"],
        [],
        ["2024-09-01"],
        [],
    ]
    assert [t for a in found["articles"] for t in (x["value"] for x in a["targets"])] == [
        12,
        8,
        1.2,
        4,
        900,
        90,
        75,
    ]
    why = [doubt["why"] for doubt in found["doubts"] if doubt["article"] is None]
    assert "没有找到发文字号" in why
    assert "没有找到成文日期" in why
    (deadline,) = read_text(LINES).articles[2].deadlines
    assert not deadline.sure  # its year is only known from the title


SUB_ITEMS = """关于加快推进政务公开标准化的实施意见
1、规范公开目录
牵头单位：区政府办公室
责任单位：区各部门，各镇街
2、加强解读回应（区委宣传部、区政府办公室）
3、强化平台建设。(1)优化网站栏目。(区政府办公室牵头负责)(2)用好政务新媒体，全年发布不少于200条。(区融媒体中心负责)(3)规范公报。(区档案馆、区政府办公室)
4、加强监督。长期坚持。（责任单位 区纪委监委、区审计局
5、总结评估。下半年完成。责任单位：区政府办公室）
"""


def test_numbered_sub_items_with_brackets_of_their_own_are_the_units_of_work():
    found = facts(SUB_ITEMS)
    assert [(a["no"], a["chapter"], a["title"]) for a in found["articles"]] == [
        (1, "", "规范公开目录"),
        (2, "", "加强解读回应"),
        (3, "3、强化平台建设", "优化网站栏目"),
        (4, "3、强化平台建设", "用好政务新媒体，全年发布不少于200条"),
        (5, "3、强化平台建设", "规范公报"),
        (6, "", "加强监督"),
        (7, "", "总结评估"),
    ]
    assert units(SUB_ITEMS) == {
        1: ("区政府办公室", [], ["区各部门", "各镇街"]),
        2: ("区委宣传部", ["区政府办公室"], []),
        3: ("区政府办公室", [], []),
        4: ("区融媒体中心", [], []),
        5: ("区档案馆", ["区政府办公室"], []),
        6: ("区纪委监委", ["区审计局"], []),
        7: ("区政府办公室", [], []),
    }


def test_lost_brackets_are_tolerated_and_told():
    doubts = {doubt.article: doubt.why for doubt in read_text(SUB_ITEMS).doubts if "括号" in doubt.why}
    assert doubts == {6: "缺右括号，按到此为止理解，请核对", 7: "缺左括号，请核对"}


WEB_PAGE = """当前位置：首页 > 信息公开
1. 机构设置
2. 政策文件
3. 工作动态
清源市人民政府文件
清政〔2021〕3号
清源市人民政府
关于印发清源市“十四五”智慧城市建设三年行动计划（2021—2023年）的通知
各县（市、区）人民政府，市政府各部门、各直属机构：
现将《清源市“十四五”智慧城市建设三年行动计划（2021—2023年）》印发给你们，请认真组织实施。
                                清源市人民政府
                                二〇二一年二月八日
清源市“十四五”智慧城市建设三年行动计划
（2021—2023年）
2020年底，全市5G基站已达到3000个。为进一步加快建设，制定本计划。
一、总体目标
到2023年底，基本建成智慧城市。
二、重点任务
（一）夯实数字底座
1.建设5G网络。2021年底前，新建5G基站1500个以上；到2022年，累计建成5000个以上；到“十四五”末，每万人拥有5G基站数超过20个。〔责任单位：市工信局（牵头）、市通管办、中国铁塔清源市分公司、各县（市、区）人民政府〕
2.升级政务外网。2021年3月底前完成方案设计，9月底前完成骨干网改造，12月底前市县乡三级接入率达100%。〔牵头单位：市大数据局，责任单位：市委机要局，各县（市、区）政府。市直有关单位按需接入〕
（二）推进数据共享
3.完善共享机制。建立“一数一源”机制，自本计划印发之日起30日内公布共享清单，常态化开展数据质量检查，数据更新时间缩短50%以上。（市大数据局会同市司法局牵头，市直各部门配合）
4.开展数据治理。截至2020年底已归集数据2亿条的基础上，第三季度末前新增归集数据1.5亿条，差错率低于0.5%。（市大数据局、市统计局牵头；市公安局、市人社局等20个部门参与；各县（市、区）人民政府按职责分工负责）
三、保障措施
（一）加强领导。成立领导小组。
（二）加强宣传。
附件：智慧城市建设重点项目表
附件
智慧城市建设重点项目表
序号\t项目名称\t责任单位
1\t城市大脑\t市大数据局
"""


def test_a_web_page_with_navigation_masthead_and_chinese_date():
    found = facts(WEB_PAGE)
    assert (found["number"], found["issuer"], found["date"]) == (
        "清政〔2021〕3号",
        "清源市人民政府",
        "2021-02-08",
    )
    assert (
        found["title"] == "清源市人民政府关于印发清源市“十四五”智慧城市建设三年行动计划（2021—2023年）的通知"
    )
    assert [(a["no"], a["title"]) for a in found["articles"]] == [
        (1, "建设5G网络"), (2, "升级政务外网"), (3, "完善共享机制"), (4, "开展数据治理"),
    ]  # fmt: skip
    assert units(WEB_PAGE) == {
        1: ("市工信局", ["市通管办", "中国铁塔清源市分公司"], ["各县（市、区）人民政府"]),
        2: ("市大数据局", ["市委机要局"], ["各县（市、区）政府"]),
        3: ("市大数据局", ["市司法局"], ["市直各部门"]),
        4: ("市大数据局", ["市统计局", "市公安局", "市人社局"], ["20个部门", "各县（市、区）人民政府"]),
    }
    assert [[(d["text"], d["date"]) for d in a["deadlines"]] for a in found["articles"]] == [
        [("2021年底前", "2021-12-31"), ("到2022年", "2022-12-31"), ("“十四五”末", "2025-12-31")],
        [("2021年3月底前", "2021-03-31"), ("9月底前", "2021-09-30"), ("12月底前", "2021-12-31")],
        [("自本计划印发之日起30日内", "2021-03-10"), ("常态化开展", "")],
        [("第三季度末前", "2021-09-30")],
    ]
    assert [
        [(t["name"], t["op"], t["value"], t["unit"]) for t in a["targets"]] for a in found["articles"]
    ] == [
        [
            ("新建5G基站", ">=", 1500, "个"),
            ("累计建成", ">=", 5000, "个"),
            ("每万人拥有5G基站数", ">", 20, "个"),
        ],
        [("市县乡三级接入率", ">=", 100, "%")],
        [("数据更新时间缩短", ">=", 50, "%")],
        [("新增归集数据", ">=", 1.5, "亿条"), ("差错率", "<", 0.5, "%")],
    ]


def test_a_remark_inside_the_bracket_is_no_unit_but_is_told():
    (doubt,) = [doubt for doubt in read_text(WEB_PAGE).doubts if "另有说明" in doubt.why]
    assert (doubt.article, doubt.text) == (2, "市直有关单位按需接入")


BEHIND_THE_LAST = """突发事件应急体系建设任务分解方案
（一）“一案三制”建设
1.完善应急预案体系
（1）加强预案管理。
（2）推进预案精编。
（3）加强演练，每年组织不少于2次。
（责任单位：市直各有关单位、各县(市、区)人民政府、各开发区管委会）
2.健全体制机制
（1）健全机构。
（2）完善联席会议制度，2018年6月底前出台。
（责任单位：市政府应急办、市编办）
（二）能力建设
1.建设指挥平台
（1）整合系统。
（2）接入视频10000路以上。
（责任单位：市公安局、市应急办）
"""


def test_a_bracket_behind_several_sub_items_belongs_to_the_item_above_them():
    found = facts(BEHIND_THE_LAST)
    assert [(a["no"], a["chapter"], a["title"]) for a in found["articles"]] == [
        (1, "（一）“一案三制”建设", "完善应急预案体系"),
        (2, "（一）“一案三制”建设", "健全体制机制"),
        (3, "（二）能力建设", "建设指挥平台"),
    ]
    assert units(BEHIND_THE_LAST) == {
        1: ("", [], ["市直各有关单位", "各县(市、区)人民政府", "各开发区管委会"]),
        2: ("市政府应急办", ["市编办"], []),
        3: ("市公安局", ["市应急办"], []),
    }
    assert (
        found["articles"][0]["text"]
        == "完善应急预案体系\n（1）加强预案管理。\n（2）推进预案精编。\n（3）加强演练，每年组织不少于2次。"
    )


LABEL_LINES = """南山县2023年经济工作重点任务
一、主要目标
1.努力实现地区生产总值增长6.2%左右。

牵头单位:县发改局

责任单位:云台开发区,全县经济运行各专班

2.规模以上工业增加值增长5%以上。

牵头单位:县工信局

二、重点工作
3.新增规上工业企业25家，亿元以上项目开工率不低于80%，10月底前完成年度投资的80%以上。
牵头单位:县工信局、县发改局
责任单位:各镇街
时限要求：11月
"""


def test_labels_on_lines_of_their_own():
    found = facts(LABEL_LINES)
    assert found["title"] == "南山县2023年经济工作重点任务"
    assert units(LABEL_LINES) == {
        1: ("县发改局", ["云台开发区"], ["全县经济运行各专班"]),
        2: ("县工信局", [], []),
        3: ("县工信局", ["县发改局"], ["各镇街"]),
    }
    assert found["articles"][0]["text"] == "努力实现地区生产总值增长6.2%左右。"
    assert [t["name"] for t in found["articles"][2]["targets"]] == [
        "新增规上工业企业",
        "亿元以上项目开工率",
        "完成年度投资",
    ]
    assert [d["date"] for d in found["articles"][2]["deadlines"]] == ["2023-10-31", "2023-11-30"]


IN_THE_ANNEX = """西湖区人民政府关于印发《西湖区数据共享工作方案》的通知
西政发﹝2023﹞9号
各部门：
现将《西湖区数据共享工作方案》印发给你们，并就有关事项通知如下。
1. 提高认识。
2. 抓好落实。
附件：西湖区数据共享工作方案
西湖区人民政府
2023年5月4日
附件
西湖区数据共享工作方案
一、编制目录。（区数据局、区各部门）
二、接入平台。（区数据局牵头；区财政局、区审计局配合）
三、考核评估。（责任单位：区政府督查室；完成时限：2023年12月）
"""


def test_the_plan_may_stand_in_the_annex_of_its_notice():
    found = facts(IN_THE_ANNEX)
    assert (found["number"], found["date"], found["issuer"]) == (
        "西政发﹝2023﹞9号".replace("﹝", "〔").replace("﹞", "〕"),
        "2023-05-04",
        "西湖区人民政府",
    )
    assert [(a["no"], a["title"]) for a in found["articles"]] == [
        (1, "编制目录"),
        (2, "接入平台"),
        (3, "考核评估"),
    ]
    assert units(IN_THE_ANNEX) == {
        1: ("区数据局", [], ["区各部门"]),
        2: ("区数据局", ["区财政局", "区审计局"], []),
        3: ("区政府督查室", [], []),
    }
    assert found["articles"][2]["deadlines"] == [{"text": "2023年12月", "date": "2023-12-31"}]


TABLE = """三河镇2023年重点工作任务分解表
序号\t工作任务\t具体措施\t责任单位\t配合单位\t完成时限\t分管领导
一、项目建设
1\t新建冷链仓库\t完成投资2亿元以上\t镇经发办\t镇财政所、各村（社区）\t10月底\t王某
2\t技改扩能\t推动3家企业技改\t镇经发办、镇应急管理局\t\t全年\t王某
二、民生改善
3\t改造农村公路15公里以上\t\t镇建设办\t县交通运输局\t2023年11月30日\t李某
4\t移风易俗\t修订村规民约\t各村（社区）\t\t长期\t李某
"""


def test_a_task_table():
    found = facts(TABLE)
    assert [(a["no"], a["chapter"], a["title"], a["text"]) for a in found["articles"]] == [
        (1, "一、项目建设", "新建冷链仓库", "新建冷链仓库\n完成投资2亿元以上"),
        (2, "一、项目建设", "技改扩能", "技改扩能\n推动3家企业技改"),
        (3, "二、民生改善", "改造农村公路15公里以上", "改造农村公路15公里以上"),
        (4, "二、民生改善", "移风易俗", "移风易俗\n修订村规民约"),
    ]
    assert units(TABLE) == {
        1: ("镇经发办", ["镇财政所"], ["各村（社区）"]),
        2: ("镇经发办", ["镇应急管理局"], []),
        3: ("镇建设办", ["县交通运输局"], []),
        4: ("", [], ["各村（社区）"]),
    }
    assert [[(d["text"], d["date"]) for d in a["deadlines"]] for a in found["articles"]] == [
        [("10月底", "2023-10-31")], [("全年", "2023-12-31")], [("2023年11月30日", "2023-11-30")], [("长期", "")],
    ]  # fmt: skip
    assert [(t["name"], t["op"], t["value"], t["unit"]) for a in found["articles"] for t in a["targets"]] == [
        ("完成投资", ">=", 2, "亿元"), ("改造农村公路", ">=", 15, "公里"),
    ]  # fmt: skip


# -- structure ---------------------------------------------------------------------------------------------------------


def test_years_decimals_and_bullets_are_no_articles():
    text = plan(
        "做好统筹。\n2022年我县完成投资1.5亿元。\n1.5亿元用于改造。\n——坚持统一标准。\n3.15活动要开展。(责任单位:县发改局)",
        "做好衔接。(责任单位:县财政局)",
    )
    assert list(units(text)) == [1, 2]


def test_a_numbered_list_inside_an_article_does_not_end_it():
    text = plan(
        "明确重点。包括：1.摸清底数；2.建立台账；3.抓好整改。(责任单位:县发改局)",
        "加强督查。(责任单位:县政府办)",
        "做好总结。(责任单位:县政府办)",
    )
    found = facts(text)
    assert [a["title"] for a in found["articles"]] == ["明确重点", "加强督查", "做好总结"]
    assert "3.抓好整改" in found["articles"][0]["text"]


def test_a_gap_and_a_repeated_number_are_told():
    gap = plan("甲项工作。(责任单位:县发改局)", "乙项工作。(责任单位:县财政局)").replace(
        "\n2. ", "\n2. 丙项工作。(责任单位:县教育局)\n4. "
    )
    assert [article.no for article in read_text(gap).articles] == [1, 2, 4]
    assert any("编号不连续" in doubt.why for doubt in read_text(gap).doubts)
    again = "试点方案\n1. 甲。(责任单位:县发改局)\n2. 乙。(责任单位:县发改局)\n2. 丙。(责任单位:县发改局)\n3. 丁。(责任单位:县发改局)\n"
    assert [article.no for article in read_text(again).articles] == [1, 2, 3, 4]
    assert any("编号2重复" in doubt.why for doubt in read_text(again).doubts)


def test_a_number_missing_in_one_chapter_does_not_disturb_the_others():
    def chapter(name, *numbers):
        return f"{name}\n" + "".join(f"{no}. 任务。(责任单位:县发改局)\n" for no in numbers)

    text = "工作方案\n" + chapter("一、甲", 1, 2, 3) + chapter("二、乙", 1, 2) + chapter("三、丙", 1, 3, 4)
    reading = read_text(text)
    assert [article.chapter for article in reading.articles] == ["一、甲"] * 3 + ["二、乙"] * 2 + [
        "三、丙"
    ] * 3
    assert [article.label for article in reading.articles] == ["1.", "2.", "3.", "1.", "2.", "1.", "3.", "4."]
    assert any("编号不连续：1之后是3" in doubt.why for doubt in reading.doubts)


def test_several_brackets_without_numbers_are_merged_and_told():
    text = plan(
        "推进共享。编制目录。（责任单位：县数据局、县委编办）接入平台。（牵头单位：县工信局；配合单位：县财政局）",
        "做好总结。(责任单位:县政府办)",
    )
    assert units(text)[1] == ("县工信局", ["县数据局", "县委编办", "县财政局"], [])
    first = plan("甲。（责任单位：县数据局、县委编办）乙。（责任单位：县财政局）", "丙。(责任单位:县政府办)")
    assert units(first)[1] == ("县数据局", ["县委编办", "县财政局"], [])
    assert any("不止一处责任单位" in doubt.why and doubt.article == 1 for doubt in read_text(first).doubts)


def test_units_said_once_under_a_heading_hold_for_the_items_below():
    text = (
        "2023年工作方案\n一、甲\n（一）抓项目（责任单位：县发改局、县财政局）\n1.开工。\n2.竣工。\n（二）抓招商\n"
        "3.走出去。（责任单位：县商务局）\n4.请进来。（责任单位：县工信局）\n5.落地。（责任单位：县住建局）\n"
    )
    assert units(text)[1] == units(text)[2] == ("县发改局", ["县财政局"], [])
    assert [doubt.article for doubt in read_text(text).doubts if "上一级标题" in doubt.why] == [1, 2]


def test_a_colon_ends_a_heading():
    assert of_article("工作目标：到年底全部完成。")["title"] == "工作目标"


def test_a_sentence_without_heading_gives_a_doubtful_title_and_loses_nothing():
    wording = "完善部门之间的会商研判和信息通报机制，健全突发事件信息报送制度，确保信息报送及时准确。"
    article = of_article(wording)
    assert article["title"] == "完善部门之间的会商研判和信息通报机制"
    assert article["text"] == wording


# -- responsible units -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        ("(责任单位:县发改局)", ("县发改局", [], [])),
        ("(责任部门：县发改局、县自然资源和规划局和县住房和城乡建设局)", ("县发改局", ["县自然资源和规划局", "县住房和城乡建设局"], [])),
        ("（牵头部门：县委编办；协办：县财政局、各园区）", ("县委编办", ["县财政局"], ["各园区"])),
        ("（主办单位：县融媒体中心；协办单位：县妇联、团县委）", ("县融媒体中心", ["县妇联", "团县委"], [])),
        ("（县公安局主办，县司法局协办）", ("县公安局", ["县司法局"], [])),
        ("（县发展改革委会同县财政局、县工信局等部门负责）", ("县发展改革委", ["县财政局", "县工信局"], ["部门"])),
        ("（由县卫生健康委负责）", ("县卫生健康委", [], [])),
        ("（县水利局负责）", ("县水利局", [], [])),
        ("（责任单位：县委编办及县直相关单位）", ("县委编办", [], ["县直相关单位"])),
        ("（县委党建办负责，各级党组织落实）", ("县委党建办", [], ["各级党组织"])),
        ("（县教育局、县人社局按职责分工负责）", ("县教育局", ["县人社局"], [])),
        ("（责任单位：县高等教育局等县有关部门，各镇人民政府及各街道办事处）", ("县高等教育局", [], ["县有关部门", "各镇人民政府", "各街道办事处"])),
        ("【责任单位：县消防救援大队，县级有关单位】", ("县消防救援大队", [], ["县级有关单位"])),
        ("（责任单位：各镇街、县民政局）", ("", ["县民政局"], ["各镇街"])),
        ("（责任单位：县疾控中心（县卫生监督所）、县医院）", ("县疾控中心（县卫生监督所）", ["县医院"], [])),
        ("（完成时限：2023年8月底前；责任单位：县医保局）", ("县医保局", [], [])),
        ("（责任人：张三；责任单位：县医保局；联系电话：12345）", ("县医保局", [], [])),
    ],
)  # fmt: skip
def test_wordings_of_responsible_units(wording, expected):
    text = plan(f"完成这项工作。{wording}", "收尾。(责任单位:县财政局)")
    assert units(text)[1] == expected


def test_a_bracket_that_names_nobody_is_not_a_responsible_unit():
    text = plan(
        "落实经费（由专人负责）。建设平台（包括门户、专区、接口等）。(责任单位:县财政局)",
        "收尾。(责任单位:县发改局)",
    )
    assert units(text)[1] == ("县财政局", [], [])


def test_an_open_list_says_that_it_is_open():
    reading = read_text(plan("推进试点。(责任单位:县发改局、县财政局等)", "收尾。(责任单位:县发改局)"))
    assert [helper.value for helper in reading.articles[0].helpers] == ["县财政局"]
    assert any(doubt.article == 1 and "“等”结尾" in doubt.why for doubt in reading.doubts)


def test_a_name_that_looks_like_no_unit_is_kept_and_doubtful():
    reading = read_text(plan("推进试点。(责任单位:县发改局、智慧岛筹备)", "收尾。(责任单位:县发改局)"))
    (helper,) = reading.articles[0].helpers
    assert helper.value == "智慧岛筹备"
    assert not helper.sure


def test_a_plan_that_says_the_first_unit_leads_gives_that_as_the_reason():
    text = plan("推进试点。(责任单位:县发改局、县财政局)", "收尾。(责任单位:县发改局、县工信局)")
    assert "按惯例" in read_text(text).articles[0].lead.why
    said = read_text(text.replace("一、重点任务", "各项任务责任单位中列第一位的为牵头单位。\n一、重点任务"))
    assert "文中说明" in said.articles[0].lead.why


# -- deadlines ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        ("年内全面完成。", [("年内", "2023-12-31")]),
        ("8月15日前报送。", [("8月15日前", "2023-08-15")]),
        ("2024年2月底前完成。", [("2024年2月底前", "2024-02-29")]),
        ("2023年 11月 5日前完成。", [("2023年 11月 5日前", "2023-11-05")]),
        ("力争2025年底前建成。", [("2025年底前", "2025-12-31")]),
        ("到2027年基本成型。", [("到2027年", "2027-12-31")]),
        ("上半年完成。", [("上半年", "2023-06-30")]),
        ("三季度末前完成。", [("三季度末前", "2023-09-30")]),
        ("九月底前完成。", [("九月底前", "2023-09-30")]),
        ("6月上旬前完成。", [("6月上旬前", "2023-06-10")]),
        ("月底前报方案。", [("月底前", "2023-03-31")]),
        ("明年6月底前完成。", [("明年6月底前", "2024-06-30")]),
        ("今年年底前完成。", [("今年年底前", "2023-12-31")]),
        ("2024年3月底前启动，9月底前完成。", [("2024年3月底前", "2024-03-31"), ("9月底前", "2024-09-30")]),
        ("印发之日起3个月内制定细则。", [("印发之日起3个月内", "2023-06-10")]),
        ("持续推进。", [("持续推进", "")]),
        ("长期坚持。", [("长期坚持", "")]),
        ("每月5日前报送进展。", [("每月5日前", "")]),
        ("截至2022年底，全县已建成3个。", []),
        ("2022年以来成效明显。", []),
        ("按照《县数字化行动方案（2022—2024年）》推进。", []),
        ("实施2022-2024年滚动计划。", []),
        ("结合常态化指挥部设置情况，加强常态化的演练。", []),
        ("整合近3年内的数据。", []),
        ("1月底前完成。", [("1月底前", "2024-01-31")]),
        ("2024年6月完成主体工程，12月20日全面建成。", [("2024年6月", "2024-06-30"), ("12月20日", "2024-12-20")]),
        ("6月31日前完成。", [("6月31日前", "")]),
    ],
)  # fmt: skip
def test_deadline_wordings(wording, expected):
    assert deadlines(wording) == expected


@pytest.mark.parametrize(
    ("wording", "reason"),
    [
        ("1月底前完成。", "按下一年理解"),
        ("2023年1月底前完成。", "早于成文日期"),
        ("9月前完成。", "是否含当月"),
        ("9月完成。", "没有写“前”或“底”"),
        ("2月30日前完成。", "没有这个日子"),
        ("三年内建成。", "从成文日期起算"),
    ],
)
def test_deadlines_that_a_person_must_check(wording, reason):
    reading = read_text(plan(wording + "(责任单位:县发改局)", "收尾。(责任单位:县财政局)"))
    (deadline,) = reading.articles[0].deadlines
    assert not deadline.sure
    assert reason in deadline.why


def test_a_deadline_without_any_year_has_no_date():
    text = "试点方案\n1. 甲。10月底前完成。(责任单位:县发改局)\n2. 乙。(责任单位:县财政局)\n"
    assert facts(text)["articles"][0]["deadlines"] == [{"text": "10月底前", "date": ""}]
    dated = text.replace("试点方案", "2025年试点方案")
    assert facts(dated)["articles"][0]["deadlines"] == [{"text": "10月底前", "date": "2025-10-31"}]


def test_deadlines_in_the_bracket_are_read():
    text = plan(
        "甲。(牵头单位:县发改局;责任单位:县财政局,6月底完成)",
        "乙。(责任单位:县工信局、县财政局,持续推进)",
        date="2023年3月1日",
    )
    assert [a["deadlines"] for a in facts(text)["articles"]] == [
        [{"text": "6月底", "date": "2023-06-30"}],
        [{"text": "持续推进", "date": ""}],
    ]
    assert units(text)[2] == ("县工信局", ["县财政局"], [])


def test_next_years_plan_issued_in_december_means_next_year():
    text = plan("甲。年底前完成。(责任单位:县发改局)", "乙。(责任单位:县财政局)", date="2022年12月28日")
    titled = text.replace("试点方案", "2023年工作要点")
    assert facts(titled)["articles"][0]["deadlines"] == [{"text": "年底前", "date": "2023-12-31"}]
    assert not read_text(titled).articles[0].deadlines[0].sure


def test_a_deadline_behind_the_last_article_is_not_its_own():
    text = (
        plan("甲。(责任单位:县发改局)", "乙。(责任单位:县财政局)")
        + "各镇要抓好落实，相关情况年底前报县政府。\n"
    )
    assert [a["deadlines"] for a in facts(text)["articles"]] == [[], []]


# -- targets -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        ("一网通办率达到85%。", [("一网通办率", ">=", 85, "%")]),
        ("确保全程网办率不低于90%。", [("全程网办率", ">=", 90, "%")]),
        ("将办理时限压缩至3个工作日以内。", [("办理时限", "<=", 3, "个工作日")]),
        ("平均跑动次数不超过0.1次。", [("平均跑动次数", "<=", 0.1, "次")]),
        ("培育示范企业20家以上。", [("培育示范企业", ">=", 20, "家")]),
        ("差错率控制在2%以下。", [("差错率", "<=", 2, "%")]),
        ("群众满意度提升到百分之九十五点五。", [("群众满意度", ">=", 95.5, "%")]),
        ("规上企业上云比例超过三分之二。", [("规上企业上云比例", ">", 66.67, "%")]),
        ("能耗降低10%以上。", [("能耗降低", ">=", 10, "%")]),
        ("按时办结率、群众满意率达到98%以上。", [("按时办结率", ">=", 98, "%"), ("群众满意率", ">=", 98, "%")]),
        ("建成5个以上示范社区。", [("建成示范社区", ">=", 5, "个")]),
        ("推动政务服务事项100%网上可办。", [("政务服务事项网上可办", ">=", 100, "%")]),
        ("推动90%以上的高频事项就近办。", [("高频事项就近办", ">=", 90, "%")]),
        ("按时办结率为96%。", [("按时办结率", ">=", 96, "%")]),
        ("热线接通率≥95%。", [("热线接通率", ">=", 95, "%")]),
        ("审批环节减少2个。", [("审批环节减少", ">=", 2, "个")]),
        ("减少3个审批环节。", [("减少审批环节", ">=", 3, "个")]),
        ("实现100%覆盖。", [("覆盖", ">=", 100, "%")]),
        ("及时传达3项要求。", []),
        ("超过5个工作日未办结的予以通报。", []),
        ("给予100%补贴。", []),
        ("覆盖率已达到80%。", []),
        ("聚焦3年行动，落实第148号令要求，用好12345热线和5G网络。", []),
        ("面向10万人以上的城市推广。", []),
        ("成立由5个部门组成的专班。", []),
        ("给予50%补贴。", []),
        ("2023年达到国内领先水平。", []),
        ("根据《关于提升办结率达到100%的意见》推进。", []),
    ],
)  # fmt: skip
def test_target_wordings(wording, expected):
    assert targets(f"推进工作。{wording}") == expected


# -- document numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wording", "cite", "sure"),
    [
        ("（国发〔2022〕14号）", "国发〔2022〕14号", True),
        ("（国办发[2021]5号）", "国办发〔2021〕5号", True),
        ("（苏政发〔202244号）", "苏政发〔2022〕44号", False),
        ("（苏政发2022〕44号）", "苏政发〔2022〕44号", False),
        ("按照连政办发〔202236号文件", "连政办发〔2022〕36号", False),
        ("（国务院令第722号）", "国务院令第722号", True),
        ("根据省政府令第148号", "省政府令第148号", True),
    ],
)  # fmt: skip
def test_cited_documents(wording, cite, sure):
    reading = read_text(
        plan(f"贯彻要求。落实{wording}精神。(责任单位:县发改局)", "收尾。(责任单位:县财政局)")
    )
    assert [(one.value, one.sure) for one in reading.cites] == [(cite, sure)]


def test_a_repaired_number_is_sure_where_the_whole_one_stands_elsewhere():
    text = plan("甲。贯彻国发〔202214号。(责任单位:县发改局)", "乙。见国发〔2022〕14号。(责任单位:县财政局)")
    (cite,) = read_text(text).cites
    assert (cite.value, cite.sure) == ("国发〔2022〕14号", True)


# -- the head ----------------------------------------------------------------------------------------------------------------


def test_an_ambiguous_broken_date_is_decided_by_another_date_or_not_at_all():
    text = plan("甲。(责任单位:县发改局)", "乙。(责任单位:县财政局)", date="2022111")
    assert facts(text)["date"] == ""
    assert facts("发布时间：2022-11-01 10:00\n" + text)["date"] == "2022-11-01"


def test_several_issuers_are_joined():
    text = plan("甲。(责任单位:县发改局)", "乙。(责任单位:县财政局)").replace(
        "青浦县政府办公室\n2023", "青浦县发展和改革局　　青浦县财政局\n青浦县工业和信息化局\n2023"
    )
    assert facts(text)["issuer"] == "青浦县发展和改革局、青浦县财政局、青浦县工业和信息化局"


def test_a_head_without_anything_stays_empty_and_says_so():
    found = facts("1. 甲项任务。(责任单位:县发改局)\n2. 乙项任务。(责任单位:县财政局)\n")
    assert (found["number"], found["title"], found["issuer"], found["date"], found["cites"]) == (
        "",
        "",
        "",
        "",
        [],
    )
    assert [doubt["why"] for doubt in found["doubts"] if doubt["article"] is None] == [
        "没有找到发文字号", "没有找到文件标题", "没有找到成文日期", "没有找到发文机关",
    ]  # fmt: skip


def test_a_plan_that_names_nobody_is_read_with_a_doubt():
    text = "青浦县数字经济三年行动计划\n一、发展产业\n1. 招引企业。\n2. 培育园区。\n二、完善服务\n3. 优化政策。\n"
    reading = read_text(text)
    assert len(reading.articles) == 3
    assert "全文没有写责任单位" in [doubt.why for doubt in reading.doubts]


def test_dates_are_dates_in_the_dataclasses():
    (deadline,) = (
        read_text(plan("甲。年内完成。(责任单位:县发改局)", "乙。(责任单位:县财政局)")).articles[0].deadlines
    )
    assert deadline.value == datetime.date(2023, 12, 31)
    assert deadline.span == (deadline.start, deadline.end)


# -- what is no plan -----------------------------------------------------------------------------------------------------------

NEWS = """我区召开数字政府建设推进会
本报讯（记者 李明）3月10日，区政府召开数字政府建设推进会，区委副书记出席会议并讲话。
会议指出，2022年全区一网通办率达到85%，政务服务水平明显提升。会议要求，各部门要压实责任，确保年底前完成任务。
"""
NOVEL = """第一章 归来
那年冬天的雪下得很早。老王推开门，院子里已经白了一片。
“你回来了？”她问。
第二章 旧事
他没有说话，只是把行李放在桌上。
第三章 远行
天亮的时候，他又走了。
"""
LAW = """青浦县公园管理办法
第一条 为了加强公园管理，制定本办法。
第二条 本办法适用于本县行政区域。
第三条 县城管局负责公园管理工作。
第四条 游客应当爱护设施。
第五条 本办法自2023年5月1日起施行。
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (NEWS, "没有连续编号的条目"),
        (NOVEL, "没有写责任单位（牵头、配合、负责的单位）"),
        (LAW, "按“第几条”编写，像法规制度"),
        ("编号,名称,单位\n1,甲,县发改局\n2,乙,县财政局\n3,丙,县民政局\n", "内容是逗号分隔的数据表，不是公文"),
        ("def read(path):\n    return open(path).read()\n", "没有连续编号的条目"),
        ("《青浦县数字化行动方案》政策解读\n1. 背景。\n2. 目标。\n3. 措施。\n", "没有写责任单位（牵头、配合、负责的单位）"),
        ("关于印发工作方案的通知", "没有连续编号的条目"),
    ],
)  # fmt: skip
def test_other_texts_are_refused_with_the_reason(text, reason):
    with pytest.raises(NotAPlan) as refusal:
        read_text(text)
    assert reason in refusal.value.reasons
    assert refusal.value.message.startswith("这份文件不像工作方案")
    assert "责任单位" in refusal.value.todo


@pytest.mark.parametrize("wrong", [("utf-8", "gbk"), ("utf-8", "latin-1"), ("gbk", "latin-1")])
def test_garbled_text_is_refused_as_garbled(wrong):
    written, taken = wrong
    with pytest.raises(UndecodableText, match="乱码"):
        read_text(THREE_LEVELS.replace("—", "").replace("２", "2").encode(written).decode(taken, "replace"))
