"""The progress report (实施情况报告) to the party committee and the leading group, computed from the ledger.

It says what the ledger says: figures, reasons, measured values. What nobody confirmed is marked 待确认. It is made for a
person to check, to complete and to sign: it bears neither number nor signer.
"""

from collections.abc import Sequence

from liangzhu.kernel.now import SHANGHAI, now
from liangzhu.pillars.programme.models import ClauseDay
from liangzhu.pillars.programme.overview import STATES, Day, OpenSet, Target, days_late, lead_of
from liangzhu.pillars.programme.papers.gbt9704 import (
    Block,
    Column,
    Heading,
    Paper,
    Paragraph,
    Table,
    chinese_date,
)
from liangzhu.pillars.programme.papers.office import office_name, office_unconfirmed, superiors
from liangzhu.pillars.programme.queries import Group, LedgerRow
from liangzhu.pillars.programme.truth import Judged, Truth

SIGNS_IN_WORDS = {"≥": "不低于", "≤": "不高于", ">": "高于", "<": "低于", "=": "等于"}

COUNTS = (
    Column("合计", 4, "right"),
    *(Column(title, 5.5, "right") for title in STATES.values()),
    Column("兑现", 5, "right"),
)


def report_paper(
    found: Truth,
    units: Sequence[Group],
    chapters: Sequence[Group],
    measured: Sequence[Target],
    course: Sequence[Day],
    rows: Sequence[LedgerRow],
    sets: Sequence[OpenSet],
) -> Paper:
    """The report on a day. ``rows`` are the tasks of the ledger, as they stand now, ``sets`` the open sets they name."""
    document, day = found.document, found.day
    number = document.number or ""
    flags = ["送审稿"] + (["演示数据"] if document.demo else [])
    blocks: list[Block] = [
        Paragraph(
            f"现将《{document.title}》{f'（{number}）' if number else ''}截至{chinese_date(day)}的实施情况报告如下。"
        ),
        Heading(1, "总体情况"),
        *_whole(found, course),
        Heading(1, "各单位情况"),
        _groups("牵头单位条款兑现情况", "牵头单位", units),
        Heading(1, "各章情况"),
        _groups("各章条款兑现情况", "章", chapters),
        Heading(1, "未兑现的条款"),
        *_failing(found),
        *_targets(measured),
        Heading(1, "任务清单"),
        _tasks(rows),
        *_sets(sets),
        Heading(1, "说明"),
        *_notes(found, measured),
    ]
    office = office_name()
    return Paper(
        title=f"关于{number}《{document.title}》实施情况的报告"
        if number
        else f"关于《{document.title}》实施情况的报告",
        mark=office,
        number="（签发后编号）",
        signer="（待签发）",
        addressees=superiors(),
        blocks=tuple(blocks),
        signature=office,
        signed_on=day,
        flags=tuple(flags),
        made_on=day,
    )


def _whole(found: Truth, course: Sequence[Day]) -> list[Block]:
    counts, total = found.counts, len(found.clauses)
    if not total:
        return [Paragraph("这一天没有条款的记录。")]
    states = "、".join(f"{STATES[state]} {counts[state]} 条" for state in STATES)
    blocks: list[Block] = [
        Paragraph(
            f"方案共有可核查的条款 {total} 条，其中{states}。按已兑现条款占全部条款的比例（只舍不入）计算，"
            f"这份计划当日有 {found.percent}% 为真；尚不可衡量的条款计入分母，不作完成论。"
        )
    ]
    earlier = next((one for one in reversed(course) if (found.day - one.day).days >= 30), None)
    if earlier:
        before, after = earlier.counts, counts
        blocks.append(
            Paragraph(
                f"与{chinese_date(earlier.day)}相比，兑现比例由 {earlier.percent}% 变为 {found.percent}%，"
                f"已兑现由 {before[ClauseDay.KEPT]} 条变为 {after[ClauseDay.KEPT]} 条，"
                f"已逾期由 {before[ClauseDay.OVERDUE]} 条变为 {after[ClauseDay.OVERDUE]} 条。"
            )
        )
    return blocks


def _groups(caption: str, first: str, groups: Sequence[Group]) -> Table:
    return Table(
        caption,
        (Column(first, 18), *COUNTS),
        tuple(
            (
                group.label,
                str(group.total),
                *(str(group.counts[state]) for state in STATES),
                f"{group.percent}%",
            )
            for group in groups
        ),
    )


def _failing(found: Truth) -> list[Block]:
    blocks: list[Block] = []
    for state in (ClauseDay.OVERDUE, ClauseDay.UNMEASURED, ClauseDay.UNDER_WAY):
        rows = [judged for judged in found.failing if judged.state == state]
        if not rows:
            continue
        blocks.append(Heading(2, f"{STATES[state]}（{len(rows)} 条）"))
        blocks.append(_reasons(rows, found, late=state == ClauseDay.OVERDUE))
    return blocks or [Paragraph("没有未兑现的条款。")]


def _reasons(rows: Sequence[Judged], found: Truth, *, late: bool) -> Table:
    columns = [
        Column("条款", 4.5, "center"),
        Column("内容", 14),
        Column("牵头单位", 9),
        Column("依据和原因", 16),
    ]
    if late:
        columns.append(Column("逾期天数", 5, "right"))
    lines = []
    for judged in rows:
        line = [judged.clause.no, judged.clause.text, lead_of(judged.clause.task), judged.why]
        if late:
            gone = days_late(judged, found.day)
            line.append("—" if gone is None else str(gone))
        lines.append(tuple(line))
    return Table("", tuple(columns), tuple(lines))


def _targets(measured: Sequence[Target]) -> list[Block]:
    if not measured:
        return []
    return [
        Heading(1, "量化目标"),
        Table(
            "量化目标实测情况",
            (
                Column("条款", 4.5, "center"),
                Column("指标", 14),
                Column("目标", 8, "center"),
                Column("考核日", 8, "center"),
                Column("实测", 7, "right"),
                Column("时点", 8, "center"),
            ),
            tuple(
                (
                    target.judged.clause.no,
                    f"{target.name}{'（待确认）' if target.unconfirmed else ''}",
                    _in_words(target.wanted),
                    f"{target.due_on:%Y-%m-%d}" if target.due_on else "未定",
                    target.measured or "尚无测量",
                    f"{target.as_of:%Y-%m-%d}" if target.as_of else "—",
                )
                for target in measured
            ),
        ),
    ]


def _in_words(wanted: str) -> str:
    sign, _, rest = wanted.partition(" ")
    return f"{SIGNS_IN_WORDS[sign]} {rest}"


def _tasks(rows: Sequence[LedgerRow]) -> Table:
    return Table(
        f"任务清单（办理状态截至{chinese_date(now().astimezone(SHANGHAI).date())}）",
        (
            Column("条号", 4, "center"),
            Column("任务", 15),
            Column("牵头单位", 10),
            Column("期限", 8, "center"),
            Column("状态", 6, "center"),
            Column("节点", 4.5, "center"),
            Column("时限情况", 9),
        ),
        tuple(
            (
                str(row.task.article_no),
                row.task.title,
                lead_of(row.task),
                f"{row.task.due_on:%Y-%m-%d}" if row.task.due_on else "未定",
                row.state,
                f"{row.steps_done}/{row.steps}" if row.steps else "—",
                ("节点逾期；" if row.step_late else "") + (row.light.text if row.light else "未下达"),
            )
            for row in rows
        ),
    )


def _sets(sets: Sequence[OpenSet]) -> list[Block]:
    """Whom the plan means by words such as 区各有关部门和单位: nobody should have to look that up."""
    if not sets:
        return []
    return [
        Table(
            "方案概称的参与单位（按建账之日）",
            (
                Column("概称", 9),
                Column("任务条号", 7, "center"),
                Column("个数", 4, "right"),
                Column("单位", 28),
            ),
            tuple(
                (found.expression, found.numbers, str(len(found.units)), "、".join(found.units))
                for found in sets
            ),
        )
    ]


def _notes(found: Truth, measured: Sequence[Target]) -> list[Block]:
    notes = [
        "条款由计划任务和其中写明数值的目标组成。条款状态由任务的办理记录、节点日期和已确认的指标数值计算，不由人工填写。"
    ]
    doubts = [f"{target.name}（{target.unconfirmed}）" for target in measured if target.unconfirmed]
    office = office_unconfirmed()
    if doubts:
        notes.append(f"以下指标的口径待确认：{'；'.join(doubts)}。")
    if office:
        notes.append(f"领导小组办公室的设置待确认：{office}。")
    if found.document.demo:
        notes.append("办理记录和指标数值为演示生成，不是实际工作情况。")
    return [Heading(3, note) for note in notes]
