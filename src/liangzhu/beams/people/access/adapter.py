"""How allauth fits into this house: accounts are opened by administrators, nothing is ever mailed."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from liangzhu.beams.people.access.backends import plain_username
from liangzhu.beams.people.access.models import Account


class StaffAccountAdapter(DefaultAccountAdapter):
    """Accounts of staff."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "用户名或密码不正确。请核对大小写和输入法；忘记密码请联系系统管理员重置。",
        "incorrect_password": "密码不正确。",
        "enter_current_password": "请输入现在的密码。",
        "incorrect_code": "验证码不正确，请等下一组数字出现后再试。",
        "too_many_login_attempts": "尝试次数过多，请稍后再试。",
        "rate_limited": "操作太频繁，请稍后再试。",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for oneself."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Account | None:
        """Check under the plain form of the user name, so that lock-out counts one name as one."""
        if "username" in credentials:
            credentials["username"] = plain_username(credentials["username"])
        return super().authenticate(request, **credentials)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to one's own security page."""
        return reverse("access:security")
