"""What opening a ledger, or bringing it up to date, will do: worked out first, shown to a person, then carried out.

Once a task was issued, its lead and its limit change by handing over and by extension, never by a new text: such
differences are shown and left alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.log import sm3
from liangzhu.pillars.programme.facts import ResolvedArticle, TargetFact, resolve, target_words
from liangzhu.pillars.programme.findings import day_of, facts_of, head_of, undecided
from liangzhu.pillars.programme.matching import Goal, Wording, match, match_goals
from liangzhu.pillars.programme.models import Clause, Finding, PlanDocument, PlanTask, Revision

NEW, CHANGED, SAME, DROPPED = "new", "changed", "same", "dropped"
TEXT = "正文"
KINDS = {NEW: "新增", CHANGED: "有改动", SAME: "无改动", DROPPED: "本稿已删去"}


@dataclass(frozen=True)
class Line:
    """One difference between the ledger and the text. ``kept`` says that the ledger stays as it is, and ``why``."""

    what: str
    before: str
    after: str
    kept: bool = False
    why: str = ""


@dataclass
class TaskChange:
    """What happens to one task. ``article`` is None when its article is gone; ``task`` is None when it is new."""

    kind: str
    article: ResolvedArticle | None
    task: PlanTask | None
    lines: list[Line] = field(default_factory=list)
    clauses: dict[int, int] = field(default_factory=dict)
    """Position of a target in the text → id of the clause that it is."""

    @property
    def title(self) -> str:
        """The kind in words."""
        return KINDS[self.kind]

    @property
    def no(self) -> int:
        """The article's number in the text, or the task's where the article is gone."""
        return self.article.facts.no if self.article else self.task.article_no

    @property
    def name(self) -> str:
        """The title in the text, or the task's."""
        return self.article.facts.title if self.article else self.task.title

    @property
    def only_text(self) -> bool:
        """Whether nothing happens but that wording is filled in where there was none."""
        return self.kind == CHANGED and all(line.what == TEXT and not line.before for line in self.lines)

    @property
    def issued(self) -> bool:
        """Whether the task was issued."""
        return self.task is not None and self.task.matter_id is not None


@dataclass(frozen=True)
class Changes:
    """Everything that opening or updating the ledger will do, in the order of the text."""

    head: list[Line]
    tasks: list[TaskChange]

    def of(self, kind: str) -> list[TaskChange]:
        """The tasks of one kind."""
        return [one for one in self.tasks if one.kind == kind]

    @property
    def any(self) -> bool:
        """Whether anything would be different afterwards."""
        return bool(self.head) or any(one.kind != SAME for one in self.tasks)

    @property
    def fingerprint(self) -> str:
        """What a person has seen and agreed to: every task with its units, limit and targets (32 hex digits)."""
        seen = [
            (one.kind, one.task and one.task.pk, one.lines, one.article and (one.article.lead_id, one.article.helper_ids,
             sorted(one.article.members), one.article.facts))
            for one in self.tasks
        ]  # fmt: skip
        return sm3(repr((self.head, seen)).encode())[:32]


def work_out(document: PlanDocument, articles: list[ResolvedArticle], head: dict[str, str]) -> Changes:
    """Compare a reviewed text with the ledger. ``head`` has number, title, issuer and date (YYYY-MM-DD) of the text."""
    tasks = list(
        document.tasks.select_related("matter")
        .prefetch_related("helpers", "scopes", "clauses__indicator")
        .order_by("dropped", "article_no", "id")
    )
    # A task that was dropped comes back when its article does.
    moved = match(
        [Wording(task.pk, task.article_no, task.title, task.text) for task in tasks],
        [Wording(one.facts.no, one.facts.no, one.facts.title, one.facts.text) for one in articles],
    )
    of_article = {no: task for task in tasks for no in [moved.get(task.pk)] if no is not None}
    changes = [_task_change(one, of_article.get(one.facts.no), document.issued_on) for one in articles]
    gone = [task for task in tasks if task.pk not in moved and not task.dropped]
    changes += [_gone(task) for task in gone]
    return Changes(
        _head(document, head) if tasks else [], sorted(changes, key=lambda one: (one.article is None, one.no))
    )


def planned(revision: Revision) -> Changes:
    """What `open_ledger` would do with a revision now. Raises Invalid: undecided doubts by article, no task, units that are not found."""
    left = undecided(revision)
    if left:
        places = dict.fromkeys(
            f"第 {row.article_no} 条" if row.article_no else row.get_kind_display() for row in left
        )
        raise Invalid(
            f"还有 {len(left)} 处存疑没有校核：{'、'.join(places)}。",
            title="存疑还没有校核完",
            todo="请逐处确认、更正或剔除后再建账。",
        )
    articles = facts_of(revision)
    if not articles:
        raise Invalid(
            "没有找到带责任单位的条目，不能建账。",
            title="没有可以建账的任务",
            todo="请在校核页为条目补充牵头单位。",
        )
    twice = [
        str(no)
        for no in dict.fromkeys(article.no for article in articles)
        if revision.findings.filter(article_no=no, kind="lead").exclude(decision=Finding.REJECTED).count() > 1
    ]
    if twice:
        raise Invalid(
            f"第 {'、'.join(twice)} 条有不止一个牵头单位。", todo="请剔除多余的，或把它改为配合单位。"
        )
    head = head_of(revision)
    document = revision.document
    other = PlanDocument.objects.filter(number=head.get("number", "")).exclude(pk=document.pk).first()
    if head.get("number") and other is not None:
        raise Invalid(
            f"文号 {other.number} 已有另一份文件《{other.title}》。",
            title="文号重复",
            todo="请核对文号；若本稿是那份文件的修订稿，请在上传页选择那份文件重新上传。",
        )
    return work_out(document, resolve(articles, day_of(revision)), head)


def title_of(document: PlanDocument, head: dict[str, str]) -> str:
    """The title that a document will bear. A notice that prints a plan (关于印发…的通知) leaves the plan its own title."""
    read = head.get("title", "")[:200]
    return document.title if not read or (document.title and document.title in read) else read


def _head(document: PlanDocument, head: dict[str, str]) -> list[Line]:
    now = {
        "number": ("文号", document.number),
        "title": ("标题", document.title),
        "issuer": ("发文机关", document.issuer),
        "date": ("成文日期", document.issued_on.isoformat() if document.issued_on else ""),
    }
    head = {**head, "title": title_of(document, head)}
    return [
        Line(what, was, head[key]) for key, (what, was) in now.items() if head.get(key) and head[key] != was
    ]


def _task_change(article: ResolvedArticle, task: PlanTask | None, day: date | None) -> TaskChange:
    if task is None:
        return TaskChange(NEW, article, None)
    facts, change = article.facts, TaskChange(SAME, article, task)
    issued = task.matter_id is not None
    over = issued and task.matter.closed_at is not None
    add = change.lines.append
    if task.dropped:
        add(Line("状态", "已删去", "恢复"))
    for what, was, is_now in (
        ("编号", str(task.article_no), str(facts.no)),
        ("标题", task.title, facts.title[:200]),
        ("章", task.chapter, facts.chapter[:100]),
    ):
        if was != is_now:
            add(Line(what, was, is_now))
    if facts.text and facts.text != task.text:
        add(Line(TEXT, f"{len(task.text)} 字" if task.text else "", f"{len(facts.text)} 字"))
    if task.lead_unit_id != article.lead_id:
        why = "已下达，牵头单位不随文件改；需要调整时请撤销任务后重新下达" if issued else ""
        add(Line("牵头单位", _name(task.lead_unit_id, day), _name(article.lead_id, day), issued, why))
    if task.due_on != facts.due_on and not (issued and facts.due_on is None):
        why = "已下达，期限只能通过延期申请修改" if issued else ""
        add(Line("期限", _day(task.due_on), _day(facts.due_on), issued, why))
    _helper_lines(change, article, task, day, issued=issued, over=over)
    was = {scope.expression for scope in task.scopes.all()}
    if was != set(article.members):
        add(Line("参与范围", "、".join(sorted(was)), "、".join(article.members)))
    _target_lines(change, facts.targets, task)
    if any(not line.kept for line in change.lines):
        change.kind = CHANGED
    return change


def _helper_lines(
    change: TaskChange,
    article: ResolvedArticle,
    task: PlanTask,
    day: date | None,
    *,
    issued: bool,
    over: bool,
) -> None:
    helpers = {helper.unit_id: helper for helper in task.helpers.all()}
    new = [unit for unit in article.helper_ids if unit not in helpers and unit != task.lead_unit_id]
    if new:
        why = "任务已经结束，不再交办" if over else "更新后向其交办配合任务" if issued else ""
        change.lines.append(Line("增加配合单位", "", _names(new, day), over, why))
    gone = [
        unit for unit, helper in helpers.items() if not helper.expression and unit not in article.helper_ids
    ]
    if gone:
        why = "已下达，不随文件撤回；不再需要时请在任务页免除配合" if issued else ""
        change.lines.append(Line("减少配合单位", _names(gone, day), "", issued, why))


def _target_lines(change: TaskChange, targets: Iterable[TargetFact], task: PlanTask) -> None:
    targets = list(targets)
    clauses = [one for one in task.clauses.all() if one.kind == Clause.TARGET and not one.dropped]
    same = match_goals(
        [Goal(one.pk, one.name, one.op, one.amount, one.measure) for one in clauses],
        [Goal(place, one.name, one.op, one.amount, one.measure) for place, one in enumerate(targets)],
    )
    change.clauses = {place: pk for pk, place in same.items()}
    by_id = {one.pk: one for one in clauses}
    for place, target in enumerate(targets):
        text = _target(target.name, target.op, target.amount, target.measure, target.due_on)
        clause = by_id.get(change.clauses.get(place))
        if clause is None:
            change.lines.append(Line("增加量化目标", "", text))
            continue
        due_on = target.due_on or clause.due_on
        was = _target(clause.name, clause.op, clause.amount, clause.measure, clause.due_on)
        text = _target(target.name, target.op, target.amount, target.measure, due_on)
        if was != text:
            why = f"检查指标“{clause.indicator.name}”不变" if clause.indicator else ""
            change.lines.append(Line("量化目标", was, text, why=why))
    for clause in clauses:
        if clause.pk not in same:
            why = f"停用，连同检查指标“{clause.indicator.name}”" if clause.indicator else "停用"
            was = _target(clause.name, clause.op, clause.amount, clause.measure, clause.due_on)
            change.lines.append(Line("减少量化目标", was, "", why=why))


def _gone(task: PlanTask) -> TaskChange:
    issued = task.matter_id is not None
    why = "任务保留并标明，由领导小组办公室决定是否撤销" if issued else "不再列入台账"
    return TaskChange(DROPPED, None, task, [Line("条目", f"第 {task.article_no} 条", "本稿没有", why=why)])


def _name(unit_id: int | None, day: date | None) -> str:
    return directory.unit_name(unit_id, day) if unit_id else "未定"


def _names(unit_ids: Iterable[int], day: date | None) -> str:
    return "、".join(_name(unit, day) for unit in unit_ids)


def _day(day: date | None) -> str:
    return day.isoformat() if day else "未定"


def _target(name: str, op: str, amount: Decimal | None, measure: str, due_on: date | None) -> str:
    text = target_words(name, op, amount, measure) if op and amount is not None else name
    return f"{text}（{due_on:%Y-%m-%d}）" if due_on else text
