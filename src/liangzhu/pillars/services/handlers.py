"""What services does when time passes."""

from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.worker import periodic
from liangzhu.pillars.services import actions, queries


@periodic("services.turn_the_day", minutes=15)
def turn_the_day() -> None:
    """Put versions in force whose day has come, and note the exemptions that reached their end."""
    for version_id in queries.items.due_versions():
        actions.bring_into_force(SYSTEM, version_id=version_id)
    if ended := queries.items.due_exemptions():
        actions.end_exemptions(SYSTEM, exemption_ids=ended)
