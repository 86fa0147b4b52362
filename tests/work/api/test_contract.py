"""The contract: valid, committed, kept by every answer, whatever is sent."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters.models import Notice, Part
from liangzhu.kernel.policies import all_policies
from liangzhu.site import api

SNAPSHOT = Path(__file__).with_name("openapi.json")
TIMES = 6
"""Requests made up for each operation, right ones and wrong ones, with a token and without."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
contract = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
OPERATIONS = {each.ok().label: each.ok() for each in contract.get_all_operations()}
RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


def test_the_contract_is_openapi_3_1():
    validate(api.schema())
    assert api.schema()["openapi"].startswith("3.1.")


def test_the_contract_changes_only_on_purpose():
    """To change it: ``LIANGZHU_TEST_SNAPSHOT=write pytest …`` and read the difference before you commit it."""
    found = json.dumps(api.schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("LIANGZHU_TEST_SNAPSHOT") == "write":
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert SNAPSHOT.read_text(encoding="utf-8") == found


def test_everything_in_the_contract_is_described_in_chinese():
    for path, methods in api.schema()["paths"].items():
        for method, each in methods.items():
            for text in (each["summary"], each["description"], *each["tags"]):
                assert any("\u4e00" <= letter <= "\u9fff" for letter in text), (method, path, text)
            assert each["x-policy"] in all_policies()


@contextmanager
def one_connection():
    """Requests run in the test's transaction, and must not close what it stands on; Django's own client sees to that itself."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def everything(program, simple, advance, district, upload, settings):
    """A program that may do all, and real ids to do it to."""
    settings.LIANGZHU_API_RATE = settings.LIANGZHU_FAILURE_RATE = 0
    client = program("甲局", "李四", "matters.officer", "matters.head", head=True)
    matter = advance(client.actor, simple(client.actor), "accept")
    advance(client.actor, matter, "ask_help", helpers=[district.units["甲局"]])
    client.post(f"matters/{matter.pk}/comments", {"text": "请补充"})
    note = Notice.objects.create(post_id=client.actor.post_id, key="k", title="提醒", at=matter.opened_at)
    file = files.stage(client.actor, upload=upload("a.txt", "内容"))
    client.real = {
        "matter_id": matter.pk,
        "part_id": Part.objects.get(matter=matter).pk,
        "notice_id": note.pk,
        "file_id": file.pk,
        "unit_id": district.units["甲局"],
        "key": "simple",
        "name": "note_progress",
    }
    return client


def send(case, token: str, checks: list) -> None:
    """Send a made-up request and hold the answer against the contract."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    case.call_and_validate(headers=headers, checks=checks)


def refused(ctx, response, case):
    """What the contract does not allow is refused; a body that is too long for anything is told just that (413)."""
    return None if response.status_code == 413 else negative_data_rejection(ctx, response, case)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_breaks_it(label, everything):
    operation = OPERATIONS[label]

    def made_up(mode, checks: list):
        @settings(
            max_examples=TIMES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode), st.sampled_from([True, True, True, False]))
        def run(case, real):
            if real and mode is RIGHT and case.path_parameters:
                # Ids that exist, or most requests would end at "not there".
                case.path_parameters.update(
                    {name: everything.real[name] for name in case.path_parameters if name in everything.real}
                )
            send(case, everything.token, CHECKS + checks)
            send(case, "", CHECKS)

        return run

    with one_connection():
        made_up(RIGHT, [])()
        made_up(WRONG, [refused])()
