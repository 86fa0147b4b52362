"""Search in Chinese: what is found, in which order, for whom; and that the index is not readable."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liangzhu.kernel import search

pytestmark = pytest.mark.django_db


def put(*texts: str, **scope) -> None:
    """Index texts as things 1, 2, 3 …"""
    for ident, text in enumerate(texts, 1):
        search.index("t", ident, [text], **scope)


def found(query: str, **kwargs) -> list[int]:
    return [hit.ident for hit in search.find(query, kind="t", **kwargs)]


def test_any_part_of_a_chinese_text_is_found_and_nothing_else():
    put("关于夜间施工噪声扰民的投诉", "声噪", "充电桩安装申请", "个体工商户注销")
    assert found("噪声扰民") == [1] and found("扰民的投") == [1] and found("桩") == [3]
    assert found("噪声") == [1] and found("声噪") == [2]
    assert found("个体户") == [] and found("工商户") == [4]


def test_a_phrase_matches_in_its_order_and_pieces_match_in_any():
    put("先受理后审核", "先审核后受理")
    assert found("受理后审核") == [1]
    assert sorted(found("审核 受理")) == [1, 2]


def test_words_numbers_and_full_width_forms():
    put("ＰＴ－2022－0007 号", "PT-2022-0070 号", "第１２３栋WiFi覆盖")
    assert found("PT-2022-0007") == [1] and found("pt-2022") == [2, 1]
    assert found("wifi") == [3] and found("123栋") == [3] and found("２０２２") == [2, 1]


def test_traditional_characters_stay_what_they_are():
    put("陳先生來電", "陈先生来电")
    assert found("陳先生") == [1] and found("陈先生") == [2]


def test_an_identity_number_or_telephone_is_found_whole_and_never_by_a_part():
    put("证件440507199001011234，电话 138-0013-8000", "来电0754-88261234", "440507 19900101 123x")
    assert found("440507199001011234") == [1] and found("13800138000") == [1]
    assert found("138 0013 8000") == [1] and found("0754 88261234") == [2] and found("075488261234") == [2]
    assert found("44050719900101123X") == [3]
    assert found("4405071990") == [] and found("8000") == [] and found("88261234") == []


def test_a_phrase_never_runs_from_one_text_into_the_next():
    search.index("t", 1, ["编号 2022", "0007 号"])
    search.add("t", 1, "0008 又及")
    assert found("2022 0007") == [1] and found("2022-0007") == [] and found("0007-0008") == []


def test_what_was_added_is_found_with_what_was_there():
    put("噪声扰民")
    search.add("t", 1, "已约谈施工单位")
    search.add("t", 2, "没有这一件")
    assert found("噪声 约谈施工") == [1] and found("没有这") == []
    search.index("t", 1, ["油烟"])
    assert found("噪声") == [] and found("约谈") == [] and found("油烟") == [1]


def test_marks_narrow_inside_the_index():
    search.index("t", 1, ["噪声"], scope=["u1", "open"])
    search.index("t", 2, ["噪声"], scope=["u2", "open"])
    search.index("t", 3, ["噪声"], scope=["u1", "u2"])
    search.index("other", 4, ["噪声"], scope=["u1", "open"])
    assert found("噪声", any_of=["u1"]) == [3, 1] and found("噪声", any_of=["u1", "u2"]) == [3, 2, 1]
    assert found("噪声", any_of=["u1", "u2"], all_of=["open"]) == [2, 1] and found("噪声", any_of=[]) == []
    search.rescope("t", 3, ["u9"])
    assert found("噪声", any_of=["u1"]) == [1] and found("噪声", any_of=["u9"]) == [3]
    with pytest.raises(ValueError, match="letters"):
        search.index("t", 5, ["x"], scope=['u1" OR "u2'])


def test_what_was_removed_is_not_found_again():
    put("噪声", "噪声")
    search.remove("t", 1)
    assert found("噪声") == [2]
    search.clear("t")
    assert found("噪声") == []


def test_every_hit_is_met_once_when_one_pages_to_and_fro():
    put(*["噪声扰民"] * 25)
    seen, before = [], None
    while hits := search.find("噪声", kind="t", before=before, limit=7):
        seen += [hit.ident for hit in hits]
        before = hits[-1].place
    assert seen == list(range(25, 0, -1))
    back = search.find("噪声", kind="t", after=hits[-1].place if hits else before, limit=7)
    assert [hit.ident for hit in back] == [8, 7, 6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    "query", ["", "   ", "，。！", '"', "'", ")) OR ((", "NEAR(", "scope:u1", "%", "*", "\0"]
)
def test_a_query_is_never_read_as_a_command(query):
    put("噪声")
    assert found(query) == []


def test_the_index_holds_no_readable_text():
    search.index("t", 1, ["张三 440507199001011234 噪声 complaint"], scope=["u1"])
    table = "kernel_searchdoc" if connection.vendor == "postgresql" else "kernel_searchtext"
    column = "words::text" if connection.vendor == "postgresql" else "singles || stream"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        kept = " ".join(row[0] for row in cursor.fetchall())
    assert "噪" not in kept and "张" not in kept and "4405" not in kept and "complaint" not in kept
    assert search.token("噪声") in kept


HAN = st.text(st.sampled_from("区政数字县办件投诉噪声建设民"), min_size=1, max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(HAN, min_size=1, max_size=6), query=HAN)
def test_searching_is_finding_a_part_of_the_text(texts, query):
    search.clear("t")
    put(*texts)
    assert sorted(found(query)) == [n for n, text in enumerate(texts, 1) if query in text]


def test_highlighting_escapes_and_marks_what_was_asked_for():
    assert (
        search.highlight("<b>噪声</b> ＰＴ-1", "噪声 pt")
        == "&lt;b&gt;<mark>噪声</mark>&lt;/b&gt; <mark>ＰＴ</mark>-1"
    )
    assert search.highlight("没有", "噪声") == "没有"
    long = "甲" * 100 + "噪声" + "乙" * 100
    assert "<mark>噪声</mark>" in search.snippet(long, "噪声") and search.snippet(long, "丙") == ""
