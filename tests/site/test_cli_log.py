"""`liangzhu log …`: heads to keep, proofs to hand out, and the whole log gone over."""

import json
import subprocess
import sys

import pytest
from django.db import transaction

from liangzhu.kernel import log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.log import heads
from liangzhu.kernel.models import LogDetail, LogHead, LogLeaf
from liangzhu.kernel.refs import Ref
from liangzhu.site import cli, doctor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def grown(settings, tmp_path):
    settings.LIANGZHU_HOME = tmp_path
    grow(3)
    grow(2)
    heads.append_missing()


def grow(count: int) -> None:
    with transaction.atomic():
        for n in range(count):
            log.write_leaf(SYSTEM, "test.did", Ref("thing", str(n)), {"n": n})
    log.sequence_now()


@pytest.fixture
def run(capsys):
    def call(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main.main(args=["log", *map(str, words)], prog_name="liangzhu")
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def test_a_log_in_order_is_said_to_be(run):
    status, out, _ = run("verify")
    assert status == 0 and "日志 5 条，树头 2 个" in out and log.latest_head().root in out
    status, out, _ = run("verify", "--json")
    assert status == 0 and json.loads(out)["leaves"] == 5


def test_what_is_wrong_is_named_with_what_to_do(run):
    LogLeaf.objects.filter(number=1).update(actor="account:9")
    status, out, _ = run("verify")
    assert status == 1 and "1 号被改过" in out and "备份" in out
    status, out, _ = run("verify", "--json")
    assert status == 1 and json.loads(out)["findings"][0]["leaf"] == 1


def test_a_head_kept_outside_sees_a_cut_end(run, tmp_path):
    status, out, _ = run("head")
    kept = tmp_path / "kept.json"
    kept.write_text(out)
    assert status == 0 and run("verify", "--since-head", kept)[0] == 0
    LogDetail.objects.filter(leaf__number__gte=3).delete()
    LogLeaf.objects.filter(number__gte=3).delete()
    LogHead.objects.filter(size=5).delete()
    heads.heads_file().unlink()
    heads.append_missing()
    assert run("verify")[0] == 0
    status, out, _ = run("verify", "--since-head", kept)
    assert status == 1 and "截去" in out


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"size": 1}'])
def test_a_file_that_is_no_head_is_refused(run, tmp_path, text):
    (tmp_path / "kept.json").write_text(text)
    status, _, err = run("verify", "--since-head", tmp_path / "kept.json")
    assert status == 2 and err
    assert run("verify", "--since-head", tmp_path / "absent.json")[0] == 2


def test_a_proof_goes_into_a_file_that_is_checked_offline(run, tmp_path, root):
    out = tmp_path / "proof.json"
    status, said, _ = run("prove", 4, "--details", "--out", out)
    assert status == 0 and "verify.py" in said
    script = root / "docs" / "verify" / "verify.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", script, "proof", out], capture_output=True, env={"PYTHONUTF8": "1"}
    )
    assert done.returncode == 0 and "4 号在树里" in done.stdout.decode()


def test_a_leaf_that_is_not_there_has_no_proof(run, tmp_path):
    status, _, err = run("prove", 5)
    assert status == 1 and "没有 5 号" in err
    assert run("prove", "x")[0] == 2
    assert run("prove", 1, "--out", tmp_path / "absent" / "proof.json")[0] == 2


class TestDoctor:
    def found(self) -> doctor.Finding:
        (finding,) = doctor._log()
        return finding

    def test_a_log_in_order(self):
        assert self.found().level == doctor.GOOD

    def test_a_cut_end(self):
        LogHead.objects.filter(size=5).delete()
        assert self.found().level == doctor.BAD and "截去" in self.found().detail

    def test_a_forged_head(self):
        LogHead.objects.filter(size=5).update(signature="00" * 64)
        assert self.found().level == doctor.BAD

    def test_a_head_that_is_not_in_the_file(self):
        grow(1)
        assert self.found().level == doctor.WARN

    def test_leaves_that_nobody_takes_up(self):
        with transaction.atomic():
            leaf = log.write_leaf(SYSTEM, "test.did", Ref("thing", "1"), {})
        assert self.found().level == doctor.GOOD
        LogLeaf.objects.filter(pk=leaf.pk).update(recorded_at="2001-01-01T00:00Z")
        assert self.found().level == doctor.BAD and self.found().todo
