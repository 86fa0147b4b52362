"""How the API speaks: problems, stale writes, idempotency, pages, rates."""

import json
import threading

import pytest
from django.db import connection
from django.test import Client

from liangzhu.beams.work.matters import actions
from liangzhu.beams.work.matters.models import Comment, Entry
from liangzhu.kernel import limits, replay
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.models import Bucket, Replay

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
def li(program):
    """A program of an officer of the leading unit."""
    return program("甲局", "李四", "matters.officer")


@pytest.fixture
def matter(simple, advance, li):
    """A matter that 李四 works on; its version is 2."""
    return advance(li.actor, simple(li.actor), "accept")


def is_problem(answer, status: int, code: str) -> dict:
    """The problem document of an answer."""
    body = answer.json()
    assert (answer.status_code, body.get("type")) == (status, f"urn:liangzhu:problem:{code}"), body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status and body["title"] and body["detail"] and body["todo"]
    assert body["instance"] == f"urn:request:{answer.headers['X-Request-Id']}"
    return body


# Problems -------------------------------------------------------------------------------------------------


def test_an_unknown_address_is_a_problem(db):
    is_problem(Client().get("/api/v1/nothing"), 404, "no_such_route")
    is_problem(Client().get("/api/"), 404, "no_such_route")


def test_a_wrong_method_names_the_right_ones(li):
    answer = li.post("units", {})
    is_problem(answer, 405, "wrong_method")
    assert answer.headers["Allow"] == "GET"


def test_a_wrong_body_is_told_by_pointer_and_a_wrong_parameter_by_name(li, matter):
    body = is_problem(
        li.post(
            f"matters/{matter.pk}/steps/note_progress", {"version": "x", "nots": 1, "data": {"progress": {}}}
        ),
        422,
        "invalid",
    )
    assert {error["pointer"] for error in body["errors"]} >= {"#/version", "#/nots"}
    body = is_problem(li.get("matters", {"limit": 1000, "scope": "theirs"}), 422, "invalid")
    assert {error["parameter"] for error in body["errors"]} == {"limit", "scope"}
    body = is_problem(li.get("matters", {"scop": "unit"}), 422, "invalid")
    assert body["errors"] == [{"parameter": "scop", "detail": "没有这一项，请核对名称。"}]
    body = is_problem(li.get("matters", {"limit": 1000}), 422, "invalid")
    assert "不能大于 200。" in [error["detail"] for error in body["errors"]]


def test_what_the_action_refuses_is_told_by_pointer_into_data(li, matter):
    body = is_problem(
        li.post(f"matters/{matter.pk}/steps/note_progress", {"data": {"share": "120", "unknown/name": 1}}),
        422,
        "invalid",
    )
    assert {error["pointer"]: error["detail"] for error in body["errors"]} == {
        "#/data/progress": "请填写进展。",
        "#/data/share": "完成比例不能大于 100。",
        "#/data/unknown~1name": "“报进展”没有名为 unknown/name 的填写项。",
    }


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1", b'{"note": "\\u0000"}', b'{"note": "\\ud800"}', b"\xff\xfe", b"[" * 100_000, b"{}{}"],
)
def test_what_is_no_json_is_a_problem(li, matter, body):
    answer = Client().post(
        f"/api/v1/matters/{matter.pk}/steps/note_progress",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {li.token}"},
    )
    is_problem(answer, 400, "unreadable")


def test_another_kind_of_body_and_a_huge_one_are_problems(li, matter, settings):
    bearer = {"Authorization": f"Bearer {li.token}"}
    path = f"/api/v1/matters/{matter.pk}/comments"
    answer = Client().post(path, "text=x", content_type="application/x-www-form-urlencoded", headers=bearer)
    is_problem(answer, 415, "media_type")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    is_problem(li.post(f"matters/{matter.pk}/comments", {"text": "长" * 1000}), 413, "too_large")


def test_a_file_of_a_wrong_kind_or_size_is_a_problem(li, upload, settings):
    bearer = {"Authorization": f"Bearer {li.token}"}
    good = Client().post("/api/v1/files", {"file": upload("说明.txt", "内容")}, headers=bearer)
    assert good.status_code == 201 and good.json()["media_type"] == "text/plain"
    content = Client().get(f"/api/v1/files/{good.json()['id']}/content", headers=bearer)
    assert content.content.decode() == "内容" and "attachment" in content.headers["Content-Disposition"]
    bad = Client().post("/api/v1/files", {"file": upload("a.pdf", b"MZ\x90\x00")}, headers=bearer)
    is_problem(bad, 415, "bad_file")
    body = is_problem(Client().post("/api/v1/files", {"x": "y"}, headers=bearer), 422, "invalid")
    assert body["errors"] == [{"pointer": "#/file", "detail": "缺少这一项。"}]
    settings.LIANGZHU_MAX_UPLOAD = 10
    is_problem(
        Client().post("/api/v1/files", {"file": upload("b.txt", "x" * 11)}, headers=bearer), 413, "too_large"
    )


def test_a_fault_of_the_program_tells_nothing_but_its_number(li, monkeypatch, caplog):
    def broken(*args):
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("liangzhu.beams.work.matters.queries.inbox", broken)
    answer = li.get("matters")
    is_problem(answer, 500, "fault")
    assert "swordfish" not in answer.content.decode()


def test_answers_are_not_kept_by_caches_and_carry_no_cookie(li, matter):
    answer = li.get(f"matters/{matter.pk}")
    assert answer.headers["Cache-Control"] == "no-store" and not answer.cookies


# Stale writes ---------------------------------------------------------------------------------------------


def test_a_stale_version_is_told_who_did_what(li, matter, sign_in, advance):
    seen = li.get(f"matters/{matter.pk}")
    assert seen.headers["ETag"] == '"2"' and seen.json()["version"] == 2
    _, wang = sign_in("甲局", "王五")
    advance(wang, matter, "note_progress", progress="先到")
    path, body = f"matters/{matter.pk}/steps/note_progress", {"data": {"progress": "后到"}}
    said = "王五 · 科长已于 2022-10-20 09:00 办理“报进展”"
    assert said in is_problem(li.post(path, body | {"version": 2}), 409, "conflict")["detail"]
    assert said in is_problem(li.post(path, body, If_Match='"2"'), 412, "precondition_failed")["detail"]
    is_problem(li.post(path, body, If_Match="*x"), 400, "unreadable")
    assert li.post(path, body, If_Match='"3"').status_code == 200


# Idempotency ----------------------------------------------------------------------------------------------


def test_the_same_request_with_the_same_key_is_done_once_and_answered_alike(li, matter):
    path, body = f"matters/{matter.pk}/comments", {"text": "请补充附图"}
    first = li.post(path, body, Idempotency_Key=KEY)
    again = li.post(path, body, Idempotency_Key=f'"{KEY}"')
    assert first.status_code == again.status_code == 201 and first.content == again.content
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    assert Comment.objects.count() == 1


def test_a_step_is_done_once_and_its_etag_comes_again(li, matter):
    path, body = f"matters/{matter.pk}/steps/note_progress", {"data": {"progress": "一半"}, "version": 2}
    first, again = (li.post(path, body, Idempotency_Key=KEY) for _ in range(2))
    assert first.json() == again.json() and again.headers["ETag"] == '"3"'
    assert Entry.objects.filter(matter=matter, transition="note_progress").count() == 1


def test_the_key_with_another_request_is_refused(li, matter):
    path = f"matters/{matter.pk}/comments"
    li.post(path, {"text": "甲"}, Idempotency_Key=KEY)
    is_problem(li.post(path, {"text": "乙"}, Idempotency_Key=KEY), 422, "idempotency_key_reused")
    is_problem(li.post("notices/read", {"text": "甲"}, Idempotency_Key=KEY), 422, "idempotency_key_reused")


def test_the_key_of_another_is_another_key(li, matter, program):
    wang = program("甲局", "王五", "matters.officer")
    path = f"matters/{matter.pk}/comments"
    for client, text in ((li, "甲"), (wang, "乙")):
        assert client.post(path, {"text": text}, Idempotency_Key=KEY).status_code == 201
    assert Comment.objects.count() == 2


def test_what_was_refused_may_be_corrected_under_the_same_key(li, matter):
    path = f"matters/{matter.pk}/steps/note_progress"
    is_problem(li.post(path, {}, Idempotency_Key=KEY), 422, "invalid")
    assert li.post(path, {"data": {"progress": "一半"}}, Idempotency_Key=KEY).status_code == 200
    assert Replay.objects.count() == 1


def test_a_key_that_is_none_is_refused(li, matter):
    is_problem(li.post("notices/read", {}, Idempotency_Key="短"), 400, "idempotency_key")
    is_problem(li.post("notices/read", {}, Idempotency_Key="x" * 300), 400, "idempotency_key")


def test_a_key_ends(li, matter, settings):
    settings.LIANGZHU_IDEMPOTENCY_HOURS = 0
    for _ in range(2):
        li.post(f"matters/{matter.pk}/comments", {"text": "甲"}, Idempotency_Key=KEY)
    assert Comment.objects.count() == 2
    replay.sweep_replays()
    assert Replay.objects.count() == 0


def test_an_upload_sent_twice_is_kept_once(li, upload):
    headers = {"Authorization": f"Bearer {li.token}", "Idempotency-Key": KEY}
    first, again = (
        Client().post("/api/v1/files", {"file": upload("a.txt", "内容")}, headers=headers) for _ in range(2)
    )
    assert first.status_code == 201 and first.content == again.content
    other = Client().post("/api/v1/files", {"file": upload("a.txt", "别的")}, headers=headers)
    is_problem(other, 422, "idempotency_key_reused")


def test_what_is_kept_of_an_answer_is_sealed(li, matter):
    li.post(f"matters/{matter.pk}/comments", {"text": "请转告张三"}, Idempotency_Key=KEY)
    row = Replay.objects.get()
    kept = bytes(row.answer) + f"{row.key}{row.fingerprint}".encode()
    assert "张三".encode() not in kept and KEY.encode() not in kept


@pytest.mark.django_db(transaction=True)
def test_a_second_one_while_the_first_is_under_way_is_told_so(li, matter, monkeypatch):
    began, go_on, told = threading.Event(), threading.Event(), {}
    real = actions.comment

    def slow(actor, **kwargs):
        began.set()
        assert go_on.wait(30)
        return real(actor, **kwargs)

    monkeypatch.setattr(actions, "comment", slow)
    path, body = f"matters/{matter.pk}/comments", {"text": "甲"}

    def first():
        try:
            told["first"] = li.post(path, body, Idempotency_Key=KEY)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(30)
    is_problem(li.post(path, body, Idempotency_Key=KEY), 409, "idempotency_under_way")
    if connection.vendor == "postgresql":
        # Another process does not know this one's memory: there the database's lock speaks.
        monkeypatch.setattr(replay, "_under_way", set())
        is_problem(li.post(path, body, Idempotency_Key=KEY), 409, "idempotency_under_way")
    go_on.set()
    thread.join(30)
    assert told["first"].status_code == 201
    assert li.post(path, body, Idempotency_Key=KEY).headers["Idempotent-Replayed"] == "true"
    assert Comment.objects.count() == 1


# Pages ----------------------------------------------------------------------------------------------------


def links(answer) -> dict[str, str]:
    """The header Link as {rel: address}."""
    parts = [part.split("; rel=") for part in answer.headers.get("Link", "").split(", ") if part]
    return {rel.strip('"'): address.strip("<>").removeprefix("/api/v1/") for address, rel in parts}


def test_a_list_is_walked_forwards_and_backwards_by_its_links(li, simple):
    wanted = [simple(li.actor, title=f"事项{n}").pk for n in range(7)]
    answer = li.get("matters", {"scope": "unit", "limit": 3})
    seen = [row["id"] for row in answer.json()]
    assert "prev" not in links(answer)
    while "next" in links(answer):
        answer = li.get(links(answer)["next"])
        seen += [row["id"] for row in answer.json()]
    assert seen == wanted
    answer = li.get(links(answer)["prev"])
    assert [row["id"] for row in answer.json()] == wanted[3:6]


@pytest.mark.parametrize("place", ["zzz", "WyJ4IiwgInkiXQ", "W10"])
def test_a_place_that_cannot_be_read_is_a_problem_not_the_first_page(li, matter, place):
    is_problem(li.get("matters", {"after": place}), 422, "invalid")


# Rates ----------------------------------------------------------------------------------------------------


def test_a_token_has_its_rate_whatever_the_process(li, settings):
    settings.LIANGZHU_API_RATE = 4
    told = []
    for _ in range(4):
        limits.forget()  # a process that knows nothing of the others
        told.append(li.get("me"))
    assert [answer.status_code for answer in told] == [200] * 4
    assert told[0].headers["RateLimit-Policy"] == '"token";q=4;w=60'
    assert told[0].headers["RateLimit"].startswith('"token";r=3;t=')
    answer = li.get("me")
    is_problem(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 15 and '"token";r=0' in answer.headers["RateLimit"]


def test_a_rate_refills(db, monkeypatch):
    rate = limits.Rate("test", 2, 60)
    limits.take(rate, "x"), limits.take(rate, "x")
    with pytest.raises(Problem):
        limits.take(rate, "x")
    row = Bucket.objects.get(key="test:x")
    Bucket.objects.filter(pk=row.pk).update(at=row.at - limits.timedelta(seconds=31))
    limits.forget()
    assert limits.take(rate, "x") == 0
    with pytest.raises(Problem):
        limits.take(rate, "x")


def test_a_large_rate_seldom_asks_the_database(db, django_assert_num_queries):
    rate = limits.Rate("test", 3000, 60)
    limits.take(rate, "x")
    with django_assert_num_queries(0):
        for _ in range(59):
            limits.take(rate, "x")
    assert Bucket.objects.get().level == 2940


def test_an_address_that_tries_tokens_is_told_to_wait_and_good_tokens_are_not(li, settings):
    settings.LIANGZHU_FAILURE_RATE = 2
    for _ in range(2):
        assert Client().get("/api/v1/me", headers={"Authorization": "Bearer x"}).status_code == 401
    limits.forget()
    answer = Client().get("/api/v1/me", headers={"Authorization": "Bearer x"})
    is_problem(answer, 429, "too_many_requests")
    assert li.get("me").status_code == 200
    assert "127.0.0.1" not in json.dumps(list(Bucket.objects.values_list("key", flat=True)))
