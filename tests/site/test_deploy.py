"""The examples in `deploy/` are what their programs can read, and name only what exists."""

import re
import shutil
import subprocess

import crossplane
import pytest

from liangzhu.site import config


def test_systemd_reads_the_unit(root):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    done = subprocess.run(
        ["systemd-analyze", "verify", root / "deploy" / "liangzhu.service"], capture_output=True, text=True
    )
    # The program is installed elsewhere on the machine that it is meant for.
    faults = [
        line
        for line in done.stderr.splitlines()
        if "liangzhu.service" in line and "is not executable" not in line
    ]
    assert not faults


def test_nginx_would_read_its_example(root, tmp_path):
    """Judged by the parser of nginx's makers: every directive known, in its place, with its arguments."""
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"events {{}}\nhttp {{\n  include {root}/deploy/nginx.conf;\n}}\n", encoding="utf-8")
    read = crossplane.parse(str(whole), strict=True)
    assert read["status"] == "ok", read["errors"]
    assert len(read["config"]) == 2 and read["config"][1]["parsed"]


def test_the_examples_name_settings_and_commands_that_exist(root):
    text = "".join(path.read_text(encoding="utf-8") for path in (root / "deploy").iterdir())
    assert set(re.findall(r"LIANGZHU_[A-Z_]+", text)) <= config.SETTINGS.keys()
    assert "liangzhu up --no-demo --port 8000" in text and "127.0.0.1:8000" in text
