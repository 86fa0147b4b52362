"""What this app does when others announce something, and what it does by itself each day."""

from liangzhu.beams.data.indicators import actions, events, policies, queries
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.events import handles
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic


def may_read_evidence(actor: Actor, ref: Ref) -> bool:
    """Who may read indicators may read what proves their values."""
    return policies.read(actor)


files.guard_downloads("snapshot", may_read_evidence)


@periodic("indicators.measure_daily", minutes=30)
def measure_daily() -> None:
    """Measure each computed indicator once a day; asked every half hour, so that a day is not missed after a stop."""
    actions.measure_all()


@handles(events.ValueReported)
def ask_to_confirm(event: events.ValueReported, delivery) -> None:
    """Tell the heads of the owner unit that a value waits for them."""
    view = queries.snapshot(int(event.subject.id))
    owner = queries.owner_of(event.indicator_key)
    heads = [post.id for post in directory.posts(unit_id=owner, role="matters.head")]
    matters.notify(
        heads,
        key=f"{event.subject}:reported",
        title=f"待确认：{view.name} {view.text}",
        text=f"{view.recorded_label} 填报了 {view.as_of:%Y-%m-%d} 的数值，确认后才计入检查。",
        url=view.url,
    )
