"""Asking why something was read; and what the program does by itself: destroying what was read when its time is over."""

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.sources import policies, retention
from liangzhu.beams.trust.sources.models import Kept, Question, Read
from liangzhu.beams.trust.sources.processes import KIND
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Invalid, NotThere
from liangzhu.kernel.now import SHANGHAI, now
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

BATCH = 200


@action("sources.ask_why")
def ask_why(act: Act, *, read_id: int, text: str) -> Question:
    """The one whose values were read asks the unit that read them why; a matter of that unit, with a limit for the answer.

    What no unit read (the program by itself, or a reader from outside) goes to the district's data office. Raises NotThere,
    Denied, Conflict (asked already), Invalid.
    """
    row = act.lock(Read, pk=read_id)
    if not policies.own_trail(act.actor, row):
        raise NotThere("没有找到这条记录。")
    act.check(policies.own_trail, row)
    if Question.objects.filter(read=row).exists():
        raise Conflict("您已经问过这一条，正在等单位答复。")
    text = text.strip()
    if not text or len(text) > 500:
        raise Invalid({"text": "请写明您想问什么。" if not text else "最多 500 个字。"})
    unit = (directory.successor(row.unit) or row.unit) if row.unit is not None else None
    if unit is None or directory.units().get(unit) is None:
        unit = directory.units().by_key(pack().district["programme_office"]["unit"]).id
    when = row.at.astimezone(SHANGHAI)
    matter = matters.open_matter(
        act,
        kind=KIND,
        title=f"{when:%Y年%m月%d日} {row.get_channel_display()}：{row.titles}"[:200],
        parties={"reader": unit},
        holding_unit_id=unit,
        applicant=str(act.actor.principal),
        opening="本人提出疑问",
    )
    made = Question(matter=matter, read=row, text=text)
    made.save(force_insert=True)
    act.log(row.ref, question=str(matter.ref))
    return made


@action("sources.sweep")
def sweep(act: Act) -> int:
    """Destroy what sources answered for things that never became a case, when its days are over. Returns how many."""
    act.check(policies.sweep)
    due = Kept.objects.select_for_update().filter(until__lte=now()).exclude(sealed_key=b"")
    rows = list(due.order_by("until")[:BATCH])
    for row in rows:
        sealing.forget(act, row, rule=retention.ground())
    act.log(Ref("job", "sources.sweep"), destroyed=len(rows))
    return len(rows)


@periodic("sources.sweep", minutes=24 * 60)
def sweep_daily() -> None:
    """Destroy what is over."""
    while sweep(SYSTEM) == BATCH:
        pass
