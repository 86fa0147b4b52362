"""Official papers: the measures of GB/T 9704-2012 in what comes out, read back with other people's libraries."""

import io
import re
from datetime import date

import openpyxl
import pypdf
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from hypothesis import example, given
from hypothesis import strategies as st

from liangzhu.kernel.workbook import Sheet, as_xlsx
from liangzhu.pillars.programme.papers import gbt9704 as form
from liangzhu.pillars.programme.papers.docx import as_docx
from liangzhu.pillars.programme.papers.gbt9704 import Column, Heading, Paper, Paragraph, Table
from liangzhu.pillars.programme.papers.pdf import as_pdf

DAY = date(2022, 10, 8)
LONG = (
    "各责任单位应当对照任务原文和完成期限抓紧办理，按月报送进展，写清做了什么、到什么程度、下一步何时完成；"
    * 60
)

PAPER = Paper(
    title="关于示政发〔2022〕114号《加快统筹推进数字政府高质量建设实施方案》实施情况的报告",
    blocks=(
        Paragraph("现将有关情况报告如下。"),
        Heading(1, "总体情况"),
        Paragraph("推进 <b>顺利</b> & 有序。"),
        Heading(2, "按单位"),
        Heading(3, "第一点。", "接着写的话。"),
        Heading(3, "第二点。", "再接着写。"),
        Heading(4, "更细一点。", "到此为止。"),
        Heading(1, "存在问题"),
        Heading(2, "又从一开始"),
        Table(
            "任务清单",
            (Column("序号", 1, "center"), Column("任务", 4)),
            (("1", "推进应用"), ("2", "一网通办")),
        ),
    ),
    made_on=DAY,
    mark="示范区数字政府建设工作领导小组办公室",
    number="示数办〔2022〕3号",
    signer="某某",
    addressees=("区委", "区政府"),
    signature="示范区数字政府建设工作领导小组办公室",
    signed_on=DAY,
    copies=("区政府办公室", "各镇街"),
    printed_by="示范区数字政府建设工作领导小组办公室",
    printed_on=DAY,
    flags=("草稿", "演示数据"),
)


@pytest.fixture(scope="module")
def word():
    return Document(io.BytesIO(as_docx(PAPER)))


@pytest.fixture(scope="module")
def drawn():
    return as_pdf(PAPER)


@pytest.fixture(scope="module")
def pages(drawn):
    return pypdf.PdfReader(io.BytesIO(drawn)).pages


@pytest.fixture(scope="module")
def long():
    """A paper of several pages of plain text."""
    return pypdf.PdfReader(io.BytesIO(as_pdf(Paper("通报", (Paragraph(LONG),), DAY)))).pages


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


# What a paper is ------------------------------------------------------------------------------------------------------


def test_headings_are_counted_by_level_and_start_again_under_a_higher_one():
    numbers = [number for number, block in PAPER.numbered() if isinstance(block, Heading)]
    assert numbers == ["一、", "（一）", "1.", "2.", "（1）", "二、", "（一）"]


@pytest.mark.parametrize(
    ("number", "words"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (35, "三十五"), (99, "九十九")]
)
def test_numbers_are_written_as_chinese_count(number, words):
    assert form.chinese_count(number) == words


@pytest.mark.parametrize("number", [0, 100])
def test_a_number_that_no_heading_has_is_refused(number):
    with pytest.raises(ValueError, match=str(number)):
        form.chinese_count(number)


def test_dates_have_arabic_figures_without_leading_zeros():
    assert form.chinese_date(DAY) == "2022年10月8日"


@given(st.text("关于的办法（）《》〔〕2022年号通报方案，、实施", min_size=1, max_size=80))
@example("关于回流数据需求汇总逾期的通报")
def test_a_title_is_only_cut_never_changed_and_begins_no_line_with_a_closing_mark(title):
    lines = form.title_lines(title)
    assert "".join(lines) == title
    # A title of nothing but marks has no place to be cut, and stays in one line.
    if len(lines) > 1:
        assert all(form.width(line) <= form.points(form.BODY_WIDTH) / form.SIZE_2 for line in lines)


def test_a_title_keeps_document_numbers_whole_and_begins_no_line_with_a_closing_mark():
    lines = form.title_lines(PAPER.title)
    assert len(lines) == 2
    assert any("〔2022〕114号" in line for line in lines)
    assert not any(line[0] in "》，的）" for line in lines)


def test_the_signature_is_centred_on_a_date_four_characters_from_the_edge():
    short = Paper("通报", (), DAY, signature="区府办", signed_on=DAY)
    name, day = short.signature_indents()
    width = form.width(form.chinese_date(DAY))
    assert day == 4.0
    assert name + form.width("区府办") / 2 == day + width / 2


def test_a_long_signature_stays_inside_the_body_and_keeps_its_date_in_the_middle():
    name, day = PAPER.signature_indents()
    assert 0 <= name < 4
    assert name + form.width(PAPER.signature) / 2 == day + form.width(form.chinese_date(DAY)) / 2


def test_a_long_mark_is_set_smaller_so_that_it_keeps_to_one_line():
    assert PAPER.mark_size * form.width(PAPER.mark) <= form.points(form.BODY_WIDTH)
    assert Paper("通报", (), DAY, mark="区政府").mark_size == form.MARK_LARGEST


# .docx ----------------------------------------------------------------------------------------------------------------


def test_word_page_margins_and_grid_are_those_of_the_standard(word):
    section = word.sections[0]
    near = Mm(0.1)
    assert abs(section.page_width - Mm(210)) < near
    assert abs(section.page_height - Mm(297)) < near
    for side, length in (("top", 37), ("bottom", 35), ("left", 28), ("right", 26)):
        assert abs(getattr(section, f"{side}_margin") - Mm(length)) < near
    grid = section._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    assert int(grid.get(qn("w:linePitch"))) * 22 == pytest.approx(form.points(225) * 20, rel=0.001)
    pitch = 16 + int(grid.get(qn("w:charSpace"))) / 4096
    assert pitch * 28 == pytest.approx(form.points(156), rel=0.001)


def test_word_headings_are_styles_numbered_by_word_itself(word):
    styles = [line.style.name for line in word.paragraphs if line.style.name.startswith("Heading")]
    assert styles == [f"Heading {level}" for level in (1, 2, 3, 3, 4, 1, 2)]
    numbering = word.part.numbering_part.element
    wanted = word.styles["Heading 1"].element.pPr.numPr.numId.val
    number = next(one for one in numbering.findall(qn("w:num")) if one.numId == wanted)
    abstract = next(
        one
        for one in numbering.findall(qn("w:abstractNum"))
        if one.get(qn("w:abstractNumId")) == str(number.abstractNumId.val)
    )
    texts = [level.find(qn("w:lvlText")).get(qn("w:val")) for level in abstract.findall(qn("w:lvl"))]
    assert texts == ["%1、", "（%2）", "%3.", "（%4）"]


@pytest.mark.parametrize(
    ("style", "face", "size"),
    [
        ("公文正文", "仿宋", 16),
        ("公文标题", "方正小标宋简体", 22),
        ("Heading 1", "黑体", 16),
        ("Heading 2", "楷体", 16),
        ("Heading 3", "仿宋", 16),
        ("Footer", "宋体", 14),
        ("版记", "仿宋", 14),
    ],
)
def test_word_faces_and_sizes_are_those_of_the_standard(word, style, face, size):
    found = word.styles[style]
    assert found.font.size == Pt(size)
    assert found.element.rPr.rFonts.get(qn("w:eastAsia")) == face


def test_word_names_what_stands_in_for_a_face_that_is_missing(word):
    table = next(rel.target_part for rel in word.part.rels.values() if rel.reltype.endswith("/fontTable"))
    assert "Noto Serif CJK SC" in table.blob.decode()
    assert "FangSong" in table.blob.decode()


def test_word_page_numbers_are_fields_between_dashes_right_on_odd_left_on_even_pages(word):
    assert word.settings.odd_and_even_pages_header_footer
    section = word.sections[0]
    for footer, side in ((section.footer, "RIGHT"), (section.even_page_footer, "LEFT")):
        line = footer.paragraphs[0]
        assert line.text == "— 1 —"
        assert "PAGE" in "".join(element.text or "" for element in line._p.iter(qn("w:instrText")))
        assert line.alignment.name == side


def test_word_tables_are_real_with_a_head_that_repeats_and_a_caption_for_readers(word):
    table = word.tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["序号", "任务"],
        ["1", "推进应用"],
        ["2", "一网通办"],
    ]
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert table._tbl.tblPr.find(qn("w:tblCaption")).get(qn("w:val")) == "任务清单"


def test_word_has_the_imprint_at_the_foot_and_the_flags_on_every_page(word):
    imprint = word.tables[-1]
    assert imprint.rows[0].cells[0].text == "抄送：区政府办公室，各镇街。"
    assert imprint.rows[1].cells[0].text.endswith("2022年10月8日印发")
    assert imprint._tbl.tblPr.find(qn("w:tblpPr")).get(qn("w:tblpYSpec")) == "bottom"
    for header in (word.sections[0].header, word.sections[0].even_page_header):
        assert header.paragraphs[0].text == "草稿　演示数据"


P_ORDER = [
    "pStyle",
    "keepNext",
    "keepLines",
    "widowControl",
    "numPr",
    "pBdr",
    "shd",
    "tabs",
    "spacing",
    "ind",
    "contextualSpacing",
    "jc",
]
T_ORDER = [
    "tblStyle",
    "tblpPr",
    "tblW",
    "jc",
    "tblInd",
    "tblBorders",
    "shd",
    "tblLayout",
    "tblCellMar",
    "tblLook",
    "tblCaption",
    "tblDescription",
]


def test_word_elements_stand_in_the_order_that_word_insists_on(word):
    roots = [word.element, word.styles.element, word.sections[0].footer._element]
    for root in roots:
        for tag, order in (("w:pPr", P_ORDER), ("w:tblPr", T_ORDER)):
            for properties in root.iter(qn(tag)):
                names = [child.tag.rpartition("}")[2] for child in properties]
                known = [order.index(name) for name in names if name in order]
                assert known == sorted(known), names


def test_what_a_person_typed_is_text_in_word(word):
    assert "推进 <b>顺利</b> & 有序。" in [line.text for line in word.paragraphs]


# .pdf -----------------------------------------------------------------------------------------------------------------


def test_pdf_is_tagged_named_and_in_chinese(drawn):
    reader = pypdf.PdfReader(io.BytesIO(drawn))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "zh-CN"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "pdfuaid" in root["/Metadata"].get_object().get_data().decode()
    assert reader.metadata.title == PAPER.title


def test_pdf_pages_are_a4_and_every_face_is_embedded(pages):
    for page in pages:
        assert float(page.mediabox.width) == pytest.approx(form.points(210), abs=0.5)
        assert float(page.mediabox.height) == pytest.approx(form.points(297), abs=0.5)
        for font in page["/Resources"]["/Font"].values():
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert any(key in descriptor for key in ("/FontFile2", "/FontFile3"))


def test_pdf_says_everything_in_order(pages):
    text = squeezed("".join(page.extract_text() for page in pages))
    for part in (
        "草稿演示数据",
        "示数办〔2022〕3号",
        "签发人：某某",
        "实施情况的报告",
        "区委、区政府：",
        "一、总体情况",
        "推进<b>顺利</b>&有序。",
        "（一）按单位",
        "1.第一点。接着写的话。",
        "（1）更细一点。到此为止。",
        "二、存在问题",
        "任务清单",
        "2022年10月8日",
        "抄送：区政府办公室，各镇街。",
        "2022年10月8日印发",
    ):
        assert part in text, part
    assert text.index("一、总体情况") < text.index("二、存在问题") < text.index("任务清单")


def test_pdf_fills_the_page_with_22_lines_of_28_characters(long):
    body = [line for line in long[1].extract_text().strip().splitlines() if "—" not in line]
    assert len(body) == form.LINES
    # A closing mark may not begin a line and takes the character before it along: never fewer than 26.
    assert all(26 <= len(squeezed(line)) <= form.CHARS for line in body)


def test_pdf_numbers_its_pages_between_dashes(long):
    assert all(f"—{place}—" in squeezed(page.extract_text()) for place, page in enumerate(long, start=1))


def test_a_paper_fetches_nothing_whatever_its_text_says(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **kwargs: pytest.fail("fetched"))
    text = '<img src="http://127.0.0.1/x.png"><link rel="stylesheet" href="file:///etc/passwd">'
    reader = pypdf.PdfReader(io.BytesIO(as_pdf(Paper("通报", (Paragraph(text),), DAY))))
    assert "etc/passwd" in squeezed(reader.pages[0].extract_text())


def test_the_same_paper_is_the_same_file(drawn):
    assert as_pdf(PAPER) == drawn
    assert as_docx(PAPER) == as_docx(PAPER)


# .xlsx ----------------------------------------------------------------------------------------------------------------


SHEET = Sheet(
    "任务",
    (("序号", 6), ("任务", 30), ("期限", 12), ("数", 8)),
    [
        (1, '=HYPERLINK("http://x","y")', DAY, 81.5),
        (2, "+1", None, None),
        (3, "-1", DAY, 2),
        (4, "@SUM(A1)\x07", DAY, 3),
        (5, "普通文字", DAY, 4),
    ],
)


@pytest.fixture(scope="module")
def sheet():
    return openpyxl.load_workbook(io.BytesIO(as_xlsx("计划 A&B", "说明", [SHEET], DAY)))["任务"]


def test_what_begins_like_a_formula_stays_text_and_is_marked_as_quoted(sheet):
    cells = [sheet.cell(row, 2) for row in range(2, 6)]
    assert [cell.data_type for cell in cells] == ["s"] * 4
    assert all(cell.quotePrefix for cell in cells)
    assert cells[0].value == '=HYPERLINK("http://x","y")'
    assert cells[3].value == "@SUM(A1)"
    assert not sheet["B6"].quotePrefix


def test_dates_and_numbers_are_what_they_are(sheet):
    assert sheet["C2"].value.date() == DAY
    assert sheet["C2"].number_format == "yyyy-mm-dd"
    assert (sheet["D2"].value, sheet["C3"].value) == (81.5, None)


def test_the_head_is_frozen_filtered_and_printed_on_every_page(sheet):
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:D6"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet.column_dimensions["B"].width == 30
    assert "A&&B" in sheet.oddHeader.center.text


def test_the_same_workbook_is_the_same_file():
    assert as_xlsx("计划", "说明", [SHEET], DAY) == as_xlsx("计划", "说明", [SHEET], DAY)
