"""Really at once: threads with connections of their own."""

from threading import Barrier, Thread

import pytest
from django.db import connections

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import Entry
from liangzhu.kernel.errors import Conflict
from liangzhu.kernel.now import at


@pytest.mark.django_db(transaction=True)
def test_of_many_who_act_at_once_one_wins_and_the_others_read_who_it_was(district, simple):
    people = [district.officer("甲局", name) for name in ("李四", "王五", "赵六", "钱七")]
    matter = simple(people[0])
    start, results = Barrier(len(people)), []

    def act(actor) -> None:
        # A thread begins with an empty context, so it has to stand on the same day again.
        with at("2022-10-20 09:00"):
            start.wait()
            try:
                matters.step(actor, matter_id=matter.pk, transition="accept", version=1)
                results.append(actor.label)
            except Conflict as conflict:
                results.append(conflict)
            finally:
                connections.close_all()

    threads = [Thread(target=act, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [found for found in results if isinstance(found, str)]
    losers = [found for found in results if isinstance(found, Conflict)]
    assert len(winners) == 1 and len(losers) == 3
    assert all(winners[0] in loser.detail for loser in losers)
    assert Entry.objects.filter(matter=matter, transition="accept").count() == 1
