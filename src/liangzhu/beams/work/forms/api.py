"""The front door of this app. README.md shows how a form is written and used."""

from liangzhu.beams.work.forms.actions import NotReady, begin, save, send, send_answers
from liangzhu.beams.work.forms.cosigning import answer_at_counter, ask_resident, take_back
from liangzhu.beams.work.forms.grammar import FormSpec
from liangzhu.beams.work.forms.models import Snapshot
from liangzhu.beams.work.forms.queries import (
    Summary,
    asked_of,
    draft_of,
    field_words,
    in_words,
    shown,
    summary,
    to_sign_at_counter,
    typed,
    verifies,
    waiting_at_counter,
)
from liangzhu.beams.work.forms.registry import Answer, NoAnswer, check, source, subject_kind
from liangzhu.beams.work.forms.specs import (
    by_fingerprint,
    edition,
    fingerprint,
    form_files,
    in_force,
    load_forms,
    read_form,
)
from liangzhu.beams.work.forms.state import counted, faults
from liangzhu.beams.work.forms.values import PLACE_PARTS
from liangzhu.beams.work.forms.values import read as read_value

__all__ = [
    "PLACE_PARTS",
    "Answer",
    "FormSpec",
    "NoAnswer",
    "NotReady",
    "Snapshot",
    "Summary",
    "answer_at_counter",
    "ask_resident",
    "asked_of",
    "begin",
    "by_fingerprint",
    "check",
    "counted",
    "draft_of",
    "edition",
    "faults",
    "field_words",
    "fingerprint",
    "form_files",
    "in_force",
    "in_words",
    "load_forms",
    "read_form",
    "read_value",
    "save",
    "send",
    "send_answers",
    "shown",
    "source",
    "subject_kind",
    "summary",
    "take_back",
    "to_sign_at_counter",
    "typed",
    "verifies",
    "waiting_at_counter",
]
