"""What is written on a case so that the leader's figures are sums over an index and not walks over histories."""

from collections import Counter
from collections.abc import Iterable

from liangzhu.kernel.now import today
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.services.models import Application, Case, Material

RECEIVED = ("received_on", "channel", "asked", "spared", "vowed")
DECIDED = ("decided_on", "in_promise", "in_law")
"""The columns that the two functions fill."""

IN_QUESTION = (Material.GIVEN, Material.PROMISED, *Material.SPARED)
"""States of a material that counts as asked for or spared; an optional one that was left out is neither."""


def note_received(application: Application, cases: Iterable[Case]) -> None:
    """Fill in day, channel and materials of cases that are being sent; the caller saves them.

    A material that two cases need is counted for each of them. After this moment its state changes within
    ``Material.SPARED`` only, so that the sums go on agreeing with the rows.
    """
    pairs = Material.cases.through.objects.filter(material__application=application)
    states: dict[int, Counter[str]] = {}
    for case_id, state in pairs.values_list("case_id", "material__state"):
        states.setdefault(case_id, Counter())[state] += 1
    for case in cases:
        found = states.get(case.pk, Counter())
        case.received_on, case.channel = today(), application.channel
        case.asked = sum(found[state] for state in IN_QUESTION)
        case.spared = sum(found[state] for state in Material.SPARED)
        case.vowed = found[Material.PROMISED]


def note_decided(case: Case, matter) -> None:
    """Fill in the day of the decision (``decided_at`` is set) and which limits it kept; the caller saves the case.

    The clocks are taken as they stand: time that the law does not count and extensions are in their ends already.
    Without a legal limit of its own a case keeps or breaks none.
    """
    case.decided_on = shanghai_date(case.decided_at)
    ends = {}
    for clock in matter.clocks.filter(name__in=("promise", "law")).order_by("id"):
        ends[clock.name] = clock.due_at
    case.in_promise = case.decided_at < ends["promise"] if "promise" in ends else None
    lawful = "law" in ends and case.legal_amount is not None
    case.in_law = case.decided_at < ends["law"] if lawful else None
