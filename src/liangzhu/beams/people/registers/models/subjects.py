"""Who the government deals with: natural persons (自然人), legal persons and other organisations (法人和其他组织)."""

import re
import unicodedata
from datetime import date

from django.db import models
from django.db.models import F, Q

from liangzhu.kernel import masking
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import BlindIndexField, Sealed, SealedTextField

SOURCES = [
    ("counter", "窗口核验原件"),
    ("authority", "登记主管部门提供"),
    ("application", "随事项申请提交"),
    ("province", "省统一身份认证"),
    ("made_up", "虚构数据"),
]
"""Where values come from (数据来源)."""


def phone_form(text: str) -> str:
    """A telephone number as it is compared: digits only, without the country's code."""
    digits = re.sub(r"[^0-9+]", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"^(\+86|0086)", "", digits)


def year_only(text: str) -> str:
    """A day as it is shown masked: its year."""
    return f"{text[:4]}年" if text else ""


class NaturalPerson(Sealed):
    """A natural person (自然人), one row for one document number. What identifies is of grade 3, under the row's own key.

    A row that was merged stays and points to the one that goes on (``merged_into``, never a chain); its own number
    still finds the person. ``version`` counts the changes.
    """

    DOCUMENTS = [
        ("citizen_id", "居民身份证"),
        ("hmt_permit", "港澳台居民居住证"),
        ("foreign_card", "外国人永久居留身份证"),
        ("passport", "护照"),
        ("hm_travel", "港澳居民来往内地通行证"),
        ("tw_travel", "台湾居民来往大陆通行证"),
        ("other", "其他证件"),
    ]
    SEXES = [("male", "男"), ("female", "女"), ("unknown", "未说明")]
    ALIVE, DEAD, MERGED = "alive", "dead", "merged"
    STATES = [(ALIVE, "正常"), (DEAD, "死亡"), (MERGED, "已合并")]

    name = SealedTextField("姓名", max_length=60, grade=3, mask=masking.name)
    document_kind = models.CharField("证件类型", max_length=16, choices=DOCUMENTS)
    document_number = SealedTextField("证件号码", max_length=40, grade=3, mask=masking.citizen_id)
    document_blind = BlindIndexField(source="document_number", what="person.document")
    phone = SealedTextField("电话", max_length=20, grade=3, mask=masking.phone, blank=True)
    phone_blind = BlindIndexField(source="phone", what="person.phone", form=phone_form)
    address = SealedTextField("住址", max_length=200, grade=3, mask=masking.address, blank=True)
    birth = SealedTextField("出生日期", max_length=10, grade=3, mask=year_only, blank=True)
    sex = models.CharField("性别", max_length=8, choices=SEXES, default="unknown")
    source = models.CharField("数据来源", max_length=12, choices=SOURCES)
    as_of = models.DateField("数据日期")
    state = models.CharField("状态", max_length=8, choices=STATES, default=ALIVE)
    died_on = models.DateField("死亡日期", null=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")
    touched_on = models.DateField(help_text="day of the last change; retention counts from it")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "自然人"
        indexes = [models.Index(fields=["phone_blind"])]
        constraints = [
            models.UniqueConstraint(
                fields=["document_blind", "document_kind"],
                condition=~Q(document_blind=""),
                name="natural_person_document_once",
            ),
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False)
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
                name="natural_person_merged_into",
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this person. `natural_person`: `person` is a member of staff."""
        return Ref("natural_person", str(self.pk))

    @property
    def forgotten(self) -> bool:
        """Whether the values were destroyed by rule."""
        return not self.sealed_key


class Organisation(models.Model):
    """A legal person or other organisation (法人和其他组织) under its unified social credit code (统一社会信用代码).

    What stands here is published by the registering authority (企业信息公示暂行条例 §6); the legal representative is a
    person and shown masked.
    """

    KINDS = [
        ("enterprise", "企业"),
        ("individual", "个体工商户"),
        ("cooperative", "农民专业合作社"),
        ("agency", "机关"),
        ("institution", "事业单位"),
        ("association", "社会团体"),
        ("service", "社会服务机构"),
        ("foundation", "基金会"),
        ("village", "农村集体经济组织"),
        ("other", "其他组织"),
    ]
    BY_CODE = {
        "91": "enterprise",
        "92": "individual",
        "93": "cooperative",
        "11": "agency",
        "12": "institution",
        "51": "association",
        "52": "service",
        "53": "foundation",
        "N1": "village",
        "N2": "village",
        "N3": "village",
    }
    ACTIVE, REVOKED, DISSOLVED = "active", "revoked", "dissolved"
    STATES = [(ACTIVE, "存续"), (REVOKED, "吊销"), (DISSOLVED, "注销")]

    uscc = models.CharField("统一社会信用代码", max_length=18, unique=True)
    name = models.CharField("名称", max_length=120)
    kind = models.CharField("类型", max_length=16, choices=KINDS)
    state = models.CharField("状态", max_length=12, choices=STATES, default=ACTIVE)
    ended_on = models.DateField("注销日期", null=True)
    legal_representative = models.ForeignKey(
        NaturalPerson,
        on_delete=models.PROTECT,
        null=True,
        related_name="represents",
        verbose_name="法定代表人",
    )
    address = models.CharField("住所", max_length=200, blank=True)
    source = models.CharField("数据来源", max_length=12, choices=SOURCES)
    as_of = models.DateField("数据日期")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "组织"

    @property
    def ref(self) -> Ref:
        """The reference of this organisation."""
        return Ref("organisation", str(self.pk))


class OrganisationName(models.Model):
    """A name that an organisation bore between two days, half-open; the present one is open."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="names")
    name = models.CharField("名称", max_length=120)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        verbose_name = "组织名称"
        ordering = ["-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "valid_from"], name="organisation_name_one_start"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="organisation_name_not_empty",
            ),
        ]

    @property
    def last_day(self) -> date | None:
        """The last day on which it was borne."""
        return self.valid_to and date.fromordinal(self.valid_to.toordinal() - 1)
