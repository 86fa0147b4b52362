"""A paper as PDF/UA, drawn by WeasyPrint. Nothing is fetched: what a person typed can name an address, never open it.

Lines of Chinese have no spaces to widen, and WeasyPrint justifies by spaces only. So a paper is laid out twice: once to
learn where lines end and how much room each leaves, then with that room shared out between its characters (5.2.3: 撑满版心).
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import accumulate
from string import Template

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from weasyprint import HTML
from weasyprint.formatting_structure import boxes
from weasyprint.urls import URLFetcher

from liangzhu.pillars.programme.papers import gbt9704 as form


def _faces(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' if name not in ("serif", "sans-serif") else name for name in names)


_STYLE = Template(
    """
@page { size: ${page_width}mm ${page_height}mm; margin: ${top}mm ${right}mm ${bottom}mm ${left}mm;
  @top-left { content: "$flags"; font: 700 ${size4}pt $heiti; color: #$red; vertical-align: middle; white-space: nowrap; }
  @footnote { border: 0; margin: 0; padding: 0; } }
@page :right { @bottom-right { content: "— " counter(page) " —"; font: ${size4}pt/1 $songti; white-space: nowrap;
  vertical-align: top; padding: ${number_below}mm ${size4}pt 0 0; } }
@page :left { @bottom-left { content: "— " counter(page) " —"; font: ${size4}pt/1 $songti; white-space: nowrap;
  vertical-align: top; padding: ${number_below}mm 0 0 ${size4}pt; } }
html { font: ${char}mm/${line}mm $fangsong; color: #000; }
body, h1, h2, h3, h4, h5, p, table { margin: 0; font-size: inherit; font-weight: 400; }
p, .text { text-indent: 2em; orphans: 1; widows: 1; overflow-wrap: anywhere; }
.set { white-space: nowrap; }
.mark { margin-top: ${mark_top}mm; text-align: center; text-indent: 0; color: #$red; white-space: nowrap;
  font: 700 ${mark_size}pt/1 $xiaobiaosong; }
.number { margin-top: ${two_lines}mm; text-align: center; text-indent: 0; }
.number.up { display: flex; justify-content: space-between; padding: 0 1em; white-space: nowrap; }
.number b { font: ${size3}pt/1 $kaiti; }
.rule { margin-top: ${rule_below}mm; border-top: 1.2pt solid #$red; height: 0; }
h1 { margin: ${two_lines}mm 0 ${line}mm; text-align: center; font: 700 ${size2}pt/1.36 $xiaobiaosong; }
h1.bare { margin-top: 0; }
h2, h3, h4, h5 { text-indent: 2em; break-after: avoid; }
h2 { font-family: $heiti; } h3 { font-family: $kaiti; }
.run { display: inline; }
.text.addressees { text-indent: 0; }
.sign { margin-top: ${line}mm; break-inside: avoid; break-before: avoid; }
.sign p { text-align: right; text-indent: 0; }
caption, .caption { font: ${size3}pt/${line}mm $heiti; text-align: center; text-indent: 0; break-after: avoid; }
table { width: 100%; margin: 2mm 0 4mm; border-collapse: collapse; table-layout: fixed;
  font: ${size5}pt/1.45 $fangsong; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th { font: ${size5}pt/1.45 $heiti; text-align: center; }
th, td { border: 0.5pt solid #000; padding: 1.1mm 1.4mm; vertical-align: middle; overflow-wrap: anywhere; }
.right { text-align: right; white-space: nowrap; } .center { text-align: center; white-space: nowrap; }
.imprint { float: footnote; font: ${size4}pt/9mm $fangsong; border: solid #000; border-width: 0.35mm 0;
  text-indent: 0; }
.imprint::footnote-call { content: none; } .imprint::footnote-marker { content: none; }
.imprint p { display: flex; justify-content: space-between; padding: 0 1em; text-indent: 0; text-align: left; }
.imprint p + p { border-top: 0.25mm solid #000; }
.imprint .copies { display: block; padding-left: 4em; text-indent: -3em; }
"""
)


def as_pdf(paper: form.Paper) -> bytes:
    """The paper as a tagged PDF (PDF/UA-1), the same bytes for the same paper."""
    html = _page(paper, _measure(_page(paper, {})))
    return HTML(string=html, url_fetcher=_Nothing()).write_pdf(
        pdf_variant="pdf/ua-1", pdf_identifier=sha256(html.encode()).digest()[:16]
    )


class _Nothing(URLFetcher):
    def fetch(self, url: str, headers: dict | None = None) -> None:
        """Refuse. Raises ValueError, which WeasyPrint takes as a resource that is missing."""
        raise ValueError(f"a paper refers to nothing outside it: {url}")


Line = tuple[int, float]
"""A line as it was laid out: how many characters it holds (spaces not counted), and how much to put after each, in px."""


def _measure(html: str) -> dict[str, list[Line]]:
    """The lines of every element of the class ``text``, by its id."""
    found: dict[str, list[Line]] = {}
    for page in HTML(string=html, url_fetcher=_Nothing()).render().pages:
        for box in page._page_box.descendants():
            if isinstance(box, boxes.BlockContainerBox) and box.element is not None and box.element.get("id"):
                edge = box.content_box_x() + box.width
                lines = found.setdefault(box.element.get("id"), [])
                lines += [_line(line, edge) for line in box.children if isinstance(line, boxes.LineBox)]
    return found


def _line(line: boxes.LineBox, edge: float) -> Line:
    words = [box for box in line.descendants() if isinstance(box, boxes.TextBox)]
    held = sum(len(box.text) - len(re.findall(r"\s", box.text)) for box in words)
    room = edge - max((box.position_x + box.width for box in words), default=edge)
    return held, max(room, 0.0) / max(held, 1)


def _set(parts: Sequence[tuple[str, str]], lines: Sequence[Line]) -> SafeString:
    """Text in parts of (tag or "", text), broken and spread as the lines say; the last line keeps its room."""
    text = "".join(words for _, words in parts)
    rows = _rows(text, lines)
    out, at = [], 0
    for tag, words in parts:
        pieces = []
        for start, end, spread in rows:
            piece = escape(text[max(start, at) : min(end, at + len(words))])
            if piece:
                turn = "<br>" if start > 0 and at <= start else ""
                spaced = f'<span style="letter-spacing:{spread:.4f}px">{piece}</span>' if spread else piece
                pieces.append(f"{turn}{spaced}")
        inside = "".join(pieces)
        out.append(f'<{tag} class="run">{inside}</{tag}>' if tag else inside)
        at += len(words)
    return mark_safe("".join(out))


def _rows(text: str, lines: Sequence[Line]) -> list[tuple[int, int, float]]:
    """Start, end and spread of each line in the text. Lines count no spaces, because layout drops them at an end."""
    rows, start, held, due = [], 0, 0, list(accumulate(count for count, _ in lines))
    for place, char in enumerate(text):
        if len(rows) < len(lines) - 1 and held == due[len(rows)] and not char.isspace():
            rows.append((start, place, lines[len(rows)][1]))
            start = place
        held += not char.isspace()
    return [*rows, (start, len(text), 0.0)]


def _style(paper: form.Paper) -> str:
    return _STYLE.substitute(
        page_width=form.PAGE_WIDTH,
        page_height=form.PAGE_HEIGHT,
        top=form.TOP,
        right=form.RIGHT,
        bottom=form.BOTTOM,
        left=form.LEFT,
        # A hair below the grid, so that rounding never costs a page its 22nd line or a line its 28th character.
        line=round(form.LINE - 0.002, 4),
        two_lines=round(2 * form.LINE, 4),
        char=round(form.CHAR - 0.002, 4),
        size2=form.SIZE_2,
        size3=form.SIZE_3,
        size4=form.SIZE_4,
        size5=form.SIZE_5,
        mark_top=form.MARK_FROM_TOP,
        mark_size=paper.mark_size,
        rule_below=form.RULE_BELOW_NUMBER,
        number_below=form.NUMBER_BELOW_BODY,
        red=form.RED,
        flags="　".join(paper.flags).replace("\\", "").replace('"', ""),
        fangsong=_faces(form.FANGSONG),
        heiti=_faces(form.HEITI),
        kaiti=_faces(form.KAITI),
        xiaobiaosong=_faces(form.XIAOBIAOSONG),
        songti=_faces(form.SONGTI),
    )


def _page(paper: form.Paper, lines: dict[str, list[Line]]) -> str:
    head = format_html(
        '<meta charset="utf-8"><title>{}</title><meta name="author" content="{}">'
        '<meta name="dcterms.created" content="{}"><meta name="dcterms.modified" content="{}">',
        paper.title,
        paper.signature,
        paper.made_on.isoformat(),
        paper.made_on.isoformat(),
    )
    return "".join(
        [
            f'<!doctype html><html lang="zh-CN"><head>{head}<style>{_style(paper)}</style></head><body>',
            _head(paper),
            _title(paper),
            _addressees(paper, lines),
            *(_block(place, number, block, lines) for place, (number, block) in enumerate(paper.numbered())),
            _signature(paper),
            _imprint(paper),
            "</body></html>",
        ]
    )


def _text(
    ident: str, kind: str, parts: Sequence[tuple[str, str]], lines: dict[str, list[Line]]
) -> SafeString:
    """A stretch of running text. A heading inside one keeps it a ``div``: a paragraph cannot hold a heading."""
    tag = "div" if any(name for name, _ in parts) else "p"
    return format_html(
        '<{0} id="{1}" class="text {2}">{3}</{0}>',
        mark_safe(tag),
        ident,
        f"{kind} set" if ident in lines else kind,
        _set(parts, lines.get(ident, [])),
    )


def _head(paper: form.Paper) -> str:
    if not paper.mark:
        return ""
    if paper.signer:
        number = format_html(
            '<p class="number up"><span>{}</span><span>签发人：<b>{}</b></span></p>',
            paper.number,
            paper.signer,
        )
    else:
        number = format_html('<p class="number">{}</p>', paper.number)
    return format_html('<p class="mark">{}</p>{}<div class="rule"></div>', paper.mark, number)


def _title(paper: form.Paper) -> SafeString:
    lines = mark_safe("<br>".join(escape(line) for line in form.title_lines(paper.title)))
    return format_html("<h1{}>{}</h1>", mark_safe("" if paper.mark else ' class="bare"'), lines)


def _addressees(paper: form.Paper, lines: dict[str, list[Line]]) -> str:
    if not paper.addressees:
        return ""
    return _text("to", "addressees", [("", "、".join(paper.addressees) + "：")], lines)


def _block(place: int, number: str, block: form.Block, lines: dict[str, list[Line]]) -> str:
    if isinstance(block, form.Table):
        return _table(block)
    if isinstance(block, form.Paragraph):
        return _text(f"b{place}", "", [("", block.text)], lines)
    tag = f"h{block.level + 1}"
    if block.rest:
        return _text(f"b{place}", "", [(tag, number + block.text), ("", block.rest)], lines)
    return format_html("<{0}>{1}{2}</{0}>", mark_safe(tag), number, block.text)


def _table(table: form.Table) -> str:
    shares = table.shares()
    columns = format_html_join("", '<col style="width:{}mm">', ((round(share, 2),) for share in shares))
    heads = format_html_join("", '<th scope="col">{}</th>', ((column.title,) for column in table.columns))
    rows = format_html_join(
        "",
        "<tr>{}</tr>",
        (
            (
                format_html_join(
                    "",
                    '<td class="{}">{}</td>',
                    ((column.align, cell) for column, cell in zip(table.columns, row, strict=True)),
                ),
            )
            for row in table.rows
        ),
    )
    caption = format_html('<p class="caption">{}</p>', table.caption) if table.caption else ""
    return format_html(
        "{}<table><colgroup>{}</colgroup><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        caption,
        columns,
        heads,
        rows,
    )


def _signature(paper: form.Paper) -> str:
    if not paper.signature:
        return ""
    name, day = paper.signature_indents()
    lines = [(name, paper.signature)]
    if paper.signed_on:
        lines.append((day, form.chinese_date(paper.signed_on)))
    return format_html(
        '<div class="sign">{}</div>',
        format_html_join("", '<p style="padding-right:{}em">{}</p>', lines),
    )


def _imprint(paper: form.Paper) -> str:
    parts = []
    if paper.copies:
        parts.append(format_html('<p class="copies">抄送：{}。</p>', "，".join(paper.copies)))
    if paper.printed_by and paper.printed_on:
        parts.append(
            format_html(
                "<p><span>{}</span><span>{}印发</span></p>",
                paper.printed_by,
                form.chinese_date(paper.printed_on),
            )
        )
    return f'<div class="imprint">{"".join(parts)}</div>' if parts else ""
