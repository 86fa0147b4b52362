"""A paper as .docx: styles, margins, numbering, page number fields and tables are Word's own, so that people can go on editing."""

import io
from collections.abc import Sequence
from datetime import datetime, time

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph

from liangzhu.kernel.still import still
from liangzhu.pillars.programme.papers import gbt9704 as form

FACES = {
    "仿宋": form.FANGSONG,
    "黑体": form.HEITI,
    "楷体": form.KAITI,
    "方正小标宋简体": form.XIAOBIAOSONG,
    "宋体": form.SONGTI,
}
"""The name of each face as Word has it; what stands in for it is written into the font table."""

ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
}
LINE = Pt(form.points(form.LINE))
NUMBERING_ID = 7
"""Of the list that numbers the headings; the template's own lists are below."""


def as_docx(paper: form.Paper) -> bytes:
    """The paper as a Word document, the same bytes for the same paper."""
    word = Document()
    _page(word, paper)
    _styles(word, paper)
    _number_headings(word)
    _fonts(word)
    _drop_thumbnail(word)
    _properties(word, paper)
    _head(word, paper)
    _paragraph(word, "公文标题", "\n".join(form.title_lines(paper.title)))
    if paper.addressees:
        _paragraph(word, "主送机关", "、".join(paper.addressees) + "：")
    for block in paper.blocks:
        _block(word, block)
    _signature(word, paper)
    _imprint(word, paper)
    out = io.BytesIO()
    word.save(out)
    return still(out.getvalue(), paper.made_on)


def _page(word: WordDocument, paper: form.Paper) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = Mm(form.PAGE_WIDTH), Mm(form.PAGE_HEIGHT)
    section.top_margin, section.bottom_margin = Mm(form.TOP), Mm(form.BOTTOM)
    section.left_margin, section.right_margin = Mm(form.LEFT), Mm(form.RIGHT)
    section.header_distance = Mm(15)
    section.footer_distance = Mm(form.BOTTOM - form.NUMBER_BELOW_BODY) - Pt(form.SIZE_4)
    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is None:
        grid = OxmlElement("w:docGrid")
        section._sectPr.append(grid)
    grid.set(qn("w:type"), "linesAndChars")
    grid.set(qn("w:linePitch"), str(round(form.points(form.LINE) * 20)))
    # In 4096ths of a point: what a character of the grid is wider than one of type.
    grid.set(qn("w:charSpace"), str(round((form.points(form.CHAR) - form.SIZE_3) * 4096)))
    word.settings.odd_and_even_pages_header_footer = True
    for footer, align, indent in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT, "right"),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT, "left"),
    ):
        line = footer.paragraphs[0]
        line.alignment = align
        _indent(line, **{indent: 1})
        for piece in ("— ", None, " —"):
            if piece is None:
                _field(line, "PAGE")
            else:
                line.add_run(piece)
    for header in (section.header, section.even_page_header):
        header.paragraphs[0].text = "　".join(paper.flags)


def _styles(word: WordDocument, paper: form.Paper) -> None:
    styles = word.styles
    _style(styles["Normal"], "仿宋", form.SIZE_3)
    _style(styles["Header"], "黑体", form.SIZE_4, colour=form.RED, line=Pt(form.SIZE_4 * 1.4))
    _style(styles["Footer"], "宋体", form.SIZE_4, line=Pt(form.SIZE_4))
    _style(styles["Title"], "方正小标宋简体", form.SIZE_2, align="center")
    for name, base, face, size, more in (
        (
            "公文标题",
            "Title",
            "方正小标宋简体",
            form.SIZE_2,
            {"align": "center", "above": 2 if paper.mark else 0, "below": 1},
        ),
        (
            "发文机关标志",
            "Normal",
            "方正小标宋简体",
            paper.mark_size,
            {"align": "center", "colour": form.RED},
        ),
        ("发文字号", "Normal", "仿宋", form.SIZE_3, {"align": "center", "above": 2}),
        ("主送机关", "Normal", "仿宋", form.SIZE_3, {}),
        ("公文正文", "Normal", "仿宋", form.SIZE_3, {"first": 2}),
        ("署名", "Normal", "仿宋", form.SIZE_3, {"align": "right"}),
        ("表格标题", "Normal", "黑体", form.SIZE_3, {"align": "center", "keep": True}),
        ("表格文字", "Normal", "仿宋", form.SIZE_5, {"line": Pt(form.SIZE_5 * 1.45)}),
        ("表格栏目", "Normal", "黑体", form.SIZE_5, {"line": Pt(form.SIZE_5 * 1.45), "align": "center"}),
        ("版记", "Normal", "仿宋", form.SIZE_4, {"line": Mm(9)}),
    ):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles[base]
        style.quick_style = True
        _style(style, face, size, **more)
    styles["发文机关标志"].paragraph_format.line_spacing = Pt(paper.mark_size)
    styles["发文机关标志"].paragraph_format.space_before = Mm(form.MARK_FROM_TOP)
    for level, face in enumerate(("黑体", "楷体", "仿宋", "仿宋"), start=1):
        _style(styles[f"Heading {level}"], face, form.SIZE_3, first=2, keep=True)


def _style(
    style: ParagraphStyle,
    face: str,
    size: float,
    *,
    align: str = "",
    colour: str = "000000",
    first: float = 0,
    above: float = 0,
    below: float = 0,
    keep: bool = False,
    line: int = LINE,
) -> None:
    """Write a style anew. ``first`` is in characters, ``above`` and ``below`` in lines, ``line`` the exact line height."""
    for child in list(style.element):
        if child.tag in (qn("w:rPr"), qn("w:pPr")):
            style.element.remove(child)
    style.font.size = Pt(size)
    style.font.bold = False
    style.font.color.rgb = RGBColor.from_string(colour)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(name), face)
    look = style.paragraph_format
    look.line_spacing_rule, look.line_spacing = WD_LINE_SPACING.EXACTLY, line
    look.space_before, look.space_after = (
        Pt(form.points(above * form.LINE)),
        Pt(form.points(below * form.LINE)),
    )
    look.keep_with_next = keep
    look.widow_control = False
    look.alignment = ALIGN[align] if align else WD_ALIGN_PARAGRAPH.JUSTIFY
    if first:
        _indent(style, first=first)


def _indent(target: WordParagraph | ParagraphStyle, **sides: float) -> None:
    """Indents in characters: Word keeps the hundredths, others read the twentieths of a point beside them."""
    where = target.element if isinstance(target, ParagraphStyle) else target._p
    indent = where.get_or_add_pPr().get_or_add_ind()
    for side, chars in sides.items():
        name = "firstLine" if side == "first" else side
        indent.set(qn(f"w:{name}Chars"), str(round(chars * 100)))
        indent.set(qn(f"w:{name}"), str(round(chars * form.points(form.CHAR) * 20)))


def _number_headings(word: WordDocument) -> None:
    """One list of four levels tied to the heading styles, so that numbers follow when somebody moves a section."""
    numbering = word.part.numbering_part.element
    formats = (
        ("chineseCountingThousand", "%1、"),
        ("chineseCountingThousand", "（%2）"),
        ("decimal", "%3."),
        ("decimal", "（%4）"),
    )
    levels = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:pStyle w:val="Heading{n + 1}"/>'
        f'<w:suff w:val="nothing"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/></w:lvl>'
        for n, (kind, text) in enumerate(formats)
    )
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{NUMBERING_ID}0">'
        f'<w:multiLevelType w:val="multilevel"/>{levels}</w:abstractNum>'
    )
    first = numbering.find(qn("w:num"))
    if first is None:
        numbering.append(abstract)
    else:
        first.addprevious(abstract)
    numbering.append(
        parse_xml(
            f'<w:num {nsdecls("w")} w:numId="{NUMBERING_ID}0"><w:abstractNumId w:val="{NUMBERING_ID}0"/></w:num>'
        )
    )
    for level in range(4):
        properties = word.styles[f"Heading {level + 1}"].element.get_or_add_pPr()
        number = properties.get_or_add_numPr()
        number.get_or_add_ilvl().val = level
        number.get_or_add_numId().val = NUMBERING_ID * 10


def _fonts(word: WordDocument) -> None:
    """Name what may stand in for each face: Word takes an ``altName`` where the face itself is missing."""
    part = next(
        relation.target_part
        for relation in word.part.rels.values()
        if relation.reltype == RELATIONSHIP_TYPE.FONT_TABLE
    )
    rows = "".join(
        f'<w:font w:name="{face}"><w:altName w:val="{",".join(names[:-1])}"/><w:charset w:val="86"/></w:font>'
        for face, names in FACES.items()
    )
    part._blob = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:fonts {nsdecls("w")}>{rows}</w:fonts>'.encode()


def _drop_thumbnail(word: WordDocument) -> None:
    """The picture in the container shows the library's empty page, not ours."""
    relations = word.part.package.rels
    for ident in [ident for ident, relation in relations.items() if relation.reltype.endswith("/thumbnail")]:
        relations.pop(ident)


def _properties(word: WordDocument, paper: form.Paper) -> None:
    facts = word.core_properties
    facts.title, facts.author, facts.language = paper.title, paper.signature, "zh-CN"
    facts.comments, facts.keywords, facts.last_modified_by = "", "，".join(paper.flags), paper.signature
    facts.created = facts.modified = datetime.combine(paper.made_on, time())
    for root, name in ((word.styles.element, "w:lang"), (word.settings.element, "w:themeFontLang")):
        for language in root.iter(qn(name)):
            language.set(qn("w:eastAsia"), "zh-CN")
    for spacing in word.settings.element.iter(qn("w:characterSpacingControl")):
        spacing.set(qn("w:val"), "compressPunctuation")


def _head(word: WordDocument, paper: form.Paper) -> None:
    if not paper.mark:
        return
    _paragraph(word, "发文机关标志", paper.mark)
    line = _paragraph(word, "发文字号", paper.number)
    if paper.signer:
        # 7.2.6: the number one character from the left, the signer one from the right.
        line.alignment = WD_ALIGN_PARAGRAPH.LEFT
        _indent(line, left=1, right=1)
        line.paragraph_format.tab_stops.add_tab_stop(Mm(form.BODY_WIDTH - form.CHAR), WD_TAB_ALIGNMENT.RIGHT)
        line.add_run("\t签发人：")
        name = line.add_run(paper.signer)
        name.font.name = "楷体"
        name._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "楷体")
    _insert(
        line._p.get_or_add_pPr(),
        f'<w:pBdr {{}}><w:bottom w:val="single" w:sz="12" w:color="{form.RED}" '
        f'w:space="{round(form.points(form.RULE_BELOW_NUMBER))}"/></w:pBdr>',
        before=(
            "shd",
            "tabs",
            "suppressAutoHyphens",
            "kinsoku",
            "snapToGrid",
            "spacing",
            "ind",
            "contextualSpacing",
            "jc",
        ),
    )


def _paragraph(word: WordDocument, style: str, text: str) -> WordParagraph:
    return word.add_paragraph(text, style=word.styles[style])


def _block(word: WordDocument, block: form.Block) -> None:
    if isinstance(block, form.Table):
        _table(word, block)
    elif isinstance(block, form.Paragraph):
        _paragraph(word, "公文正文", block.text)
    else:
        line = _paragraph(word, f"Heading {block.level}", block.text)
        if block.rest:
            rest = line.add_run(block.rest)
            rest.font.name = "仿宋"
            rest._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "仿宋")
            line.paragraph_format.keep_with_next = False


def _table(word: WordDocument, table: form.Table) -> None:
    if table.caption:
        _paragraph(word, "表格标题", table.caption)
    made = word.add_table(rows=1, cols=len(table.columns), style="Table Grid")
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    _describe(made, table.caption)
    for column, share in zip(made.columns, table.shares(), strict=True):
        column.width = Mm(share)
    _fill(
        made.rows[0].cells,
        [column.title for column in table.columns],
        "表格栏目",
        ["center"] * len(table.columns),
        table,
    )
    mark = made.rows[0]._tr.get_or_add_trPr()
    mark.append(OxmlElement("w:cantSplit"))
    mark.append(OxmlElement("w:tblHeader"))
    for row in table.rows:
        added = made.add_row()
        added._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        _fill(added.cells, row, "表格文字", [column.align for column in table.columns], table)
    word.add_paragraph(style=word.styles["公文正文"]).paragraph_format.line_spacing = Pt(form.SIZE_5)


def _fill(
    cells: Sequence, texts: Sequence[str], style: str, aligns: Sequence[str], table: form.Table
) -> None:
    for cell, text, align, share in zip(cells, texts, aligns, table.shares(), strict=True):
        cell.width = Mm(share)
        line = cell.paragraphs[0]
        line.style = cell.part.document.styles[style]
        line.alignment = ALIGN[align]
        line.add_run(text)


def _describe(table: WordTable, caption: str) -> None:
    """The caption again, where assistive technology looks for it."""
    properties = table._tbl.tblPr
    for name in ("w:tblCaption", "w:tblDescription"):
        element = OxmlElement(name)
        element.set(qn("w:val"), caption)
        properties.append(element)


def _signature(word: WordDocument, paper: form.Paper) -> None:
    if not paper.signature:
        return
    name, day = paper.signature_indents()
    # 7.3.5.5: a signature does not stand on a page of its own.
    for last in _last_lines(word):
        last.paragraph_format.keep_with_next = True
    line = _paragraph(word, "署名", paper.signature)
    line.paragraph_format.space_before = LINE
    line.paragraph_format.keep_with_next = True
    _indent(line, right=name)
    if paper.signed_on:
        _indent(_paragraph(word, "署名", form.chinese_date(paper.signed_on)), right=day)


def _last_lines(word: WordDocument) -> list[WordParagraph]:
    """The last paragraph, and if it only closes a table the lines of the table's last row."""
    lines = word.paragraphs[-1:]
    before = lines[0]._p.getprevious() if lines else None
    if before is not None and before.tag == qn("w:tbl"):
        lines += [line for cell in word.tables[-1].rows[-1].cells for line in cell.paragraphs]
    return lines


def _imprint(word: WordDocument, paper: form.Paper) -> None:
    """版记 at the foot of the last page: a table that keeps to the bottom of the body."""
    rows = []
    if paper.copies:
        rows.append(f"抄送：{'，'.join(paper.copies)}。")
    if paper.printed_by and paper.printed_on:
        rows.append(f"{paper.printed_by}\t{form.chinese_date(paper.printed_on)}印发")
    if not rows:
        return
    table = word.add_table(rows=0, cols=1)
    table.autofit = False
    for text in rows:
        cell = table.add_row().cells[0]
        cell.width = Mm(form.BODY_WIDTH)
        line = cell.paragraphs[0]
        line.style = word.styles["版记"]
        line.alignment = WD_ALIGN_PARAGRAPH.LEFT
        if text.startswith("抄送："):
            _indent(line, left=4, right=1)
            _indent(line, hanging=3)
        else:
            _indent(line, left=1, right=1)
            line.paragraph_format.tab_stops.add_tab_stop(
                Mm(form.BODY_WIDTH - form.CHAR - 4), WD_TAB_ALIGNMENT.RIGHT
            )
        line.add_run(text)
    properties = table._tbl.tblPr
    # 7.4.1: thick lines above and below, a thin one between; eighths of a point.
    _insert(
        properties,
        '<w:tblBorders {}><w:top w:val="single" w:sz="8" w:color="000000"/>'
        '<w:bottom w:val="single" w:sz="8" w:color="000000"/>'
        '<w:insideH w:val="single" w:sz="6" w:color="000000"/></w:tblBorders>',
        before=("shd", "tblLayout", "tblCellMar", "tblLook", "tblCaption", "tblDescription"),
    )
    _insert(
        properties,
        '<w:tblpPr {} w:vertAnchor="margin" w:horzAnchor="margin" w:tblpXSpec="left" w:tblpYSpec="bottom"/>',
        before=("tblOverlap", "bidiVisual", "tblStyleRowBandSize", "tblStyleColBandSize", "tblW"),
    )
    # A body may not end in a table.
    word.add_paragraph().paragraph_format.line_spacing = Pt(1)


def _insert(parent: BaseOxmlElement, xml: str, before: Sequence[str]) -> None:
    """Add an element where the schema has its place: Word refuses a file whose elements stand in another order."""
    parent.insert_element_before(parse_xml(xml.format(nsdecls("w"))), *(f"w:{name}" for name in before))


def _field(line: WordParagraph, code: str) -> None:
    """A field that Word computes, with 1 in it until it does."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("text", "1"), ("end", "")):
        run = line.add_run()
        if kind == "text":
            run.text = text
        elif kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        else:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {text} "
            run._r.append(instruction)
