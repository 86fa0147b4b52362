"""Whatever is uploaded: a reading or a ReadingError, in time that grows with the length only."""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liangzhu.pillars.programme.reading import ReadingError, read_bytes, read_text, to_json

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PIECES = [
    "一、", "二、", "（一）", "(二)", "1.", "2. ", "3、", "（1）", "①", "第一条 ", "第二章 ", "附件\n", "\n", "\n\n", "。", "，", "；", "：", "、", "“", "”",
    "(", ")", "（", "）", "〔", "〕", "【", "】", "《", "》", "\t", "|", "——", "责任单位：", "牵头单位:", "配合单位：", "完成时限：", "责任领导：",
    "区发改局", "市自然资源和规划局", "各镇街", "有关部门", "等", "和", "及", "牵头", "负责", "会同", "配合", "按职责分工负责", "由",
    "年内", "10月底前", "2025年", "到", "2月30日前", "上半年", "持续推进", "十四五", "末", "三年内", "自印发之日起30日内", "已", "1.5亿", "2022826",
    "达到", "85%", "压缩至", "4个月", "以内", "不低于", "百分之八十", "九成", "三分之二", "以上", "覆盖率", "新建", "5个", "100%",
    "海政发", "〔2022", "114号", "国务院令第148号", "2022年8月26日", "区政府办公室", "关于印发", "实施方案", "的通知", "按照要求", "推进工作",
    "序号\t任务\t责任单位\n", "1\t甲\t区发改局\n", "此件公开发布", "抄送：",
]  # fmt: skip
plans = st.lists(st.sampled_from(PIECES), max_size=120).map("".join)


def check(reading):
    """Every finding stands where it says, and the facts are JSON."""
    found = [reading.number, reading.title, reading.issuer, reading.date, *reading.cites, *reading.chapters]
    for article in reading.articles:
        assert 0 <= article.start <= article.body_start <= article.end <= len(reading.text)
        found += [
            article.title,
            article.lead,
            *article.helpers,
            *article.open_sets,
            *article.deadlines,
            *article.targets,
        ]
    for finding in filter(None, found):
        assert reading.text[finding.start : finding.end] == finding.text
        assert finding.certainty in ("sure", "doubtful")
        assert finding.sure or finding.why
    for doubt in reading.doubts:
        assert reading.text[doubt.start : doubt.end] == doubt.text
        assert doubt.why
    facts = to_json(reading)
    assert json.loads(json.dumps(facts)) == facts
    numbers = [article["no"] for article in facts["articles"]]
    assert numbers == sorted(set(numbers))


@quick
@given(plans)
def test_texts_that_look_like_plans(text):
    text = f"试点方案\n1. 甲。（责任单位：区发改局）\n2. 乙。{text}\n3. 丙（责任单位：区财政局）{text}"
    try:
        reading = read_text(text)
    except ReadingError:
        return
    check(reading)


@quick
@given(st.text(max_size=300))
def test_any_text(text):
    try:
        check(read_text(text))
    except ReadingError as error:
        assert error.message
        assert error.todo


@quick
@given(
    st.sampled_from(
        [b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe", b"\xef\xbb\xbf", b"\xd0\xcf\x11\xe0"]
    ),
    st.binary(max_size=400),
)
def test_any_bytes(start, data):
    try:
        check(read_bytes(start + data, "x.docx"))
    except ReadingError as error:
        assert error.message
        assert error.todo


HOSTILE = {
    "opening brackets": "(" * 200_000,
    "opening brackets of every kind": "(〔【[（" * 33_000,
    "labels without end": "(责任单位:" * 50_000,
    "labels on lines": "责任单位:\n" * 50_000,
    "unit names without end": "1. 甲\n2. 乙(责任单位:" + "区局、" * 100_000,
    "and, and, and": "1. 甲\n2. 乙(责任单位:" + "区局和" * 100_000 + ")",
    "brackets in brackets": "(区局" * 50_000 + ")" * 50_000,
    "brackets that talk of units": "(由区发改局负责)" * 10_000,
    "one very long line": "的" * 300_000,
    "digits": "1" * 300_000,
    "white space": " " * 300_000 + "甲",
    "tabs": "\t" * 300_000 + "甲",
    "line ends": "\n" * 300_000 + "甲",
    "markers in a row": "(一)" * 100_000,
    "restarting numbers": "1. 甲\n" * 50_000,
    "titles that never close": "《" * 300_000,
    "document numbers that never close": "海政发〔" * 66_000,
    "one article with countless deadlines and targets": "试点方案\n1. 甲。"
    + "年内达到85%," * 20_000
    + "\n2. 乙。(责任单位:区局)",
    "countless annexes": "附件\n" * 100_000,
    "countless annexes with articles": "附件1:方案\n1. 甲(责任单位:区局)\n" * 5_000,
    "countless tables": "序号\t任务\t责任单位\n1\t甲\t区局\n" * 5_000,
    "countless articles": "试点方案\n"
    + "".join(f"{no}. 推进。(责任单位:区局)\n" for no in range(1, 999)) * 10,
    "countless signatures": "区局\n2022年1月1日\n" * 23_000,
    "tags that never close": "<html><body>" + "<div>" * 66_000 + "甲",
    "cells that never close": "<html><body>" + "<table><tr><td>甲" * 16_000,
    "empty elements": "<html><body>甲" + "<b>\n</b>" * 33_000 + "<p>",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_answered_in_time_that_grows_with_its_length_only(case):
    data = HOSTILE[case].encode()
    before = time.process_time()
    try:
        read_bytes(data)
    except ReadingError as error:
        assert error.todo
    assert time.process_time() - before < 5
