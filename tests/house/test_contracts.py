"""The import contracts of `.importlinter`, each shown to fail on a planted violation."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = {
    "__init__": "",
    "site.__init__": "",
    "site.cli": "from liangzhu.pillars.programme import reading",
    "site.config": "",
    "adapters.__init__": "",
    "adapters.nats.__init__": "",
    "pillars.__init__": "",
    "pillars.programme.__init__": "",
    "pillars.programme.api": "from liangzhu.pillars.programme import actions",
    "pillars.programme.actions": "from liangzhu.beams.work.matters.api import x",
    "pillars.programme.reading.__init__": "",
    "beams.__init__": "",
    "beams.trust.__init__": "",
    "beams.trust.sources.__init__": "",
    "beams.trust.sources.api": "",
    "beams.trust.certificates.__init__": "",
    "beams.trust.certificates.api": "from liangzhu.beams.work.matters.api import x",
    "beams.data.__init__": "",
    "beams.data.indicators.__init__": "",
    "beams.data.indicators.api": "from liangzhu.beams.people.directory.events import x",
    "beams.work.__init__": "",
    "beams.work.matters.__init__": "",
    "beams.work.matters.api": "from liangzhu.beams.work.files import api",
    "beams.work.matters.actions": "",
    "beams.work.decisions.__init__": "",
    "beams.work.files.__init__": "",
    "beams.work.forms.__init__": "",
    "beams.work.files.api": "from liangzhu.kernel import errors",
    "beams.people.__init__": "",
    "beams.people.applications.__init__": "",
    "beams.people.applications.api": "from liangzhu.beams.people.residents.api import x",
    "beams.people.codes.__init__": "",
    "beams.people.codes.api": "from liangzhu.beams.people.residents.api import x",
    "beams.people.residents.__init__": "",
    "beams.people.residents.api": "from liangzhu.beams.people.access.api import x",
    "beams.people.access.__init__": "",
    "beams.people.access.api": "from liangzhu.beams.people.directory.api import x",
    "beams.people.registers.__init__": "",
    "beams.people.registers.api": "from liangzhu.beams.people.directory.api import x",
    "beams.people.directory.__init__": "",
    "beams.people.directory.api": "",
    "beams.people.directory.events": "",
    "kernel.__init__": "",
    "kernel.crypto": "",
    "kernel.errors": "",
    "kernel.identifiers.__init__": "",
    "kernel.log": "from liangzhu.kernel import errors",
    "kernel.simulating": "",
    "kernel.workdays": "",
}
"""A small house in order: module below `liangzhu` -> source."""

PLANTED = {
    "Groups point down": {"beams.work.files.api": "import liangzhu.pillars.programme.api"},
    "Beams point down": {"beams.people.access.api": "import liangzhu.beams.work.matters.api"},
    "Inside work: files, forms and decisions below matters": {
        "beams.work.files.api": "import liangzhu.beams.work.matters.api"
    },
    "Inside people: directory below registers below access below residents below codes, applications": {
        "beams.people.directory.api": "import liangzhu.beams.people.access.api"
    },
    "Inside trust: certificates below sources": {
        "beams.trust.certificates.api": "import liangzhu.beams.trust.sources.api",
    },
    "No cycles among siblings": {"kernel.errors": "from liangzhu.kernel import log"},
    "Pillars never import each other": {
        "pillars.services.__init__": "",
        "pillars.services.api": "import liangzhu.pillars.programme.api",
    },
    "The kernel knows no domain": {"kernel.log": "import liangzhu.beams.people.directory.api"},
    "Other apps only through api and events": {
        "pillars.programme.actions": "from liangzhu.beams.work.matters import actions"
    },
    "Nobody imports an adapter; they register by settings": {"site.wsgi": "import liangzhu.adapters.nats"},
    "What the small commands use works without Django": {"kernel.workdays": "import django.db"},
}


def lint(folder: Path, changes: dict[str, str], root: Path) -> str:
    """Write the small house with the changes and lint it by the real contracts; what import-linter says."""
    for module, source in (TREE | changes).items():
        path = folder / "liangzhu" / Path(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (folder / "tools").mkdir()
    shutil.copy(root / "tools" / "contracts.py", folder / "tools")
    shutil.copy(root / ".importlinter", folder)
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--config", ".importlinter"],
        cwd=folder,
        # The small house, not the installed one.
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_the_small_house_keeps_every_contract(tmp_path, root):
    said = lint(tmp_path, {}, root)
    assert f"Contracts: {len(PLANTED)} kept, 0 broken" in said, said


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_breaks_the_contract(contract, tmp_path, root):
    said = lint(tmp_path, PLANTED[contract], root)
    assert f"{contract} BROKEN" in said, said


def test_a_package_that_nobody_declared_breaks_the_layers(tmp_path, root):
    said = lint(tmp_path, {"extras.__init__": ""}, root)
    assert "Groups point down BROKEN" in said, said


def test_an_exception_that_is_not_needed_is_an_error(tmp_path, root):
    said = lint(tmp_path, {"site.cli": ""}, root)
    assert "liangzhu.site.cli -> liangzhu.pillars.programme.reading" in said
    assert "0 broken" not in said


def test_the_program_keeps_every_contract(root):
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--config", ".importlinter"],
        cwd=root,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
