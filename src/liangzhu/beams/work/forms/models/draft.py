"""A form that is being filled in, and who signs it together with its owner."""

import json

from django.db import models

from liangzhu.kernel import masking
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.log import canonical
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import (
    BlindIndexField,
    Sealed,
    SealedTextField,
    forget_traces,
    hangs_on,
    is_gone,
    on_forget,
)


class Draft(Sealed):
    """A form being filled in (草稿): one per person, form, subject and part of it, on whatever device.

    ``body`` is canonical JSON: ``answers`` (kept values), ``origins`` of prefilled ones, ``touched`` (the version at which each
    field changed last). ``version`` counts the saves.
    """

    owner = models.CharField(max_length=80, help_text="Ref of the account")
    person_id = models.BigIntegerField(null=True, help_text="the owner as a person of the directory")
    form = models.CharField(max_length=80)
    release = models.ForeignKey("kernel.Release", on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=80, blank=True, help_text="Ref of what it is filled in for")
    part = models.CharField(
        max_length=40, blank=True, default="", help_text="the part of the subject; empty: the whole"
    )
    body = SealedTextField()
    version = models.PositiveIntegerField(default=1)
    begun_at = models.DateTimeField()
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = "表单草稿"
        constraints = [
            models.UniqueConstraint(fields=["owner", "form", "subject", "part"], name="forms_one_draft"),
        ]
        indexes = [models.Index(fields=["saved_at"], name="forms_draft_age")]

    @property
    def ref(self) -> Ref:
        """The reference of this draft."""
        return Ref("form_draft", str(self.pk))

    @property
    def content(self) -> dict:
        """``{"answers", "origins", "touched"}``. Raises NotThere when it was destroyed by rule."""
        return read_body(self.body)

    @content.setter
    def content(self, value: dict) -> None:
        self.body = canonical(value)


def read_body(body: str) -> dict:
    """What a body says. Raises NotThere when it was destroyed by rule."""
    if is_gone(body):
        raise NotThere("这份填报内容已依规删除。", todo="需要时请另行填报。")
    return json.loads(body)


class CoSignature(models.Model):
    """A second person who was asked to sign a draft (共同签署): staff (``person_id``), or a resident.

    A resident is named by ``person_name`` and either ``number`` or ``phone`` (in the register's form); ``party`` is the Ref of the register once it is
    known who that is. ``code`` is what the applicant passes on; it opens nothing to another name. ``due_at``: until when.
    ``signed`` is what was signed (canonical JSON), ``digest`` its SM3; ``key_id`` and ``signature`` (hex) are SM2 over it.
    ``assurance`` is the level at which a resident signed, ``ground`` the Ref of the scan where that was at a counter.
    A change of what is covered makes a signature void; the row keeps what had been signed, so that the difference can be shown.
    """

    INVITED, SIGNED, DECLINED, VOID, LATE = "invited", "signed", "declined", "void", "late"
    STATES = [
        (INVITED, "等待签署"),
        (SIGNED, "已签署"),
        (DECLINED, "不同意签署"),
        (VOID, "签署后有改动，签名已失效"),
        (LATE, "过了期限没有签署"),
    ]
    WAITING = (INVITED, VOID)

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="cosigners")
    place = models.CharField(max_length=40, help_text="name of the co-signer in the form")
    person_id = models.BigIntegerField(null=True, help_text="a person of the directory")
    person_name = SealedTextField(owner="draft", max_length=60)
    party = models.CharField(max_length=80, blank=True, default="", help_text="Ref of a natural person")
    number = SealedTextField(
        "证件号码", owner="draft", max_length=40, blank=True, default="", grade=3, mask=masking.citizen_id
    )
    number_blind = BlindIndexField(source="number", what="person.document")
    phone = SealedTextField(
        "手机号", owner="draft", max_length=20, blank=True, default="", grade=3, mask=masking.phone
    )
    phone_blind = BlindIndexField(source="phone", what="person.phone")
    code = SealedTextField(owner="draft", max_length=12, blank=True, default="")
    code_blind = BlindIndexField(source="code", what="form.cosign_code")
    state = models.CharField(max_length=10, choices=STATES, default=INVITED)
    reason = SealedTextField(owner="draft", max_length=300)
    signed = SealedTextField(owner="draft")
    digest = models.CharField(max_length=64, blank=True)
    key_id = models.CharField(max_length=40, blank=True)
    signature = models.CharField(max_length=128, blank=True)
    invited_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=80, blank=True, default="", help_text="Ref of the account")
    assurance = models.PositiveSmallIntegerField("实名等级", null=True)
    ground = models.CharField(max_length=80, blank=True, default="", help_text="Ref of the scan at a counter")
    leaf = models.ForeignKey("kernel.LogLeaf", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = "共同签署"
        constraints = [models.UniqueConstraint(fields=["draft", "place"], name="forms_one_signature")]
        indexes = [
            models.Index(fields=["person_id", "state"], name="forms_signature_of"),
            models.Index(fields=["party", "state"], name="forms_signature_party"),
            models.Index(fields=["number_blind"], name="forms_signature_number"),
            models.Index(fields=["phone_blind"], name="forms_signature_phone"),
            models.Index(fields=["code_blind"], name="forms_signature_code"),
            models.Index(fields=["due_at"], name="forms_signature_due"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this signature."""
        return Ref("form_signature", str(self.pk))

    @property
    def outside(self) -> bool:
        """Whether a resident was asked, not a member of staff."""
        return self.person_id is None


def _forget_signatures(act: Act, draft: Draft) -> dict[str, int]:
    """What the log keeps of the signatures over a draft that is forgotten: digests of what was answered."""
    counts: dict[str, int] = {}
    for row in CoSignature.objects.filter(draft=draft):
        for name, count in forget_traces(str(row.ref)).items():
            counts[f"{name} of signatures"] = counts.get(f"{name} of signatures", 0) + count
    return counts


# Whatever the subject is: when it is forgotten, so is what was filled in about it.
hangs_on(Draft, "subject")
on_forget(Draft, _forget_signatures)
