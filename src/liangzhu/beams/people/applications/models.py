"""Applications of departments (部门应用), what each declares of itself, and who signed in to them."""

from django.db import models
from django.db.models import Q

from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref


class DepartmentApplication(models.Model):
    """A program of a department that people open from here (部门应用). It is published once; withdrawn, it never comes back.

    ``title`` is that of the declaration in force, or of the first one. Secrets are kept as digests only; after a change
    the old one opens until ``old_secret_until`` (machine's clock, like all instants of health and secrets).
    """

    DRAFT, PUBLISHED, WITHDRAWN = "draft", "published", "withdrawn"
    STATES = [(DRAFT, "未发布"), (PUBLISHED, "已发布"), (WITHDRAWN, "已撤下")]
    UP, DOWN = "up", "down"

    client_id = models.CharField("应用标识", max_length=40, unique=True)
    title = models.CharField("名称", max_length=60)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=STATES, default=DRAFT)
    current = models.ForeignKey(
        "applications.Declaration", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    secret = models.CharField(max_length=64, blank=True)
    secret_made_at = models.DateTimeField(null=True)
    old_secret = models.CharField(max_length=64, blank=True)
    old_secret_until = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(default=now)
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_for = models.CharField("撤下原因", max_length=200, blank=True)
    health = models.CharField(max_length=4, choices=[(UP, "正常"), (DOWN, "没有回应")], blank=True)
    health_since = models.DateTimeField(null=True)
    health_note = models.CharField(max_length=120, blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "部门应用"
        indexes = [models.Index(fields=["state", "title"], name="application_state")]

    @property
    def ref(self) -> Ref:
        """The reference of this application."""
        return Ref("department_application", str(self.pk))


class Declaration(models.Model):
    """What an application says of itself (登记内容): one version. Only added; the second person puts it in force.

    ``body`` is what `declared.Declared` reads.
    """

    WAITING, IN_FORCE, SUPERSEDED, REFUSED, TAKEN_BACK = (
        "waiting",
        "in_force",
        "superseded",
        "refused",
        "back",
    )
    STATES = [
        (WAITING, "待审核"),
        (IN_FORCE, "生效"),
        (SUPERSEDED, "已被替代"),
        (REFUSED, "未通过"),
        (TAKEN_BACK, "已撤回"),
    ]

    application = models.ForeignKey(
        DepartmentApplication, on_delete=models.PROTECT, related_name="declarations"
    )
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=STATES, default=WAITING)
    body = models.JSONField()
    made_by = models.CharField(max_length=80)
    made_label = models.CharField("提出", max_length=80)
    made_at = models.DateTimeField(default=now)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_label = models.CharField("审核", max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField("审核意见", max_length=200, blank=True)

    class Meta:
        verbose_name = "登记内容"
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="declaration_number_once"),
            models.UniqueConstraint(
                fields=["application"], condition=Q(state="waiting"), name="declaration_one_waiting"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this version."""
        return Ref("declaration", str(self.pk))


class SignOn(models.Model):
    """One sign-in to an application (应用登录), made when its code is redeemed. All of its tokens hang on this row.

    A token is a sealed text that names the row (`tokens`), so nothing of it needs keeping: while the row is open and the
    session that it came from counts, they open; ``generation`` counts refreshed ones. ``code`` is the digest of the code,
    once for ever. ``account`` or ``resident`` is who, ``session`` the number of that session, ``principal`` whom a
    resident acted for. Instants are the machine's.
    """

    REASONS = [
        ("session", "登录结束"),
        ("application", "应用撤下"),
        ("consent", "撤回同意"),
        ("replayed", "凭据重复使用"),
        ("revoked", "应用交回"),
        ("own", "本人结束"),
    ]

    application = models.ForeignKey(DepartmentApplication, on_delete=models.PROTECT, related_name="sign_ons")
    account = models.ForeignKey("access.Account", on_delete=models.PROTECT, null=True, related_name="+")
    resident = models.ForeignKey(
        "residents.ResidentAccount", on_delete=models.CASCADE, null=True, related_name="+"
    )
    session = models.BigIntegerField()
    post = models.BigIntegerField(null=True)
    principal = models.CharField(max_length=80, blank=True)
    code = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=200)
    level = models.PositiveSmallIntegerField()
    means = models.CharField(max_length=60, blank=True)
    proved_at = models.DateTimeField()
    at = models.DateTimeField()
    generation = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=12, choices=REASONS, blank=True)

    class Meta:
        verbose_name = "应用登录"
        indexes = [
            models.Index(fields=["session"], condition=Q(ended_at=None), name="sign_on_open_session"),
            models.Index(fields=["at"], name="sign_on_at"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(account=None, resident__isnull=False) | Q(account__isnull=False, resident=None),
                name="sign_on_has_one_person",
            )
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this sign-in."""
        return Ref("sign_on", str(self.pk))

    @property
    def who(self) -> Ref:
        """Whose it is."""
        return (
            Ref("account", str(self.account_id))
            if self.account_id
            else Ref("resident", str(self.resident_id))
        )

    @property
    def names(self) -> list[str]:
        """The scopes."""
        return self.scopes.split()


class Notice(models.Model):
    """An application is owed the word that a sign-in is over (退出通知, OpenID Connect Back-Channel Logout 1.0).

    The row keeps its own tries (`worker.count_failure`): a program that does not answer must hold no transaction.
    """

    sign_on = models.OneToOneField(SignOn, on_delete=models.CASCADE, related_name="notice")
    owed_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "退出通知"
        indexes = [
            models.Index(
                fields=["try_at"], condition=Q(told_at=None, dead_at=None), name="application_notice_owed"
            )
        ]


class UsedAssertion(models.Model):
    """A client assertion (RFC 7523) that was used: its ``jti`` opens nothing a second time until it has expired anyway."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "用过的应用凭证"
