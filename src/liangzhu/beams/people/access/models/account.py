"""Accounts."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models

from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref

USERNAME = RegexValidator(
    r"^[a-z][a-z0-9._-]{1,39}$", "2—40 位，以小写字母开头，只用小写字母、数字、点、下划线和短横。"
)


class Account(AbstractBaseUser):
    """A person's account (账号): one for all posts the person holds. Opened by an administrator, never by oneself.

    ``must_change_password``: the present password was given by somebody else. ``demo``: of a demonstration.
    """

    username = models.CharField(max_length=40, unique=True, validators=[USERNAME])
    person = models.OneToOneField("directory.Person", on_delete=models.PROTECT, related_name="account")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    demo = models.BooleanField(default=False)
    created = models.DateTimeField(default=now, help_text="UTC, time of the product")

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: list[str] = []
    objects = BaseUserManager()

    class Meta:
        verbose_name = "账号"

    @property
    def ref(self) -> Ref:
        """The reference of this account."""
        return Ref("account", str(self.pk))
