"""Decision tables in processes: how long a clock is, and whether a step may be done.

    [clocks.answer]
    amount = { rule = "decision", table = "data_request_clock", output = "days" }

The inputs of the table are what was filled in, at this step or before, under their names, and the constants in ``inputs``. The rows that hold are those of
the day on which the matter was opened; the table is that which the release of the process pinned.
"""

from decimal import Decimal
from typing import Any

from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.matters import answers
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.grammar import UNIT_WORDS
from liangzhu.beams.work.matters.models import Matter
from liangzhu.beams.work.matters.process import pinned_rule
from liangzhu.kernel.errors import StepNotAllowed


def by_table(matter: Matter, data: dict, params: dict) -> tuple:
    """The length of a clock as the table's ``output`` says, in the ``unit`` given, or working days."""
    found = _decide(matter, data, params)
    unit = params.get("unit", "workday")
    if unit not in UNIT_WORDS:
        raise ValueError(f"a clock is not counted in {unit!r}")
    amount = int(found.outputs[params["output"]])
    return unit, amount, f"按“{found.title}”：{amount} {UNIT_WORDS[unit]}（{'；'.join(found.basis)}）"


def as_decided(act, matter: Matter, params: dict, data: dict, transition) -> None:
    """Refuse a step unless the table gives this value; the ground is named."""
    found = _decide(matter, data, params)
    given = found.outputs[params["output"]]
    if str(given) != str(params["value"]) and given is not params["value"]:
        why = "；".join(f"{title}：{value}" for title, value in found.words)
        raise StepNotAllowed(
            f"按“{found.title}”（{'；'.join(found.basis)}）{why}，不能“{transition.title}”。",
            todo="请按规则给出的结果办理。",
        )


def _decide(matter: Matter, data: dict[str, Any], params: dict) -> decisions.Decision:
    key = params["table"]
    release_id = pinned_rule(matter.release_id, key)
    table = decisions.in_force(key) if release_id is None else decisions.by_release_id(release_id)
    given = dict(params.get("inputs", {}))
    for column in table.inputs:
        value = data.get(column.name)
        value = answers.last_value(matter, column.name) if value is None else value
        if value is not None and column.name not in given:
            given[column.name] = str(value) if isinstance(value, Decimal) else value
    return decisions.decide_by(table, given, counting.local_day(matter.opened_at))
