"""The log before everybody: heads and proofs without anything about persons, the checker to take home."""

import json
import re
import shutil
from pathlib import Path

import pytest
from django.db import transaction

from liangzhu.kernel import log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.log import tree
from liangzhu.kernel.models import LogHead, LogTile
from liangzhu.kernel.refs import Ref

SECRETS = ["test.did", "thing", "system:worker", "事由甲", "req-77"]


def grow(*batches: int) -> None:
    for count in batches:
        with transaction.atomic():
            for n in range(count):
                log.write_leaf(SYSTEM, "test.did", Ref("thing", str(n)), {"事由甲": f"第 {n} 件"})
        log.sequence_now()


@pytest.fixture
def grown(db, settings, tmp_path):
    settings.LIANGZHU_HOME = tmp_path
    grow(3, 5, 292)


def test_everybody_reads_heads_proofs_and_keys_and_learns_nothing_of_persons(grown, client):
    head = client.get("/log/head.json").json()
    assert head["size"] == 300
    proof = client.get("/log/proof/7.json").json()
    path = [bytes.fromhex(each) for each in proof["path"]]
    assert tree.verify_inclusion(
        bytes.fromhex(proof["leaf"]["hash"]), 7, 300, path, bytes.fromhex(head["root"])
    )
    assert client.get("/log/proof/7.json?size=8").json()["head"]["size"] == 8
    assert client.get("/log/consistency/8/300.json").json()["new"] == head
    assert client.get("/log/keys.json").json()["keys"][0]["public_key"] == head["public_key"]
    sizes = [one["size"] for one in client.get("/log/heads.json").json()["heads"]]
    assert sizes == [300, 8, 3]
    assert [one["size"] for one in client.get("/log/heads.json?before=8").json()["heads"]] == [3]
    for address in (
        "/log/",
        "/log/?number=7",
        "/log/heads/",
        "/log/heads.json",
        "/log/head.json",
        "/log/proof/7.json",
        "/log/consistency/3/8.json",
        "/log/keys.json",
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        assert not [word for word in SECRETS if word in answer.content.decode()], address
        if address.endswith(".json"):
            assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/log/proof/300.json", 404),
        ("/log/proof/99999999999999999999999999.json", 404),
        ("/log/proof/3.json?size=7", 404),
        ("/log/proof/3.json?size=x", 400),
        ("/log/consistency/8/3.json", 404),
        ("/log/consistency/0/8.json", 404),
        ("/log/consistency/4/8.json", 404),
        ("/log/consistency/3/99999999999999999999999.json", 404),
        ("/log/heads.json?before=-1", 400),
    ],
)
def test_what_cannot_be_proven_is_a_problem_that_says_what_to_do(grown, client, address, status):
    answer = client.get(address)
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] and answer.json()["todo"]


def test_a_hole_in_the_tree_is_said_and_not_papered_over(grown, client):
    LogTile.objects.filter(level=0, index=0).delete()
    answer = client.get("/log/proof/7.json")
    assert answer.status_code == 500 and answer.json()["title"] == "日志树不完整"


def test_the_page_finds_a_leaf_and_takes_the_proof_from_an_older_head(grown, client):
    page = client.get("/log/?number=7").content.decode()
    assert "7 号在树里" in page and "/log/proof/7.json" in page
    assert "没有 999 号" in client.get("/log/?number=999").content.decode()
    assert "不带符号的整数" in client.get("/log/?number=-x").content.decode()
    answer = client.get("/log/?old=8")
    assert answer.status_code == 302 and answer["Location"] == "/log/consistency/8/300.json"
    assert "没有签过大小为 7 的树头" in client.get("/log/?old=7").content.decode()


def test_an_empty_log_says_so(db, client):
    LogHead.objects.all().delete()
    assert "还没有树头" in client.get("/log/").content.decode()
    assert client.get("/log/head.json").status_code == 404


def test_the_checker_comes_with_the_page(grown, client, root):
    answer = client.get("/log/verify.py")
    assert answer.content == (root / "docs" / "verify" / "verify.py").read_bytes()


def test_what_a_leaf_says_is_for_the_auditor(grown, client):
    answer = client.get("/log/leaf/7.json")
    assert answer.status_code == 302 and "/account/login/" in answer["Location"]


def test_heads_are_paged_at_a_flat_cost(grown, client, django_assert_max_num_queries):
    grow(*[1] * 60)
    with django_assert_max_num_queries(4):
        page = client.get("/log/heads/").content.decode()
    onward = re.search(r'href="(\?after=[^"]+)" rel="next"', page)[1]
    assert ">3</td>" in client.get("/log/heads/" + onward).content.decode() and ">3</td>" not in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 360])
def test_the_pages_are_accessible_and_fit(live_server, settings, tmp_path, root: Path, monkeypatch, width):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("no Chromium or no axe-core here")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_HOME = tmp_path
    grow(3, 5)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        tab = browser.new_page(viewport={"width": width, "height": 800})
        for address in ("/log/", "/log/?number=5", "/log/?number=50", "/log/?old=x", "/log/heads/"):
            assert tab.goto(live_server.url + address).status == 200
            tab.evaluate(source.read_text())
            rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
            found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", rules)["violations"]
            assert [(rule["id"], rule["nodes"][0]["html"][:120]) for rule in found] == [], address
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        # The main flow: look for a leaf, take the proof home.
        tab.goto(live_server.url + "/log/")
        tab.get_by_label("日志编号").fill("5")
        tab.get_by_role("button", name="查找").click()
        with tab.expect_download() as saved:
            tab.get_by_role("link", name="下载证明").click()
        assert json.loads(Path(saved.value.path()).read_text())["leaf"]["number"] == 5
        browser.close()
