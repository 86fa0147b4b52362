"""What the API remembers from one request to the next: how much was asked for, and what was answered."""

from django.db import models


class Bucket(models.Model):
    """How many requests a token or an address has left (令牌桶). Refilled when it is looked at; a lost row is a full one."""

    key = models.CharField(max_length=80, primary_key=True)
    level = models.FloatField()
    at = models.DateTimeField(help_text="machine's clock: when ``level`` was right")

    class Meta:
        verbose_name = "限流"
        indexes = [models.Index(fields=["at"])]


class Replay(models.Model):
    """An answer that is kept to be given again, should the same request come again (幂等).

    ``key`` is a digest of who asked and of the key that came with the request; the answer is sealed under a key derived
    from that same key, which is kept nowhere.
    """

    key = models.CharField(max_length=64, primary_key=True)
    fingerprint = models.CharField(max_length=64, help_text="hex SM3 of method, address and body")
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField(help_text="SM4-GCM of headers and body")
    ends_at = models.DateTimeField(help_text="machine's clock")

    class Meta:
        verbose_name = "幂等记录"
        indexes = [models.Index(fields=["ends_at"])]
