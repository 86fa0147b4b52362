"""Public accounts (公众账号) and their sessions. There is no password: the province says who it is."""

from django.db import models
from django.db.models import Q

from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField

LEVELS = [(1, "已注册"), (2, "已实名"), (3, "现场或人脸核验")]
"""Levels of assurance (实名等级): registered; the document was checked; the person was seen with it, or the face compared."""


class ResidentAccount(models.Model):
    """The account of a natural person: one a person, made at the first sign-in. What is known of the person stands in the
    register."""

    person = models.OneToOneField("registers.NaturalPerson", on_delete=models.PROTECT, related_name="account")
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(default=now)

    class Meta:
        verbose_name = "公众账号"

    @property
    def ref(self) -> Ref:
        """The reference of this account: who acted, in histories and in the log."""
        return Ref("resident", str(self.pk))


class ResidentSession(models.Model):
    """One sign-in on one device, and for whom one acts in it. Instants of the machine's clock: they guard a door.

    ``organisation`` without ``mandate`` is its legal representative; with it the agent; ``mandate`` alone a guardian or
    somebody entrusted by a person.
    """

    REASONS = [
        ("own", "本人退出"),
        ("ended", "本人在别处结束"),
        ("replaced", "重新认证"),
        ("idle", "长时间没有操作"),
        ("staff", "改用工作人员账号登录"),
        ("person", "登记状态变更"),
    ]

    account = models.ForeignKey(ResidentAccount, on_delete=models.CASCADE, related_name="sessions")
    provider = models.CharField(max_length=40)
    assurance = models.PositiveSmallIntegerField("实名等级", choices=LEVELS)
    organisation = models.ForeignKey(
        "registers.Organisation", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    mandate = models.ForeignKey(
        "registers.Mandate", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    device = models.CharField("设备", max_length=60)
    address = SealedTextField("地址", max_length=60, owner="account.person")
    began_at = models.DateTimeField("登录")
    seen_at = models.DateTimeField("最近使用")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=10, choices=REASONS, blank=True)

    class Meta:
        verbose_name = "登录"
        indexes = [
            models.Index(
                fields=["account", "-seen_at"], condition=Q(ended_at=None), name="resident_session_open"
            ),
            models.Index(fields=["seen_at"], name="resident_session_seen"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this session."""
        return Ref("resident_session", str(self.pk))
