"""Changes of ratings: given once, bad ones followed to the end, rated again, not adopted after two looked."""

from datetime import timedelta

from django.urls import reverse

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import now
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import policies, ratings
from liangzhu.pillars.services.models import Rating

FOLLOW_UP = "rating_followup"
BATCH = 500


@action("services.ask_rating")
def ask_for(
    act: Act, *, thing: Ref, title: str, unit_id: int, item: str = "", rater: Ref | None = None
) -> Rating:
    """The program asks for a rating of what was done elsewhere (a certificate that was issued, an application that ended)."""
    act.check(policies.keep_time)
    row, _ = ratings.ask(act, thing=thing, title=title, unit_id=unit_id, item=item, rater=rater)
    act.log(row.ref, asked=str(thing))
    return row


@action("services.give_rating")
def give(
    act: Act, *, rating_id: int, level: int, comment: str = "", channel: str = "online", code: str = ""
) -> Rating:
    """Rate: by whom it was asked of, or with number and code. A bad one opens a matter of the unit.

    After a bad one was dealt with the same person may rate again; both stand. Raises NotThere, Invalid, StepNotAllowed.
    """
    row = Rating.objects.select_for_update(of=("self",)).filter(pk=rating_id).first()
    if row is None or not policies.give_rating(act.actor, (row, code)):
        raise NotThere("没有找到这次评价，或者评价码不对。", todo="请核对受理凭证上的评价号和评价码。")
    act.check(policies.give_rating, (row, code))
    comment = comment.strip()
    if level not in dict(Rating.LEVELS):
        raise Invalid({"level": "请选择一个评价。"})
    if level in Rating.BAD and not comment:
        raise Invalid({"comment": "请写一句哪里不好，单位好改；工作人员会联系您。"})
    if row.state in (Rating.ASKED, Rating.DEFAULT):
        row.level, row.comment, row.channel = level, comment, channel
        row.state, row.given_at = Rating.GIVEN, now()
        if row.bad:
            row.matter = matters.open_matter(
                act,
                kind=FOLLOW_UP,
                title=f"差评回访：{row.title}"[:200],
                parties={"unit": row.unit_id},
                holding_unit_id=row.unit_id,
                applicant=row.rater,
                opening="收到差评",
            )
    elif row.may_again:
        row.again = level
    else:
        raise StepNotAllowed("这件事已经评过了，一件事评一次。")
    row.save()
    act.log(row.ref, level=level, state=row.state, channel=channel, again=row.again is not None)
    return row


def follow(act: Act, matter: matters.Matter, *, void: bool) -> None:
    """Effect: a bad rating was dealt with, or is not adopted; who gave it is told, and may rate again."""
    row = Rating.objects.select_for_update(of=("self",)).get(matter=matter)
    if void:
        row.state = Rating.VOID
        row.save(update_fields=["state"])
    act.log(row.ref, state=row.state, followed=True)
    if row.rater:
        residents.tell(
            [Ref.parse(row.rater)],
            key=f"rating.followed:{row.number}",
            title="您的评价经核实没有采纳" if void else "您反映的问题已经处理，请再评一次",
            text="点开看单位的答复。不认可的，可以拨打12345。",
            url=reverse("services:my_rating", args=[row.pk]),
            about=row.ref,
        )


@action("services.default_ratings")
def default(act: Act) -> int:
    """What was not rated in time counts as good by default, apart from what people said. Returns how many."""
    act.check(policies.keep_time)
    days = pack().toml("services.toml")["ratings"]["default_days"]
    due = Rating.objects.filter(state=Rating.ASKED, asked_at__lte=now() - timedelta(days=days))
    ids = list(due.order_by("asked_at").values_list("pk", flat=True)[:BATCH])
    Rating.objects.filter(pk__in=ids, state=Rating.ASKED).update(state=Rating.DEFAULT)
    act.log(Ref("job", "services.default_ratings"), rows=len(ids))
    return len(ids)
