"""What the killed product has more than the product: a simple process, and handlers that note what they did."""

from datetime import timedelta

from django.apps import AppConfig

PROCESS = """
key = "killed"
title = "一般事项"
kind = "killed"
initial = "working"

[parties]
lead = "承办单位"

[states.working]
title = "办理中"
order = 1
turn = "lead"

[states.closed]
title = "已办结"
order = 2
final = true

[clocks.term]
kind = "promised"
title = "办理时限"
unit = "workday"
amount = 10

[[transitions]]
name = "note_progress"
title = "报进展"
effect_text = "记入进展"
from = ["working"]
who = [{ party = "lead", roles = ["matters.officer"] }]
fields = [{ name = "progress", label = "进展", type = "longtext", required = true }]

[[transitions]]
name = "close"
title = "办结"
effect_text = "办结"
from = ["working"]
to = "closed"
who = [{ party = "lead", roles = ["matters.officer"] }]
clocks = { stop = ["*"] }
"""

TABLE = "killed_heard"


class Killing(AppConfig):
    """Registers itself like an app of the house."""

    name = "killing"
    label = "killing"

    def ready(self) -> None:
        """Register the kind and the handlers, and make waiting short: the tests look at kills, not at clocks."""
        from django.db import connection

        from liangzhu.beams.work.matters import kinds
        from liangzhu.beams.work.matters.events import MatterAdvanced
        from liangzhu.kernel import worker
        from liangzhu.kernel.events import handles

        kinds.register_kind("killed", "一般事项", process="killed")
        worker.LEASE = timedelta(seconds=2)
        worker.BACKOFF[:] = [0.2] * 40

        def note(name: str, delivery) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {TABLE} (handler, event_id, subject) VALUES (%s, %s, %s)",
                    [name, delivery.event_id, delivery.subject],
                )

        @handles(MatterAdvanced)
        def count_killed(event, delivery) -> None:
            note("steady", delivery)

        @handles(MatterAdvanced)
        def count_killed_shaky(event, delivery) -> None:
            """Fails the first time for every seventh event, after it has written."""
            note("shaky", delivery)
            if delivery.event_id % 7 == 0 and delivery.attempts == 0:
                raise RuntimeError("shaky")
