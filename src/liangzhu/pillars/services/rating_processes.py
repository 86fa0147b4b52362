"""The matter of a bad rating (差评): contact within a working day, mend within fifteen, every one to its end."""

from liangzhu.beams.work.matters import api as matters
from liangzhu.pillars.services import ratings
from liangzhu.pillars.services.actions import ratings as actions
from liangzhu.pillars.services.models import Rating

KINDS = (actions.FOLLOW_UP,)

ratings.rated("certificate", "证照")
ratings.rated("service_application", "申办")


@matters.effect("services.rating_followed")
def rating_followed(act, matter, params: dict, data: dict, transition) -> None:
    """See `actions.ratings.follow`."""
    actions.follow(act, matter, void=False)


@matters.effect("services.rating_void")
def rating_void(act, matter, params: dict, data: dict, transition) -> None:
    """See `actions.ratings.follow`."""
    actions.follow(act, matter, void=True)


def rating_panel(actor, matter) -> dict:
    """What was rated, how, and what was said."""
    return {"rating": Rating.objects.get(matter=matter)}


matters.register_kind(
    actions.FOLLOW_UP,
    "差评回访",
    process=actions.FOLLOW_UP,
    panels=[("services/panels/rating.html", rating_panel)],
    elsewhere="有人评了“不满意”或“非常不满意”时登记",
)
