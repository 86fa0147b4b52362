"""Ending mandates, with those that are derived from them."""

from datetime import date

from django.db.models import Q

from liangzhu.beams.people.registers.events import MandateEnded
from liangzhu.beams.people.registers.models import Mandate
from liangzhu.kernel.actions import Act


def end(act: Act, mandate: Mandate, reason: str, on: date) -> None:
    """End one mandate, which the caller holds under lock, and what hangs on it."""
    if mandate.ended_on is not None:
        return
    mandate.ended_on, mandate.end_reason, mandate.version = on, reason, mandate.version + 1
    mandate.save(update_fields=["ended_on", "end_reason", "version"])
    act.log(mandate.ref, ended_on=on.isoformat(), reason=reason)
    act.emit(MandateEnded(subject=mandate.ref, reason=reason, on=on.isoformat()))
    end_all(act, Q(parent=mandate), "parent", on)


def end_all(act: Act, which: Q, reason: str, on: date) -> None:
    """End every mandate of a condition that has not ended."""
    for mandate in Mandate.objects.select_for_update().filter(which, ended_on=None).order_by("pk"):
        end(act, mandate, reason, on)
