"""The front door of this app. README.md shows how a form is written and used."""

from liangzhu.beams.work.forms.actions import NotReady, begin, save, send
from liangzhu.beams.work.forms.grammar import FormSpec
from liangzhu.beams.work.forms.models import Snapshot
from liangzhu.beams.work.forms.queries import field_words, shown, verifies
from liangzhu.beams.work.forms.registry import NoAnswer, check, source, subject_kind
from liangzhu.beams.work.forms.specs import (
    by_fingerprint,
    fingerprint,
    form_files,
    in_force,
    load_forms,
    read_form,
)
from liangzhu.beams.work.forms.state import counted, faults

__all__ = [
    "FormSpec",
    "NoAnswer",
    "NotReady",
    "Snapshot",
    "begin",
    "by_fingerprint",
    "check",
    "counted",
    "faults",
    "field_words",
    "fingerprint",
    "form_files",
    "in_force",
    "load_forms",
    "read_form",
    "save",
    "send",
    "shown",
    "source",
    "subject_kind",
    "verifies",
]
