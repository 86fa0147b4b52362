"""What machines ask of a running program, and what it writes about itself."""

import io
import json
import logging
from datetime import date

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from liangzhu.kernel import actions, observing
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.models import PeriodicRun
from liangzhu.kernel.refs import Ref
from liangzhu.site import config, health, logs, serving

IDENTITY, PHONE = "320706199001011234", "13812345678"


@pytest.fixture
def written():
    """What the program logs, in both forms."""
    streams = {"line": io.StringIO(), "json": io.StringIO()}
    handlers = []
    for name, stream in streams.items():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logs.Line() if name == "line" else logs.Json())
        handlers.append(handler)
        logging.getLogger("liangzhu").addHandler(handler)
    level = logging.getLogger("liangzhu").level
    logging.getLogger("liangzhu").setLevel("INFO")
    yield lambda name: streams[name].getvalue()
    logging.getLogger("liangzhu").setLevel(level)
    for handler in handlers:
        logging.getLogger("liangzhu").removeHandler(handler)


# Lines ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_request_leaves_one_line_with_its_route_and_never_its_address(written):
    Client().get(f"/work/?q={IDENTITY}", headers={"X-Request-Id": "caller-0001"})
    lines = [json.loads(line) for line in written("json").splitlines()]
    (line,) = [line for line in lines if line["logger"] == "liangzhu.access"]
    assert line["method"] == "GET" and line["route"].startswith("matters:")
    assert line["status"] == 302 and line["ms"] > 0
    assert line["request_id"] == "caller-0001" and line["actor"] == "public:anonymous"
    assert IDENTITY not in written("json") + written("line") and "?q" not in written("line")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a1b2c3d4-e5", True),
        ("short", False),
        ("x" * 41, False),
        ("with space 12", False),
        ("line\\n12345678", False),
    ],
)
def test_only_a_well_formed_request_id_is_taken_over(given, kept):
    answer = Client().get("/", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) == kept
    assert len(answer.headers["X-Request-Id"]) in (len(given), 32)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/", "/no-such-page", "/healthz", "/static/no.css", "/api/v1/openapi.json"]
)
def test_every_answer_carries_a_request_id(address):
    assert Client().get(address).headers["X-Request-Id"]


def test_personal_data_and_secrets_do_not_reach_the_lines(written):
    planted = {
        "identity": IDENTITY,
        "identity with x": "32070619900101123X",
        "first generation": "320706900101123",
        "spaced": "320706 19900101 1234",
        "mobile": PHONE,
        "mobile with code": "+86 138-1234-5678",
        "fixed line": "0518-85412345",
        "authorization": "Bearer abcdefgh.ijklmnop",
        "cookie": "sessionid=q1w2e3r4t5y6",
        "password": "password=hunter2hunter2",
        "address": "postgresql://user:geheim@db/liangzhu",
    }
    log = logging.getLogger("liangzhu.web")
    for value in planted.values():
        log.info("got %s here", value)
        try:
            raise ValueError(f"bad value {value}")
        except ValueError:
            log.exception("failed", extra={"detail": value})
    for text in (written("line"), written("json")):
        assert text.count("got ") == len(planted)
        for part in (
            IDENTITY, "32070619900101123", "320706900101123", "19900101 1234", PHONE, "1234-5678", "85412345",
            "abcdefgh.ijklmnop", "q1w2e3r4t5y6", "hunter2", "geheim",
        ):  # fmt: skip
            assert part not in text, part


def test_ordinary_numbers_stay_readable():
    kept = "matter:1234567890 PT-2022-000123 2022-10-20T10:00:00 release 20221020123456 8000 ms"
    assert logs.masked(kept) == kept


def test_lines_inside_an_action_and_a_delivery_say_where_they_come_from(written):
    with observing.about(event=12, handler="matters.told", request_id="abcdef123456"):
        logging.getLogger("liangzhu.worker").warning("slow")
    line = json.loads(written("json"))
    assert (line["event"], line["handler"], line["request_id"]) == ("12", "matters.told", "abcdef123456")
    assert "event=12 handler=matters.told request_id=abcdef123456 slow" in written("line")


# Figures --------------------------------------------------------------------------------------------------------------


def _figures(**given) -> dict:
    answer = Client().get("/metrics", **given)
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.mark.django_db
def test_requests_actions_and_what_is_stored_are_counted(district_processes):
    @actions.action("site.counted_here")
    def counted(act, *, wrong=False):
        act.checked.append("none")
        if wrong:
            raise Invalid("no")
        act.log(Ref("x", "1"))

    def of(figures, name, **labels):
        return figures.get((name, tuple(sorted(labels.items()))), 0)

    try:
        before = _figures()
        Client().get("/")
        counted(SYSTEM)
        with pytest.raises(Invalid):
            counted(SYSTEM, wrong=True)
        after = _figures()
    finally:
        del actions._actions["site.counted_here"]
    home = {"route": "site:home", "method": "GET", "status": "200"}
    assert of(after, "liangzhu_requests_total", **home) == of(before, "liangzhu_requests_total", **home) + 1
    assert of(after, "liangzhu_request_seconds_count", route="site:home") >= 1
    for outcome in ("done", "refused"):
        labels = {"action": "site.counted_here", "outcome": outcome}
        assert of(after, "liangzhu_actions_total", **labels) == 1
    assert of(after, "liangzhu_log_unnumbered") == of(before, "liangzhu_log_unnumbered") + 1
    assert of(after, "liangzhu_database_up") == 1
    assert of(after, "liangzhu_open_matters", kind="plan_task", light="over") == 0
    for state in ("pending", "retrying", "dead"):
        assert ("liangzhu_outbox", (("state", state),)) in after


@pytest.mark.django_db
def test_figures_are_for_this_machine_or_with_the_token(settings):
    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 403
    # Through a proxy on this machine, the world looks local.
    assert Client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 403
    settings.LIANGZHU_METRICS_TOKEN = "t0ken-of-prometheus"
    assert Client().get("/metrics").status_code == 403
    assert Client().get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    given = {"Authorization": "Bearer t0ken-of-prometheus"}
    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.7", headers=given).status_code == 200


# Health ---------------------------------------------------------------------------------------------------------------


def test_alive_touches_nothing():
    # No database mark: a query would fail this test.
    answer = Client().get("/healthz", headers={"Host": "10.0.0.7"})
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.django_db
def test_ready_names_what_stands_in_the_way():
    answer = Client().get("/readyz", headers={"Host": "10.0.0.7"})
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok", "migrations": "ok", "keys": "ok", "worker": "never ran", "disk": "ok",
    }  # fmt: skip
    PeriodicRun.objects.update_or_create(name="x", defaults={"last_at": health.machine_now()})
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


@pytest.mark.django_db
def test_a_check_that_fails_is_named_and_the_others_are_still_made(monkeypatch):
    def broken():
        raise OSError("/secret/path")

    monkeypatch.setattr(health, "_disk", broken)
    body = Client().get("/readyz").json()
    assert body["checks"]["disk"] == "OSError" and body["checks"]["database"] == "ok"
    assert "/secret" not in json.dumps(body)


# Beyond loopback ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"LIANGZHU_OWN_KEY": True}, "LIANGZHU_SECRET_KEY"),
        ({"LIANGZHU_OWN_MASTER_KEY": True}, "LIANGZHU_MASTER_KEY"),
        ({"DEBUG": True}, "LIANGZHU_DEBUG"),
        ({"LIANGZHU_DEMO_DATE": date(2022, 10, 20)}, "LIANGZHU_DEMO_DATE"),
    ],
)
def test_whoever_starts_it_is_refused_names_beyond_loopback_with_unsafe_secrets(settings, given, reason):
    safe = {
        "LIANGZHU_OWN_KEY": False,
        "LIANGZHU_OWN_MASTER_KEY": False,
        "DEBUG": False,
        "LIANGZHU_DEMO_DATE": None,
    }
    for name, value in (safe | given).items():
        setattr(settings, name, value)
    settings.ALLOWED_HOSTS = ["localhost", "gov.example.cn"]
    try:
        with pytest.raises(serving.NotBeyondLoopback, match=reason):
            serving.guard()
        settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
        serving.guard()
        answer = Client().get("/", REMOTE_ADDR="203.0.113.7")
        assert answer.status_code == 403 and reason in answer.content.decode()
        local = Client().get("/healthz")
        assert (
            local.status_code == 200 and Client().get("/", headers={"Host": "localhost"}).status_code != 403
        )
    finally:
        serving._here_only.clear()


@pytest.mark.django_db
def test_a_safe_installation_is_served_to_everybody(settings):
    settings.LIANGZHU_OWN_KEY = settings.LIANGZHU_OWN_MASTER_KEY = settings.DEBUG = False
    settings.LIANGZHU_DEMO_DATE = None
    settings.ALLOWED_HOSTS = ["gov.example.cn"]
    serving.guard()
    answer = Client().get("/", REMOTE_ADDR="203.0.113.7", headers={"Host": "gov.example.cn"})
    assert answer.status_code == 200


def test_a_misspelt_setting_is_named_with_the_nearest_one(monkeypatch):
    monkeypatch.setenv("LIANGZHU_HOST", "x")
    monkeypatch.setenv("LIANGZHU_WHATEVER_IT_IS", "x")
    assert config.unknown() == [
        "LIANGZHU_HOST（是不是 LIANGZHU_HOSTS？）",
        "LIANGZHU_WHATEVER_IT_IS（没有这个设置）",
    ]
