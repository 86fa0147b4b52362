"""The log: leaves are only added. What a leaf commits to is kept apart, so that it can be destroyed by rule."""

from django.db import models

from liangzhu.kernel.sealing import SealedTextField


class LogLeaf(models.Model):
    """One thing done: ids, action, actor and a salted SM3 commitment; never a personal value.

    ``number`` is its place in the tree, from 0 without gaps. It stays empty until the sequencer comes to the committed
    leaf; writers never wait for it.
    """

    id = models.BigAutoField(primary_key=True)
    number = models.BigIntegerField(null=True, editable=False)
    at = models.DateTimeField(help_text="UTC, time of the product (a demonstration stands on its own day)")
    recorded_at = models.DateTimeField(auto_now_add=True, help_text="UTC, the machine's clock")
    action = models.CharField(max_length=80)
    actor = models.CharField(max_length=80)
    on_behalf = models.CharField(max_length=80, blank=True)
    subject = models.CharField(max_length=80)
    request_id = models.CharField(max_length=40, blank=True)
    commitment = models.CharField(max_length=64, help_text="hex SM3 of salt and canonical details")
    via = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="token of the API; no field of the hash: the details commit to it, this column is for lists",
    )

    class Meta:
        verbose_name = "日志叶"
        indexes = [
            models.Index(fields=["subject", "id"]),
            models.Index(fields=["actor", "id"]),
            models.Index(fields=["action", "id"]),
            # Two small indexes in place of one over all: each row stands in exactly one of them.
            models.Index(fields=["id"], condition=models.Q(number=None), name="log_leaf_waiting"),
            models.Index(fields=["via", "id"], condition=models.Q(via__gt=""), name="log_leaf_via"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(number__isnull=False), name="log_leaf_number"
            ),
        ]


class LogDetail(models.Model):
    """What a leaf commits to. Deletion by rule removes this row; the leaf stays and proves that it was there."""

    leaf = models.OneToOneField(LogLeaf, on_delete=models.PROTECT, primary_key=True, related_name="detail")
    salt = models.BinaryField(max_length=16)
    body = SealedTextField(owner="", help_text="canonical JSON")


class LogTile(models.Model):
    """Up to 256 neighbouring hashes of one level of the tree (`kernel.log.tree`); the last of a level still grows."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField(max_length=8192)


class LogHead(models.Model):
    """The tree at one size, signed (RFC 9162, 4.10: signed tree head). One for each batch that the sequencer took up."""

    size = models.BigIntegerField(primary_key=True, help_text="leaves in the tree")
    root = models.CharField(max_length=64, help_text="hex SM3")
    at = models.DateTimeField(help_text="UTC, the machine's clock")
    key = models.CharField(max_length=80, help_text="id of the key that signed")
    signature = models.CharField(max_length=128, help_text="hex SM2, r and s")

    class Meta:
        verbose_name = "日志树头"


class Submission(models.Model):
    """A form that was accepted, by its key: the same form sent twice is done once."""

    key = models.CharField(max_length=64, primary_key=True)
    action = models.CharField(max_length=80)
    actor = models.CharField(max_length=80)
    result = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()
