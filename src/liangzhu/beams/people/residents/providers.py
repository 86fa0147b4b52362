"""Providers of identities (身份提供方): adapters register here; this app knows none of them by name."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.refs import Ref


class ProviderDown(Problem):
    """The provider does not answer, or not in time."""

    code, title, status = "provider_down", "省统一身份认证暂时没有回应", 503
    todo = "不是您的问题，内容没有丢失。请过一两分钟再试；急用可以到政务服务中心窗口办理。"


class ProviderRefused(Problem):
    """The provider said no, or said something that cannot be believed."""

    code, title, status = "provider_refused", "没有登录成功", 502
    todo = "请重新登录；连续出现时请打咨询电话告诉我们。"


@dataclass(frozen=True)
class Ask:
    """One asking for an identity. ``state``, ``nonce`` and ``verifier`` (PKCE, RFC 7636) are secrets of this asking."""

    state: str
    nonce: str
    verifier: str
    level: int
    redirect_uri: str

    @classmethod
    def new(cls, level: int, redirect_uri: str) -> "Ask":
        """A fresh one."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)), level, redirect_uri)

    @property
    def challenge(self) -> str:
        """The S256 challenge of the verifier."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True)
class Enterprise:
    """For which enterprise the person signed in. ``agent``: as its agent, by a grant from a day until another, which does
    not count; else as its legal representative.
    """

    uscc: str
    name: str
    agent: bool = False
    granted_on: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Identity:
    """Who signed in, as the provider asserts it. ``document_kind`` is one of the register's, ``level`` 1 to 3."""

    name: str
    document_kind: str
    document_number: str
    level: int
    enterprise: Enterprise | None = None


class Provider(Protocol):
    """What an adapter offers."""

    def authorize_url(self, ask: Ask) -> str:
        """Where to send the browser. Raises ProviderDown."""

    def finish(self, ask: Ask, params: Mapping[str, str]) -> Identity:
        """Who signed in, from what the browser brought back. Raises ProviderDown, ProviderRefused."""


@dataclass(frozen=True)
class Known:
    """A provider that is switched on; ``simulated`` says that it is a simulator, and pages say so too."""

    key: str
    title: str
    provider: Provider
    simulated: bool = False

    @property
    def actor(self) -> Actor:
        """The provider as actor: what it asserts is written in its name."""
        return Actor(ref=Ref("identity_provider", self.key), label=self.title)


_providers: dict[str, Known] = {}


def register_provider(key: str, title: str, provider: Provider, *, simulated: bool = False) -> None:
    """Register a provider. Raises ValueError for a key registered twice."""
    if key in _providers:
        raise ValueError(f"identity provider {key} is registered twice")
    _providers[key] = Known(key, title, provider, simulated)


def drop_provider(key: str) -> None:
    """Forget a provider: for tests, and for an adapter that is switched off."""
    _providers.pop(key, None)


def all_providers() -> dict[str, Known]:
    """Every provider by key."""
    return dict(_providers)
