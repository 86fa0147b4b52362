"""A file that somebody gave (附件), named by the fingerprint of its content."""

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField


class Attachment(Sealed):
    """One file as given: name, type told by its content, fingerprint. The content is stored once however
    often it is given: sealed under a key of its own, which each giving holds under its own key. When the last
    giving is forgotten, no copy of the content opens any more.

    ``subject`` is the Ref of what it belongs to, as text; until it is attached it is empty, and only who
    uploaded it sees it.
    """

    fingerprint = models.CharField(max_length=64, help_text="hex SM3 of the content (GB/T 32905)")
    size = models.PositiveBigIntegerField(help_text="bytes")
    media_type = models.CharField(max_length=100)
    name = SealedTextField(max_length=200)
    path = models.CharField(max_length=200, help_text="in the default storage")
    content_key = SealedTextField(
        max_length=32, blank=True, help_text="hex of the SM4 key that seals the content"
    )
    uploaded_by = models.CharField(max_length=80)
    uploaded_at = models.DateTimeField()
    subject = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = "附件"
        indexes = [
            models.Index(fields=["subject", "id"]),
            models.Index(fields=["fingerprint"]),
            models.Index(fields=["uploaded_at"], condition=models.Q(subject=""), name="attachment_loose"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> Ref:
        """The reference of this file."""
        return Ref("file", str(self.pk))

    @property
    def short(self) -> str:
        """The first eight characters of the fingerprint, to tell files apart at a glance."""
        return self.fingerprint[:8]
