"""From files to text: encodings, Word numbering and tables, web pages, PDF; and every file that must be refused."""

import hashlib
import io
import time
import zipfile

import docx
import pytest
import weasyprint
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image

from liangzhu.pillars.programme.reading import (
    DamagedFile,
    EmptyFile,
    NoTextLayer,
    PasswordProtected,
    ReadingError,
    TooLarge,
    UndecodableText,
    UnknownFormat,
    UnreadablePath,
    extract,
    read_bytes,
    read_file,
    to_json,
)

PLAN = """青浦县数字化试点方案
一、总体要求
1. 明确方向。到2025年全面建成。
二、重点任务
2. 建设平台。接入率达到95%以上。（责任单位：县数据局、县财政局）
3. 加强培训。年内培训不少于200人次。（责任单位：县人社局，各镇街）
"""


def saved(document):
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def numbered(document, text, identity, level=0):
    """A paragraph with an automatic number."""
    paragraph = document.add_paragraph(text)
    paragraph._p.get_or_add_pPr().append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{identity}"/></w:numPr>')
    )
    return paragraph


def add_numbering(document, identity, *levels):
    """A list definition; each level is (format, text)."""
    root = document.part.numbering_part.element
    shapes = "".join(
        f'<w:lvl w:ilvl="{index}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for index, (form, text) in enumerate(levels)
    )
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{identity}">{shapes}</w:abstractNum>'
    )
    root.insert(0, abstract)
    root.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="{identity}"><w:abstractNumId w:val="{identity}"/></w:num>')
    )


# -- Word ----------------------------------------------------------------------------------------------------------------


def test_numbers_that_word_adds_by_itself_are_written_out():
    document = docx.Document()
    document.add_paragraph("青浦县数字化试点方案")
    add_numbering(
        document, 90, ("chineseCountingThousand", "%1、"), ("decimal", "%2."), ("decimal", "（%3）")
    )
    numbered(document, "总体要求", 90)
    numbered(document, "明确方向。到2025年全面建成。", 90, 1)
    numbered(document, "重点任务", 90)
    numbered(document, "建设平台。包括：", 90, 1)
    numbered(document, "建系统；", 90, 2)
    numbered(document, "接数据。（责任单位：县数据局、县财政局）", 90, 2)
    numbered(document, "加强培训。（责任单位：县人社局，各镇街）", 90, 1)
    text = extract.text_of_bytes(saved(document))
    assert text.split("\n")[1:8] == [
        "一、总体要求",
        "1.明确方向。到2025年全面建成。",
        "二、重点任务",
        "1.建设平台。包括：",
        "（1）建系统；",
        "（2）接数据。（责任单位：县数据局、县财政局）",
        "2.加强培训。（责任单位：县人社局，各镇街）",
    ]
    articles = read_bytes(saved(document)).articles
    assert [(article.label, article.chapter) for article in articles] == [
        ("1.", "一、总体要求"),
        ("1.", "二、重点任务"),
        ("2.", "二、重点任务"),
    ]


def test_numbers_may_come_from_the_style_and_bullets_give_none():
    document = docx.Document()
    add_numbering(document, 91, ("japaneseCounting", "（%1）"))
    add_numbering(document, 92, ("bullet", "•"))
    style = document.styles.add_style("Task", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    style.element.get_or_add_pPr().append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="91"/></w:numPr>')
    )
    for no in range(11):
        document.add_paragraph(f"任务{no}", style="Task")
    numbered(document, "说明", 92)
    lines = extract.text_of_bytes(saved(document)).split("\n")
    assert (lines[0], lines[9], lines[10], lines[11]) == (
        "（一）任务0",
        "（十）任务9",
        "（十一）任务10",
        "说明",
    )


def test_a_task_table_in_word_with_merged_cells():
    document = docx.Document()
    document.add_paragraph("三河镇重点工作任务分解表")
    table = document.add_table(rows=5, cols=4)
    rows = [
        ("序号", "工作任务", "责任单位", "完成时限"),
        ("一、项目建设", "", "", ""),
        ("1", "新建冷链仓库", "镇经发办\n镇财政所", "10月底前"),
        ("2", "技改扩能", "", "2023年"),
        ("3", "修路", "镇建设办、各村", "长期"),
    ]
    for row, values in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    table.cell(1, 0).merge(table.cell(1, 3))
    table.cell(2, 2).merge(table.cell(3, 2))
    document.add_paragraph("三河镇人民政府")
    document.add_paragraph("2023年2月1日")
    found = to_json(read_bytes(saved(document)))
    assert [
        (a["no"], a["chapter"], a["title"], a["lead"], a["helpers"], a["open_sets"])
        for a in found["articles"]
    ] == [
        (1, "一、项目建设", "新建冷链仓库", "镇经发办", ["镇财政所"], []),
        (2, "一、项目建设", "技改扩能", "镇经发办", ["镇财政所"], []),
        (3, "一、项目建设", "修路", "镇建设办", [], ["各村"]),
    ]
    assert [[d["date"] for d in a["deadlines"]] for a in found["articles"]] == [
        ["2023-10-31"],
        ["2023-12-31"],
        [""],
    ]
    assert (found["issuer"], found["date"]) == ("三河镇人民政府", "2023-02-01")


def test_paragraphs_and_tables_keep_their_order():
    document = docx.Document()
    document.add_paragraph("甲")
    document.add_table(rows=1, cols=2).cell(0, 1).text = "乙"
    document.add_paragraph("丙")
    assert extract.text_of_bytes(saved(document)) == "甲\n\t乙\n丙\n"


def test_text_that_was_deleted_under_review_stays_out_and_inserted_text_comes_in():
    document = docx.Document()
    paragraph = document.add_paragraph("县发改局")
    for tag, inner in (("del", "<w:delText>、县旧局</w:delText>"), ("ins", "<w:t>、县新局</w:t>")):
        paragraph._p.append(
            parse_xml(f'<w:{tag} {nsdecls("w")} w:id="1" w:author="a"><w:r>{inner}</w:r></w:{tag}>')
        )
    assert extract.text_of_bytes(saved(document)) == "县发改局、县新局\n"


# -- web pages ---------------------------------------------------------------------------------------------------------------


def page(body, head='<meta charset="utf-8">'):
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def test_a_page_keeps_blocks_as_lines_and_drops_what_is_not_shown():
    body = (
        "<nav>首页</nav><script>x</script><style>p{}</style><div style='display: none'>隐藏</div><h1>标题</h1>"
        "<p>第一段<b>加粗</b>\n续写</p><ul><li>甲</li><li>乙<br>丙</li></ul><!-- 注释 -->"
    )
    text = extract.text_of_bytes(page(body))
    assert [line for line in text.split("\n") if line] == ["标题", "第一段加粗续写", "甲", "乙", "丙"]


def test_a_task_table_in_a_page_with_merged_cells():
    body = (
        "<h1>三河镇重点工作任务分解表</h1><table><tr><th>序号</th><th>工作任务</th><th>牵头单位</th><th>配合单位</th></tr>"
        "<tr><td colspan=4>一、项目建设</td></tr><tr><td>1</td><td><p>新建仓库</p></td><td rowspan=2>镇经发办</td><td>镇财政所</td></tr>"
        "<tr><td>2</td><td>技改扩能</td><td>各村</td></tr></table>"
    )
    articles = to_json(read_bytes(page(body)))["articles"]
    assert [
        (a["no"], a["chapter"], a["title"], a["lead"], a["helpers"], a["open_sets"]) for a in articles
    ] == [
        (1, "一、项目建设", "新建仓库", "镇经发办", ["镇财政所"], []),
        (2, "一、项目建设", "技改扩能", "镇经发办", [], ["各村"]),
    ]


def test_a_table_that_only_lays_out_the_page_dissolves_into_lines():
    paragraphs = "".join(f"<p>{line}</p>" for line in (PLAN + "说明。" * 700).split("\n"))
    body = f"<table><tr><td>栏目</td><td>{paragraphs}</td></tr></table>"
    assert [article.no for article in read_bytes(page(body)).articles] == [1, 2, 3]


def test_a_page_that_declares_the_wrong_encoding_is_read_all_the_same():
    body = "".join(f"<p>{line}</p>" for line in PLAN.split("\n"))
    declared = f'<html><head><meta charset="utf-8"></head><body>{body}</body></html>'.encode("gb18030")
    assert len(read_bytes(declared, "a.html").articles) == 3


# -- text ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings_of_plain_text(encoding):
    assert extract.text_of_bytes(PLAN.encode(encoding)) == PLAN


def test_a_name_does_not_decide_the_format():
    assert len(read_bytes(PLAN.encode(), "plan.pdf").articles) == 3
    document = docx.Document()
    for line in PLAN.split("\n"):
        document.add_paragraph(line)
    assert len(read_bytes(saved(document), "plan.txt").articles) == 3


def test_one_damaged_byte_does_not_lose_the_file():
    data = PLAN.replace("试点", "X", 1).encode().replace(b"X", b"\xff", 1) + PLAN.encode() * 3
    assert "明确方向" in extract.text_of_bytes(data)


# -- PDF -----------------------------------------------------------------------------------------------------------------------


def pdf(body, style=""):
    sheet = (
        f'<style>@page {{ size: A5; margin: 2cm }} body {{ font: 14pt "Noto Serif CJK SC" }} {style}</style>'
    )
    return weasyprint.HTML(string=f"<html lang=zh>{sheet}{body}").write_pdf()


def test_lines_broken_by_the_page_are_joined_and_paragraphs_kept():
    first = "推进政务数据共享交换平台建设，完善IPv4/IPv6双栈网络，" * 4 + "接入12345热线知识库内容。"
    style = "p { text-indent: 2em; margin: 0; text-align: justify }"
    assert (
        extract.text_of_bytes(pdf(f"<p>{first}</p><p>短段。</p><p>{first}</p>", style))
        == f"{first}\n短段。\n{first}\n"
    )


def test_page_numbers_and_running_heads_are_dropped_and_paragraphs_go_on_across_pages():
    long = "坚持统筹推进数字基础设施建设、数据资源汇聚共享和安全防护体系，" * 40
    style = (
        '@page { @top-center { content: "内部资料" } @bottom-center { content: "— " counter(page) " —" } }'
        "p { text-indent: 2em; margin: 0; text-align: justify }"
    )
    assert extract.text_of_bytes(pdf(f"<p>{long}</p>", style)) == f"{long}\n"


def scan():
    image = Image.new("RGB", (300, 400), "white")
    stream = io.BytesIO()
    image.save(stream, "PDF")
    return stream.getvalue()


def with_password():
    """A PDF of one empty page that asks for a password (RC4, 40 bits, PDF 32000-1 7.6; user password ``secret``)."""
    padding = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")

    def rc4(key, data):
        state = list(range(256))
        j = 0
        for i in range(256):
            j = (j + state[i] + key[i % len(key)]) % 256
            state[i], state[j] = state[j], state[i]
        i = j = 0
        out = bytearray()
        for byte in data:
            i = (i + 1) % 256
            j = (j + state[i]) % 256
            state[i], state[j] = state[j], state[i]
            out.append(byte ^ state[(state[i] + state[j]) % 256])
        return bytes(out)

    password = (b"secret" + padding)[:32]
    identity = b"0123456789abcdef"
    owner = rc4(hashlib.md5(password).digest()[:5], password)
    key = hashlib.md5(password + owner + (0xFFFFFFFC).to_bytes(4, "little") + identity).digest()[:5]
    user = rc4(key, padding)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (owner.hex().encode(), user.hex().encode()),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    mark = identity.hex().encode()
    return data + b"trailer<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF" % (
        mark,
        mark,
        start,
    )


# -- refusals --------------------------------------------------------------------------------------------------------------------


def archive(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600


def package(document):
    return archive(**{"[Content_Types].xml": TYPES, "word__document.xml": document})


REFUSED = {
    "empty": (lambda: b"", EmptyFile, "空"),
    "blank": (lambda: "　 \n\t\n".encode(), EmptyFile, "空"),
    "empty word document": (lambda: saved(docx.Document()), EmptyFile, "空"),
    "21 MB": (lambda: b"a" * (21 * 1024 * 1024), TooLarge, "20 MB"),
    "a million characters": (lambda: "试点方案。\n".encode() * 200_000, TooLarge, "100 万字"),
    "zip bomb": (lambda: package(b"<w>" + b"a" * 200_000_000), TooLarge, "解压后过大"),
    "billion laughs": (
        lambda: package('<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><w><t>&c;</t></w>'),
        DamagedFile,
        "损坏",
    ),
    "cut word document": (lambda: saved(docx.Document())[:9000], DamagedFile, "损坏"),
    "word document with broken xml": (lambda: package("<w><p>"), DamagedFile, "损坏"),
    "zip header only": (lambda: b"PK\x03\x04" + b"\1" * 100, DamagedFile, "损坏"),
    "spreadsheet": (lambda: archive(xl__workbook="<x/>"), UnknownFormat, "Excel"),
    "ofd": (lambda: archive(**{"OFD.xml": "<x/>"}), UnknownFormat, "OFD"),
    "other archive": (lambda: archive(a="b"), UnknownFormat, "压缩包"),
    "old word document": (lambda: OLE, UnknownFormat, "另存为 .docx"),
    "encrypted word document": (
        lambda: OLE + "EncryptedPackage".encode("utf-16-le"),
        PasswordProtected,
        "密码",
    ),
    "broken pdf": (lambda: b"%PDF-1.7\nnothing", DamagedFile, "损坏"),
    "pdf with password": (with_password, PasswordProtected, "密码"),
    "scan": (scan, NoTextLayer, "扫描件"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), UnknownFormat, "PNG"),
    "photograph": (lambda: b"\xff\xd8\xff\xe0" + bytes(range(256)), UnknownFormat, "JPEG"),
    "program": (lambda: b"MZ\x90\0" + bytes(range(256)) * 4, UnknownFormat, "程序"),
    "rtf": (lambda: b"{\\rtf1\\ansi hello}", UnknownFormat, "RTF"),
    "binary": (lambda: bytes(range(256)) * 40, UnknownFormat, "二进制"),
    "unknown encoding": (lambda: "реализация плана".encode("koi8-r") * 40, UndecodableText, "编码"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_by_name_with_advice(case):
    make, error, word = REFUSED[case]
    data = make()
    before = time.perf_counter()
    with pytest.raises(error) as refusal:
        read_bytes(data, f"{case}.docx")
    assert time.perf_counter() - before < 2
    assert word in str(refusal.value)
    assert isinstance(refusal.value, ReadingError | ValueError)
    assert refusal.value.code and refusal.value.message.endswith("。") and refusal.value.todo.endswith("。")


def test_every_refusal_has_a_code_of_its_own():
    kinds = ReadingError.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds) == 9


def test_a_large_file_is_refused_without_being_read(tmp_path, monkeypatch):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    monkeypatch.setattr(type(path), "read_bytes", lambda self: pytest.fail("the file was read"))
    with pytest.raises(TooLarge):
        read_file(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(UnreadablePath):
            read_file(path)


def test_a_file_is_read_from_disk(tmp_path):
    path = tmp_path / "plan.txt"
    path.write_text(PLAN, encoding="gb18030")
    assert [article.no for article in read_file(str(path)).articles] == [1, 2, 3]
