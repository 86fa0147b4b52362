"""How allauth fits into this house: accounts are opened by administrators, nothing is ever mailed."""

import base64
import os
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
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


class StaffMFAAdapter(DefaultMFAAdapter):
    """Second factors: what lies in the database opens nothing without the key of this installation.

    Secrets are SM4-GCM (GB/T 32907) under a key derived from ``SECRET_KEY``: ``sm4:`` and base64 of nonce, tag and text.
    Whoever changes ``SECRET_KEY`` makes everybody enrol again.
    """

    PREFIX = "sm4:"

    @staticmethod
    def _key() -> SM4:
        derive = HKDF(algorithm=SM3(), length=16, salt=None, info=b"liangzhu second factor")
        return SM4(derive.derive(settings.SECRET_KEY.encode()))

    def encrypt(self, text: str) -> str:
        """The secret as it is stored."""
        nonce = os.urandom(12)
        lock = Cipher(self._key(), GCM(nonce)).encryptor()
        sealed = lock.update(text.encode()) + lock.finalize()
        return self.PREFIX + base64.b64encode(nonce + lock.tag + sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. Raises cryptography's InvalidTag when it was altered or belongs to another installation."""
        raw = base64.b64decode(encrypted_text.removeprefix(self.PREFIX))
        opened = Cipher(self._key(), GCM(raw[:12], raw[12:28])).decryptor()
        return (opened.update(raw[28:]) + opened.finalize()).decode()
