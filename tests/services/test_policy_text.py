"""Conditions read out of texts: what is not understood stays as its own words; tried on a real corpus."""

import csv
import re

import pytest

from liangzhu.pillars.services import criteria, enterprise
from liangzhu.pillars.services.policy_text import condition, read


@pytest.mark.parametrize(
    ("sentence", "fact", "op", "values"),
    [
        ("从业人员20人以上；", "headcount", "ge", ("20",)),
        ("登记注册满一年。", "established_on", "months", ("12",)),
        ("未被列入严重失信主体名单", "dishonest", "is", ("no",)),
        ("属于小微企业", "size", "in", ("small", "micro")),
        ("高新技术企业或科技型中小企业", "", "", ()),
        ("生产经营状况良好", "", "", ()),
        ("在本区依法登记注册的企业；", "local", "is", ("yes",)),
        ("注册资本（金）不低于1亿元。", "", "", ()),
        ("注册资本不低于1亿元。", "registered_capital", "ge", ("100000000",)),
        ("上年度营业收入2000万元以上", "turnover", "ge", ("2000",)),
        ("上一年度营业收入达到1.5亿元（含）以上", "turnover", "ge", ("15000",)),
        ("取得国家高新技术企业资格", "qualifications", "in", ("high_tech",)),
        ("属于制造业企业", "industry", "in", ("C",)),
        ("纳税信用等级B级以上", "tax_credit", "in", ("A", "B")),
        ("参保人数10人以上", "insured", "ge", ("10",)),
        ("成立时间不超过3年", "established_on", "within", ("36",)),
        ("为规模以上企业", "qualifications", "in", ("above_scale",)),
        # Half of each of these could be compared; that would let in whom the document keeps out.
        ("纳入规模以上统计的国家高新技术企业", "", "", ()),
        ("近3年内没有重大违法违规记录且未被列入严重违法失信名单", "", "", ()),
        ("从业人员300人以下且营业收入10000万元以下", "", "", ()),
        ("规模以上工业企业", "", "", ()),
        ("未被列入失信被执行人名单", "", "", ()),
        ("小微企业招用毕业2年内高校毕业生", "", "", ()),
    ],
)
def test_a_sentence_is_compared_only_where_one_rule_says_all_of_it(sentence, fact, op, values):
    one = condition(sentence)
    assert (one.wording, one.fact, one.op, one.values) == (sentence, fact, op, values)
    assert criteria.fault(one, enterprise.FACTS) == ""


def test_a_list_of_an_article_ends_where_the_next_article_begins():
    found = read(
        "第三条 申请企业应当符合下列条件：\n（一）从业人员20人以上；\n（二）生产经营状况良好。\n第四条 附则。"
    )
    assert [one.wording for one in found.terms] == ["从业人员20人以上；", "生产经营状况良好。"]
    assert found.by_hand == 1


def test_a_real_corpus_becomes_conditions_and_no_word_of_them_is_lost(shared):
    path = shared / "data" / "policy_kb_tianhe" / "policy_entries.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        texts = [row["通俗解答(5段标准)"] for row in csv.DictReader(file)]
    found = [read(text) for text in texts]
    assert len(texts) == 37
    assert all(one.terms for one in found)
    assert all(one.how for one in found)
    total, by_hand = sum(len(one.terms) for one in found), sum(one.by_hand for one in found)
    assert total >= 2 * len(texts) and by_hand <= total
    plain = re.compile(r"[\s，。；;、：:（）()①-⑳\d.一二三四五六七八九十]")
    for text, one in zip(texts, found, strict=True):
        whole = re.search(r"谁能办[：:](.*?)要什么条件[：:](.*?)(?=怎么办[：:])", text, re.DOTALL)
        kept = plain.sub("", "".join(term.wording for term in one.terms))
        assert kept == plain.sub("", "".join(whole.groups()))
        assert all(criteria.fault(term, enterprise.FACTS) == "" for term in one.terms)
    print(f"{len(texts)} entries, {total} conditions, {by_hand} for a person")
