"""What the overview's templates need beside the tags of the house."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def laid_out(parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The parts of one bar that are not empty, each with its ``share`` and where it begins (``at``), in percent."""
    listed = [dict(part) for part in parts if part["value"]]
    total = sum(part["value"] for part in listed)
    at = 0.0
    for part in listed:
        part["at"], part["share"] = round(at, 2), round(100 * part["value"] / total, 2)
        at += part["share"]
    return listed
