"""Tags of the sign-in pages: ``{% load access %}``."""

from typing import Any

from django import template

from liangzhu.beams.people.access.loaders import demo_password
from liangzhu.beams.people.access.queries import demo_panel, device
from liangzhu.kernel.pack import pack

register = template.Library()


@register.inclusion_tag("access/demo_panel.html", takes_context=True)
def demo_accounts(context: template.Context) -> dict[str, Any]:
    """``{% demo_accounts %}``: the accounts of a demonstration, each signs in with one click; nothing outside one."""
    groups = demo_panel()
    return {
        "groups": groups,
        "password": demo_password(pack()) if groups else "",
        "redirect_field": context.get("redirect_field", ""),
        "csrf_token": context.get("csrf_token"),
        "request": context.get("request"),
    }


@register.simple_tag(takes_context=True)
def this_device(context: template.Context) -> str:
    """``{% this_device %}``: a first name for a passkey, from what the browser says of itself."""
    return device(context["request"].headers.get("User-Agent", ""))
