"""The front door of this app. README.md shows how a kind of matter is made with it."""

from liangzhu.beams.work.matters.actions import assign, comment, step
from liangzhu.beams.work.matters.clocks import end_of, last_day
from liangzhu.beams.work.matters.engine import (
    Option,
    add_part,
    advance,
    extend_clock,
    hand_over,
    look_again,
    move_parts,
    open_matter,
    process_of,
    recompute,
    require,
    resume_clock,
    set_party,
    start_clock,
    state_title,
    stop_clock,
    suspend_clock,
    transitions,
)
from liangzhu.beams.work.matters.events import (
    Announced,
    ClockExtended,
    MatterAdvanced,
    MatterClosed,
    MatterOpened,
    PartOpened,
    ReminderSent,
)
from liangzhu.beams.work.matters.grammar import Process
from liangzhu.beams.work.matters.kinds import Kind, all_kinds, kind_of, register_kind
from liangzhu.beams.work.matters.lights import (
    ClockView,
    Leg,
    Light,
    clock_of,
    light,
    light_q,
    part_light,
)
from liangzhu.beams.work.matters.models import Entry, Matter, Notice, Part, Party
from liangzhu.beams.work.matters.notices import notify
from liangzhu.beams.work.matters.process import ProcessError
from liangzhu.beams.work.matters.processes import (
    draw_process,
    load_processes,
    process_in_force,
    process_text,
    read_process_file,
    shipped_process_text,
)
from liangzhu.beams.work.matters.queries import ORDER, counts, entries_of, history, inbox, rows, visible
from liangzhu.beams.work.matters.registry import choices, condition, effect, guard, keep_forms, measure
from liangzhu.beams.work.matters.retention import destroy_due, retention
from liangzhu.beams.work.matters.sights import keep_many
from liangzhu.beams.work.matters.sights import rebuild as rebuild_search
from liangzhu.beams.work.matters.timers import fire_owed
from liangzhu.beams.work.matters.timers import remind_owed as remind

__all__ = [
    "ORDER",
    "Announced",
    "ClockExtended",
    "ClockView",
    "Entry",
    "Kind",
    "Leg",
    "Light",
    "Matter",
    "MatterAdvanced",
    "MatterClosed",
    "MatterOpened",
    "Notice",
    "Option",
    "Part",
    "PartOpened",
    "Party",
    "Process",
    "ProcessError",
    "ReminderSent",
    "add_part",
    "advance",
    "all_kinds",
    "assign",
    "choices",
    "clock_of",
    "comment",
    "condition",
    "counts",
    "destroy_due",
    "draw_process",
    "effect",
    "end_of",
    "entries_of",
    "extend_clock",
    "fire_owed",
    "guard",
    "hand_over",
    "history",
    "inbox",
    "keep_forms",
    "keep_many",
    "kind_of",
    "last_day",
    "light",
    "light_q",
    "load_processes",
    "look_again",
    "measure",
    "move_parts",
    "notify",
    "open_matter",
    "part_light",
    "process_in_force",
    "process_of",
    "process_text",
    "read_process_file",
    "rebuild_search",
    "recompute",
    "register_kind",
    "remind",
    "require",
    "resume_clock",
    "retention",
    "rows",
    "set_party",
    "shipped_process_text",
    "start_clock",
    "state_title",
    "step",
    "stop_clock",
    "suspend_clock",
    "transitions",
    "visible",
]
