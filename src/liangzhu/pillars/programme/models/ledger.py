"""The ledger (台账): tasks, their helpers, steps and extensions, and the clauses that the plan can be held to."""

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField
from liangzhu.pillars.programme.models.documents import Finding, PlanDocument


class PlanTask(models.Model):
    """One article of a plan with a responsible unit. Once issued (下达) it has a matter, which moves it.

    Its light comes from the matter's clock and is stored nowhere.
    """

    document = models.ForeignKey(PlanDocument, on_delete=models.PROTECT, related_name="tasks")
    article_no = models.PositiveSmallIntegerField("条")
    chapter = models.CharField("章", max_length=100, blank=True)
    title = models.CharField("任务", max_length=200)
    text = models.TextField("原文", blank=True)
    lead_unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, null=True, related_name="+")
    due_on = models.DateField("期限", null=True)
    matter = models.OneToOneField("matters.Matter", on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(null=True)
    public = models.BooleanField("向社会公开", default=False)
    published_at = models.DateTimeField(null=True)
    summary = models.CharField("公开摘要", max_length=300, blank=True)
    dropped = models.BooleanField("修订稿中已删去", default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "计划任务"
        constraints = [
            models.UniqueConstraint(
                fields=["document", "article_no"],
                condition=models.Q(dropped=False),
                name="task_once_per_article",
            )
        ]
        ordering = ["document", "article_no"]

    def __str__(self) -> str:
        return f"{self.article_no}. {self.title}"

    @property
    def ref(self) -> Ref:
        """The reference of this task."""
        return Ref("plan_task", str(self.pk))


class TaskHelper(models.Model):
    """A unit that helps with a task: named in the plan, or a member of an open set (概称) that the office chose."""

    task = models.ForeignKey(PlanTask, on_delete=models.PROTECT, related_name="helpers")
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    expression = models.CharField("来自概称", max_length=200, blank=True)
    part = models.OneToOneField("matters.Part", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "配合单位"
        constraints = [models.UniqueConstraint(fields=["task", "unit"], name="helper_once_per_task")]
        ordering = ["id"]


class TaskScope(models.Model):
    """An open set (概称) that the plan names for a task, with its members on the day the ledger was opened."""

    task = models.ForeignKey(PlanTask, on_delete=models.PROTECT, related_name="scopes")
    expression = models.CharField("概称", max_length=200)
    units = models.ManyToManyField("directory.Unit", related_name="+")

    class Meta:
        verbose_name = "参与范围"
        constraints = [models.UniqueConstraint(fields=["task", "expression"], name="scope_once_per_task")]
        ordering = ["id"]


class TaskStep(models.Model):
    """A step (节点) into which a unit splits its task, with a date of its own."""

    task = models.ForeignKey(PlanTask, on_delete=models.PROTECT, related_name="steps")
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    title = SealedTextField("节点", owner="", max_length=200)
    due_on = models.DateField("计划完成")
    done_on = models.DateField("实际完成", null=True)
    result = SealedTextField("完成情况", owner="", max_length=500, blank=True)
    withdrawn = models.BooleanField("已取消", default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "任务节点"
        ordering = ["due_on", "id"]

    @property
    def ref(self) -> Ref:
        """The reference of this step."""
        return Ref("plan_step", str(self.pk))


class Extension(models.Model):
    """A request for a later limit (延期申请): a matter of its own, a child of the task's."""

    task = models.ForeignKey(PlanTask, on_delete=models.PROTECT, related_name="extensions")
    matter = models.OneToOneField("matters.Matter", on_delete=models.PROTECT, related_name="+")
    old_due = models.DateField("原期限")
    new_due = models.DateField("申请延至")
    reason = SealedTextField("理由", owner="matter", max_length=1000)

    class Meta:
        verbose_name = "延期申请"
        ordering = ["id"]

    @property
    def ref(self) -> Ref:
        """The reference of this request."""
        return Ref("plan_extension", str(self.pk))


class Clause(models.Model):
    """What the plan can be held to: the task as a whole, or one quantified target with an executable check."""

    TASK, TARGET = "task", "target"
    KINDS = [(TASK, "任务"), (TARGET, "量化目标")]

    task = models.ForeignKey(PlanTask, on_delete=models.PROTECT, related_name="clauses")
    no = models.CharField("编号", max_length=10)
    kind = models.CharField(max_length=6, choices=KINDS)
    text = models.CharField("条款", max_length=500)
    name = models.CharField("指标名称", max_length=100, blank=True)
    op = models.CharField("比较", max_length=2, blank=True, choices=Finding.OPS)
    amount = models.DecimalField("目标值", max_digits=18, decimal_places=4, null=True)
    measure = models.CharField("计量单位", max_length=20, blank=True)
    due_on = models.DateField("考核日", null=True)
    indicator = models.ForeignKey(
        "indicators.Indicator", on_delete=models.PROTECT, null=True, related_name="+"
    )
    dropped = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "条款"
        constraints = [
            models.UniqueConstraint(
                fields=["task", "no"], condition=models.Q(dropped=False), name="clause_once_per_task"
            )
        ]
        ordering = ["task__article_no", "id"]

    @property
    def ref(self) -> Ref:
        """The reference of this clause."""
        return Ref("plan_clause", str(self.pk))


class ClauseDay(models.Model):
    """The state of a clause on a day, kept daily, so that the plan can be seen over time."""

    KEPT, UNDER_WAY, OVERDUE, UNMEASURED = "kept", "under_way", "overdue", "unmeasured"
    STATES = [(KEPT, "已兑现"), (UNDER_WAY, "推进中"), (OVERDUE, "已逾期"), (UNMEASURED, "尚不可衡量")]

    clause = models.ForeignKey(Clause, on_delete=models.PROTECT, related_name="days")
    day = models.DateField()
    state = models.CharField(max_length=10, choices=STATES)
    why = models.CharField(max_length=200)

    class Meta:
        verbose_name = "条款日状态"
        constraints = [models.UniqueConstraint(fields=["clause", "day"], name="clause_once_a_day")]
        indexes = [models.Index(fields=["day", "state"])]
