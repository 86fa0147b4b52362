"""The ledger of deletions (删除台账): which keys were destroyed, in a file outside the database and outside older backups.

A backup that is older than a deletion brings the deleted back. Whoever restores it does the deletions of the ledger
again. A line is JSON: the model and id of the row, the fingerprint of its wrapped key, and when; no value of anybody.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models

from liangzhu.kernel import policies, sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM

logger = logging.getLogger("liangzhu.forgotten")


@dataclass(frozen=True)
class Deletion:
    """One destroyed key: ``model`` as "matters.Matter", ``key`` the fingerprint that its leaf names too, ``at`` UTC."""

    model: str
    id: str
    key: str
    at: str


def ledger_file() -> Path:
    """Where this installation writes its ledger."""
    return settings.LIANGZHU_HOME / "forgotten.jsonl"


def read(text: str) -> list[Deletion]:
    """The deletions of a ledger, in order; a line that was cut off is left out."""
    found = []
    for line in text.splitlines():
        try:
            found.append(Deletion(**json.loads(line)))
        except (ValueError, TypeError):
            logger.warning("a line of the ledger of deletions cannot be read")
    return found


def append(deletions: Iterable[Deletion]) -> None:
    """Write to the ledger what does not stand there yet, and onto the disk."""
    with open(
        ledger_file(), "a+", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)
    ) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        known = {(one.model, one.key) for one in read(text)}
        # A torn line, after a loss of power, ends here.
        file.write("" if not text or text.endswith("\n") else "\n")
        for one in deletions:
            if (one.model, one.key) not in known:
                file.write(json.dumps(asdict(one)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def note(deletion: Deletion) -> None:
    """Write down a deletion that was committed. A full disk does not undo it, and is said loudly."""
    try:
        append([deletion])
    except OSError:
        logger.critical(
            "the ledger of deletions cannot be written: an older backup would bring %s %s back",
            deletion.model,
            deletion.id,
            exc_info=True,
        )


sealing.on_forgotten(lambda row, key, at: note(Deletion(row._meta.label, str(row.pk), key, at)))


def forget_again(deletions: Iterable[Deletion]) -> int:
    """Destroy what of a ledger is there again after a restore; returns how many subjects.

    A row is the one that was destroyed if its key is: another that got the same id since then is left alone.
    """
    done = 0
    for one in deletions:
        try:
            model = apps.get_model(one.model)
        except (LookupError, ValueError):
            logger.warning("the ledger of deletions names %s, which this program does not know", one.model)
            continue
        if not issubclass(model, sealing.Sealed):
            continue
        wrapped = model._base_manager.filter(pk=one.id).values_list("sealed_key", flat=True).first()
        if wrapped and sealing.key_fingerprint(bytes(wrapped)) == one.key:
            _forget_again(SYSTEM, model=model, pk=one.id, at=one.at)
            done += 1
    return done


@action("kernel.forget_again")
def _forget_again(act: Act, *, model: type[models.Model], pk: str, at: str) -> None:
    """Destroy a subject that a backup brought back (恢复后重做删除)."""
    act.check(policies.manage_keys)
    sealing.forget(act, act.lock(model, pk=pk), rule=f"原已于 {at} 依规删除，恢复较早的备份后重做")
