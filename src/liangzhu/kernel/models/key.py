"""The installation's keys, by purpose and version. Their secret parts stand here only under the master key."""

from django.db import models

from liangzhu.kernel.refs import Ref


class Key(models.Model):
    """One version of the key of one purpose. Rows are never altered but by a change of the master key, never deleted:
    what an old version signed or sealed is verified and opened for ever.
    """

    purpose = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    public = models.BinaryField(
        max_length=400, default=b"", help_text="SM2, P-256: 0x04, x, y; RSA: DER; else empty"
    )
    wrapped = models.BinaryField(max_length=1400, help_text="the secret part, SM4-GCM under the master key")
    master = models.CharField(max_length=16, help_text="fingerprint of the master key that wraps it")
    created_at = models.DateTimeField(help_text="UTC, the machine's clock")

    class Meta:
        verbose_name = "密钥"
        constraints = [models.UniqueConstraint(fields=["purpose", "version"], name="key_version_once")]

    @property
    def id_text(self) -> str:
        """What signatures name it by: "log:1"."""
        return f"{self.purpose}:{self.version}"

    @property
    def ref(self) -> Ref:
        """The reference of this version; a Ref's id holds no colon."""
        return Ref("key", f"{self.purpose}-{self.version}")
