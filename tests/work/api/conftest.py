"""A client of the API: a token and the headers that go with it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.access import tokens
from liangzhu.kernel import limits
from liangzhu.kernel.http import all_scopes

EVERYTHING = list(all_scopes())


@dataclass
class ApiClient:
    """Speaks JSON to the API with a token."""

    token: str = ""
    made: Any = None
    actor: Any = None

    def _headers(self, given: dict[str, str]) -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return bearer | {name.replace("_", "-"): value for name, value in given.items()}

    def get(self, path: str, query: dict | None = None, **headers: str) -> HttpResponse:
        """GET below /api/v1/."""
        return Client().get(f"/api/v1/{path}", query or {}, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """POST JSON below /api/v1/."""
        return Client().post(
            f"/api/v1/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers=self._headers(headers),
        )


@pytest.fixture(autouse=True)
def nobody_remembered():
    """Ids are given out again in every test, and all requests come from one address."""
    tokens.forget()
    limits.forget()


@pytest.fixture
def program(sign_in):
    """``program("甲局", "李四", "matters.officer")``: a client with a token of that person's post."""

    def make(unit: str, name: str, *roles: str, head: bool = False, scopes=None, **more) -> ApiClient:
        _, actor = sign_in(unit, name, *roles, head=head)
        made = access.make_token(
            actor, name="测试", scopes=EVERYTHING if scopes is None else scopes, days=30, **more
        )
        return ApiClient(made.text, made.token, actor)

    return make
