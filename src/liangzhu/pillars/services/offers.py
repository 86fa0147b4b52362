"""What an item offers to whoever applies for it: the item's version in force, as applications need it."""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.kernel.errors import StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.once import steady
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import issued
from liangzhu.pillars.services.models import ItemMaterial, ItemVersion
from liangzhu.pillars.services.planning import Term
from liangzhu.pillars.services.queries import items


@dataclass(frozen=True)
class OfferMaterial:
    """A material that an item asks for. ``held_by`` says who in government has it, "" when nobody does."""

    key: str
    title: str
    required: bool
    held_by: str = ""
    source: str = ""
    certificate_type: str = ""
    on_promise: bool = False
    vetoed: str = ""
    """Who issues it, where it is a local addition that only a signed exemption allows to demand."""


@dataclass(frozen=True)
class Offer:
    """An item in one version. ``kind`` is the kind of matter that its cases are, ``certificate_type`` what is given out."""

    key: str
    item_id: int
    version_id: int
    name: str
    code: str
    unit_id: int
    window: str
    kind: str
    legal: Term | None
    promised: Term | None
    steps: int | None
    immediate: bool
    permit: bool
    needs_check: bool
    form: str
    result: str
    certificate_type: str
    fee: bool
    materials: tuple[OfferMaterial, ...]


def offer(key: str, *, on: date | None = None) -> Offer:
    """The offer of an item in force on a day (today). Raises NotThere, StepNotAllowed (nothing is applied for here)."""
    # The items of the pack are in force since they were loaded: what is asked for the past is answered by the first one.
    day = max(on or today(), today())
    found = _offer(steady(("item", key, day), lambda: items.in_force(key, on=day).pk))
    if not any(one.vetoed for one in found.materials):
        return found
    exempt = items.exempt(found.item_id, on)
    return replace(
        found,
        materials=tuple(
            replace(one, held_by=one.vetoed) if one.vetoed and one.key not in exempt else one
            for one in found.materials
        ),
    )


@lru_cache(maxsize=4096)
def _offer(pk: int) -> Offer:
    """The offer of a version; versions in force never change, so it is read once."""
    row = ItemVersion.objects.select_related("item").get(pk=pk)
    if not row.case_kind:
        raise StepNotAllowed(f"“{row.name}”不在这里办。", todo="请看办事指南里写的办理方式。")
    steps = [one.days for one in row.steps.all()]
    return Offer(
        key=row.item.key,
        item_id=row.item_id,
        version_id=row.pk,
        name=row.name,
        code=row.task_code or row.catalog_code,
        unit_id=row.item.unit_id,
        window=row.window_unit or pack().district["services"]["window"],
        kind=row.case_kind,
        legal=_term(row.legal_amount, row.legal_unit),
        promised=_term(row.promised_amount, row.promised_unit),
        steps=sum(steps) if steps else None,
        immediate=row.project_type == ItemVersion.IMMEDIATE,
        permit=row.task_type == "01",
        needs_check=row.site_check,
        form=row.form,
        result=row.result,
        certificate_type=row.certificate_type,
        fee=row.fee,
        materials=tuple(
            OfferMaterial(
                key=one.key,
                title=one.name,
                required=one.necessity == "must",
                held_by=one.issuer if one.spared else "",
                source=one.source or _own_source(one),
                certificate_type=one.certificate_type,
                on_promise=one.free == "promise",
                vetoed=issued.vetoed(one),
            )
            for one in row.materials.all()
        ),
    )


def _own_source(one: ItemMaterial) -> str:
    """The register of the certificates that the district issues itself, for one that is spared by certificate."""
    kind = certificates.catalogue().kinds.get(one.certificate_type)
    return f"certificates.{kind.key}" if one.free == "certificate" and kind and not kind.foreign else ""


def forget() -> None:
    """Empty the cache. For tests, where ids are given out again."""
    _offer.cache_clear()


def _term(amount: int | None, unit: str) -> Term | None:
    return Term(amount, unit) if amount is not None and unit else None
