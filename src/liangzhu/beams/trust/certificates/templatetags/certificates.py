"""``{% load certificates %}``: days in statements, the drawn seal."""

from datetime import date

from django import template
from django.utils.safestring import SafeString

from liangzhu.beams.trust.certificates.impression import impression
from liangzhu.beams.trust.certificates.models import Seal

register = template.Library()


@register.filter
def day(text: str) -> date | str:
    """A day of a statement (``2022-10-20``); what is none stays as it is."""
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return text


@register.simple_tag
def stamp(seal: Seal) -> SafeString:
    """``{% stamp seal %}``: the seal as it looks on paper."""
    return impression(seal.legend, seal.get_use_display(), seal.number)
