"""Reading plans: ours beside the bare extraction of the text (the limit), for each format."""

import io

import docx
import lxml.html
import pypdfium2
import weasyprint

from bench._report import Row, options, rate, show
from liangzhu.pillars.programme.reading import read_bytes

UNITS = "区甲局、区乙局、区丙委、区丁中心"


def plan() -> str:
    """A plan of our own wording: six chapters, 24 articles, some with limits and targets."""
    lines = ["某区人民政府关于印发年度重点工作实施方案的通知", "某政发〔2022〕7号", "2022年3月1日", ""]
    no = 0
    for chapter in "一二三四五六":
        lines += [f"{chapter}、第{chapter}方面工作", ""]
        for _ in range(4):
            no += 1
            lines.append(
                f"{no}. 做好第{no}项工作。"
                + "把底数摸清，把责任分清，按月看进度，按季看成效。" * 6
                + f"{no % 12 + 1}月底前办理率达到{60 + no}%。（责任单位：{UNITS}等区各有关部门和单位，各镇街）"
            )
            lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Read the same plan as text, Word, web page and PDF."""
    arguments = options(__doc__)
    seconds = 1.5 if arguments.quick else 6.0
    text = plan()
    document = docx.Document()
    for line in text.splitlines():
        document.add_paragraph(line)
    word = io.BytesIO()
    document.save(word)
    page = "<html><body>" + "".join(f"<p>{line}</p>" for line in text.splitlines()) + "</body></html>"
    files = {
        "plan.txt": (text.encode(), lambda data: data.decode()),
        "plan.docx": (
            word.getvalue(),
            lambda data: [p.text for p in docx.Document(io.BytesIO(data)).paragraphs],
        ),
        "plan.html": (page.encode(), lambda data: lxml.html.fromstring(data).text_content()),
        "plan.pdf": (
            weasyprint.HTML(string=page).write_pdf(),
            lambda data: [p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(data)],
        ),
    }
    rows = []
    for name, (data, bare) in files.items():
        reading = read_bytes(data, name)
        assert len(reading.articles) == 24, (name, len(reading.articles))
        limit = rate(lambda data=data, bare=bare: bare(data), seconds=seconds)
        ours = rate(lambda data=data, name=name: read_bytes(data, name), seconds=seconds)
        rows += [Row(f"{name} 只取文字", limit), Row(f"{name} 读成 24 条", ours, "只取文字", ours / limit)]
    plain = next(row for row in rows if row.work.startswith("plan.txt 读"))
    show("读方案", rows, arguments, milliseconds_per_plan=1000 / plain.per_second)


if __name__ == "__main__":
    main()
