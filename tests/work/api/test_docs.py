"""`docs/api.md`: every command in it is run as it stands, and says what the page says."""

import os
import re
import shutil
import subprocess

import pytest
from tests.work.conftest import SIMPLE
from tests.work.test_openings import OPENING

BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```", re.M | re.S)


@pytest.mark.django_db(transaction=True)
def test_every_command_of_the_page_works(live_server, program, simple, seed_process, root, tmp_path):
    if not shutil.which("curl") or not shutil.which("bash"):
        pytest.skip("no curl here")
    seed_process(SIMPLE, opening=OPENING)
    client = program("甲局", "李四", "matters.officer")
    matter = simple(client.actor)
    simple(client.actor, title="另一件")
    (tmp_path / "说明.txt").write_text("内容", encoding="utf-8")
    environment = os.environ | {"BASE": live_server.url, "TOKEN": client.token, "MATTER": str(matter.pk)}
    blocks = BLOCK.findall((root / "docs" / "api.md").read_text(encoding="utf-8"))
    assert sum(kind == "sh" for kind, _ in blocks) >= 8
    said = ""
    for kind, text in blocks:
        if kind == "text":
            assert said == text
            continue
        done = subprocess.run(
            ["bash", "-ec", text], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        said = done.stdout
