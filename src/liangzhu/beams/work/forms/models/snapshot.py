"""A form as it was sent."""

from django.db import models

from liangzhu.beams.work.forms.models.draft import read_body
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField, hangs_on


class Snapshot(Sealed):
    """A form as it was sent (填报快照). Written once.

    ``body`` is canonical JSON: form, release, answers, origins, files with their fingerprints, signatures, who and when.
    ``digest`` is the SM3 of the part that is signed, ``key_id`` and ``signature`` (hex) the system's SM2 over the body.
    """

    form = models.CharField(max_length=80)
    release = models.ForeignKey("kernel.Release", on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=80, blank=True)
    body = SealedTextField()
    digest = models.CharField(max_length=64)
    key_id = models.CharField(max_length=40)
    signature = models.CharField(max_length=128)
    sent_by = models.CharField(max_length=80)
    sent_at = models.DateTimeField()

    class Meta:
        verbose_name = "填报快照"
        indexes = [
            models.Index(fields=["subject", "id"], name="forms_snapshot_subject"),
            models.Index(fields=["sent_by", "-id"], name="forms_snapshot_sender"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this snapshot."""
        return Ref("form_snapshot", str(self.pk))

    @property
    def content(self) -> dict:
        """What was sent. Raises NotThere when it was destroyed by rule."""
        return read_body(self.body)

    def save(self, *args, **kwargs) -> None:
        """Write it. Raises TypeError when it was written before."""
        if not self._state.adding:
            raise TypeError("a snapshot is written once")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        """Refused: raises TypeError."""
        raise TypeError("a snapshot is not deleted")


class Signer(models.Model):
    """A resident whose signature a snapshot carries: he may read what he signed for as long as it is kept.

    ``leaf`` is that of the signature in the log.
    """

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="signers")
    party = models.CharField(max_length=80, db_index=True, help_text="Ref of a natural person")
    place = models.CharField(max_length=40, help_text="name of the co-signer in the form")
    leaf = models.ForeignKey("kernel.LogLeaf", on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "共同签署人"


hangs_on(Snapshot, "subject")
