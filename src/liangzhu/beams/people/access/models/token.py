"""Tokens of the API, and the applications that use them."""

from django.db import models

from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref


class Application(models.Model):
    """An application account (应用账号): a program of a unit that works through the API under a post of its own.

    The unit is that of the post. ``contact`` answers for the program, ``purpose`` says what it is for.
    """

    name = models.CharField(max_length=60, unique=True)
    post = models.OneToOneField("directory.Post", on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey("directory.Person", on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=200)
    opened_at = models.DateTimeField(default=now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "应用账号"

    @property
    def ref(self) -> Ref:
        """The reference of this application."""
        return Ref("application", str(self.pk))


class Token(models.Model):
    """What a program shows instead of signing in (接口令牌). It belongs to an account under one post, or to an application.

    The token itself is shown once and kept nowhere: ``digest`` is a keyed HMAC-SM3 of it, ``hint`` its last characters.
    ``scopes`` and ``networks`` (addresses it may come from; empty: any) are separated by spaces. Instants are the
    machine's: a demonstration day must not prolong a token.
    """

    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    account = models.ForeignKey("access.Account", on_delete=models.PROTECT, null=True, related_name="tokens")
    post = models.ForeignKey(
        "directory.Post", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    application = models.ForeignKey(Application, on_delete=models.PROTECT, null=True, related_name="tokens")
    scopes = models.CharField(max_length=500)
    networks = models.CharField(max_length=500, blank=True)
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField(help_text="UTC, the machine's clock")
    expires_at = models.DateTimeField(help_text="UTC, the machine's clock")
    used_at = models.DateTimeField(null=True, help_text="machine's clock, noted at most every five minutes")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = "接口令牌"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(account=None, post=None, application__isnull=False)
                | models.Q(account__isnull=False, post__isnull=False, application=None),
                name="token_has_one_owner",
            )
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this token."""
        return Ref("token", str(self.pk))
