"""`docs/verify/verify.py` checks proofs by itself: Python without its site packages, without the product."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from liangzhu.kernel import crypto, log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.log import proofs, tree
from liangzhu.kernel.refs import Ref

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify" / "verify.py"


@pytest.fixture
def check(tmp_path, settings):
    """Run the script on values as files: (exit status, what it printed)."""
    settings.LIANGZHU_HOME = tmp_path

    def run(command: str, *given: object, key: str = "") -> tuple[int, str]:
        words = []
        for place, value in enumerate(given):
            path = tmp_path / f"{place}.json"
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
            words.append(str(path))
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(SCRIPT), command, *words, *(["--key", key] if key else [])],
            capture_output=True,
            text=True,
            env={"PYTHONUTF8": "1"},
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout

    return run


@pytest.fixture
def grown(db, check):
    """A log of three heads: 3, 8 and 300 leaves."""
    for count in (3, 5, 292):
        with transaction.atomic():
            for n in range(count):
                log.write_leaf(SYSTEM, "test.did", Ref("thing", str(n)), {"说明": f"第 {n} 件"})
        log.sequence_now()


def test_it_is_short_and_imports_pythons_own_library_only():
    text = SCRIPT.read_text(encoding="utf-8")
    assert "liangzhu" not in text.replace("liangzhu log head", "").replace("liangzhu-sealed", "")
    assert {line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))} == {
        "hashlib",
        "json",
        "re",
        "sys",
        "zlib",
    }
    assert len([line for line in text.splitlines() if line.strip()]) < 240


def test_a_proof_holds_with_and_without_its_details(grown, check):
    for number, details in [(0, False), (7, True), (255, False), (299, True)]:
        proof = log.leaf_proof(number, details=details)
        status, said = check("proof", proof, key=proof["head"]["public_key"])
        assert status == 0 and f"{number} 号在树里" in said and "test.did" in said, said


def test_the_public_proof_holds_and_asks_to_compare_the_key(grown, check):
    status, said = check("proof", log.inclusion_proof(5, 8))
    assert status == 0 and "请与公布的公钥核对" in said


def other_hash(text: str) -> str:
    return ("0" if text[0] != "0" else "1") + text[1:]


TAMPERED = {
    "text": lambda p: p["leaf"].update(text=p["leaf"]["text"].replace("test.did", "test.dib")),
    "hash": lambda p: p["leaf"].update(hash=other_hash(p["leaf"]["hash"])),
    "number": lambda p: p["leaf"].update(number=6),
    "number beyond": lambda p: p["leaf"].update(number=300),
    "path": lambda p: p["path"].__setitem__(1, other_hash(p["path"][1])),
    "path short": lambda p: p["path"].pop(),
    "path long": lambda p: p["path"].append(p["path"][0]),
    "root": lambda p: p["head"].update(root=other_hash(p["head"]["root"])),
    "size": lambda p: p["head"].update(size=301),
    "time": lambda p: p["head"].update(time="2001-01-01T00:00:00.000000Z"),
    "signature": lambda p: p["head"].update(signature=other_hash(p["head"]["signature"])),
    "no signature": lambda p: p["head"].update(signature="00" * 64),
    "key": lambda p: p["head"].update(public_key=crypto.generate_keypair()[1].hex()),
    "no key": lambda p: p["head"].update(public_key="04" + "11" * 64),
    "details": lambda p: p["details"].update(body=p["details"]["body"].replace("第", "弟")),
    "salt": lambda p: p["details"].update(salt="00" * 16),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_proof_does_not_hold(grown, check, what):
    proof = log.leaf_proof(7, details=True)
    TAMPERED[what](proof)
    status, said = check("proof", proof)
    assert status == 1 and said.strip().splitlines()[-1].startswith("不成立"), said


def test_a_proof_signed_by_somebody_elses_key_does_not_hold(grown, check):
    private, public = crypto.generate_keypair()
    proof = log.leaf_proof(7)
    head = proof["head"]
    text = f"liangzhu log head 1\n{head['size']}\n{head['root']}\n{head['time']}\n"
    head["signature"] = crypto.sign(private, text.encode()).hex()
    right, head["public_key"] = head["public_key"], public.hex()
    assert check("proof", proof)[0] == 0
    assert check("proof", proof, key=right)[0] == 1


def test_heads_continue_each_other(grown, check):
    for old, new in [(3, 8), (8, 300), (3, 300), (300, 300)]:
        heads = [proofs.as_json(proofs.head_of(size)) for size in (old, new)]
        status, said = check("consistency", *heads, log.consistency_proof(old, new))
        assert status == 0 and "旧的部分没有动" in said, said


def test_a_head_of_another_history_does_not_continue(grown, check):
    old, new = (proofs.as_json(proofs.head_of(size)) for size in (8, 300))
    proof = log.consistency_proof(8, 300)
    assert check("consistency", new, old, proof)[0] == 1
    for place in range(len(proof["path"])):
        wrong = json.loads(json.dumps(proof))
        wrong["path"][place] = other_hash(wrong["path"][place])
        assert check("consistency", old, new, wrong)[0] == 1
    # Another tree of eight leaves, signed as well as ours.
    from liangzhu.kernel import keys

    root = tree.leaf_hash(b"another history")
    signed = keys.sign("log", f"liangzhu log head 1\n8\n{root.hex()}\n{old['time']}\n".encode())
    forged = old | {"root": root.hex(), "signature": signed.signature.hex()}
    status, said = check("consistency", forged, new, proof | {"old": forged})
    assert status == 1 and "旧树" in said


def test_what_is_no_proof_is_said_to_be_unreadable(check):
    for text in ("", "[]", "{}", '{"leaf": 1, "head": {}}', "\x00"):
        status, said = check("proof", text)
        assert status == 2 and said.startswith("读不懂"), said
    assert check("prove", "{}")[0] == 2


@pytest.fixture(scope="module")
def script():
    """The script as a module, for its pieces."""
    names = {"__name__": "verify"}
    exec(compile(SCRIPT.read_text(encoding="utf-8"), str(SCRIPT), "exec"), names)
    return names


@settings(max_examples=60)
@given(data=st.binary(max_size=300))
def test_its_own_sm3_is_that_of_the_library(script, data):
    assert script["plain_sm3"](data) == crypto.sm3(data)


@settings(max_examples=5)
@given(message=st.binary(max_size=40))
def test_its_own_sm2_agrees_with_the_library(script, message):
    private, public = crypto.generate_keypair()
    signature = crypto.sign(private, message)
    assert script["signed"](public, message, signature)
    assert not script["signed"](public, message + b".", signature)
    assert not script["signed"](public, message, signature[:-1] + bytes([signature[-1] ^ 1]))
