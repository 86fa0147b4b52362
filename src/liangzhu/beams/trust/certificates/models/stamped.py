"""What certificates and papers share: a statement under a seal, its place in the log, and its file."""

from django.db import models

from liangzhu.kernel.sealing import Sealed, SealedTextField


class Stamped(Sealed):
    """A statement (canonical JSON) that a seal signed.

    ``ident`` stands in the address of the QR code and cannot be guessed; ``check_code`` (核验码) stands beside the
    number for those who type. ``statement`` holds everything that is said, and is opened through `masking.reveal` only;
    ``shown`` is the same with what is personal masked. ``digest`` is the SM3 of the statement, which the leaf commits to.
    """

    ident = models.CharField(max_length=26, unique=True, help_text="26 characters, 130 random bits")
    check_code = SealedTextField(max_length=12)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    seal = models.ForeignKey("certificates.Seal", on_delete=models.PROTECT, related_name="+")
    matter = models.CharField(max_length=80, blank=True, help_text="the case that it came from, a Ref")
    statement = SealedTextField(grade=3)
    shown = SealedTextField()
    key = models.CharField(max_length=60, help_text="id of the key that signed")
    signature = models.CharField(max_length=128, help_text="hex SM2, r and s")
    digest = models.CharField(max_length=64, help_text="hex SM3 of the statement")
    leaf = models.ForeignKey("kernel.LogLeaf", on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField()
    issued_on = models.DateField()
    attachment = models.ForeignKey(
        "files.Attachment",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the PDF, once drawn",
    )
    file_print = models.CharField(
        max_length=64, blank=True, help_text="hex SM3 of the PDF, once it was drawn"
    )

    class Meta:
        abstract = True
