"""Filters that name kinds and roles: ``{% load directory %}``."""

from collections.abc import Iterable

from django import template

from liangzhu.beams.people.directory.roles import role_title
from liangzhu.beams.people.directory.tree import kind_title

register = template.Library()


@register.filter
def unit_kind(kind: str) -> str:
    """``{{ view.kind|unit_kind }}``: the Chinese title of a kind of unit."""
    return kind_title(kind)


@register.filter
def role_titles(codes: Iterable[str]) -> str:
    """``{{ post.roles|role_titles }}``: the Chinese titles of roles, joined."""
    return "、".join(role_title(code) for code in sorted(codes))
