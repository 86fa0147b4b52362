"""What services does when others announce, and when time passes."""

from liangzhu.beams.people.residents.events import ConsentEnded
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.certificates.events import CertificateIssued
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.events import handles
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic
from liangzhu.pillars.services import actions, incentive_processes, queries, rating_processes
from liangzhu.pillars.services.actions import incentives, ratings
from liangzhu.pillars.services.events import IncentivePublished
from liangzhu.pillars.services.processes import APPLICATION, CASE_KINDS


def _of_application(event: matters.MatterClosed) -> bool:
    return event.kind == APPLICATION


@handles(matters.MatterAdvanced, when=lambda event: event.moved and event.kind in CASE_KINDS)
def tell_applicant(event: matters.MatterAdvanced, delivery) -> None:
    """Tell whoever applied where each case is now; the application itself is told of by matters."""
    queries.cases.tell(event.subject.id, event.to_state, f"case:{event.entry_id}")


@handles(matters.MatterClosed, when=_of_application)
def end_consents(event: matters.MatterClosed, delivery) -> None:
    """An application that is over needs nobody's data any more."""
    if (application := queries.cases.application_of(event.subject.id)) is not None:
        actions.cases.end_consents(SYSTEM, application_id=application.pk)


@handles(matters.MatterClosed, when=_of_application)
def ask_applicant(event: matters.MatterClosed, delivery) -> None:
    """Who applied is asked once how it went, when all is handed out: not by each department, and not who withdrew."""
    if event.state == "closed" and (done := queries.cases.application_of(event.subject.id)) is not None:
        ratings.ask_for(
            SYSTEM,
            thing=done.ref,
            title=done.title,
            unit_id=done.matter.holding_unit_id,
            item=done.bundle,
            rater=Ref.parse(done.applicant),
        )


@periodic("services.turn_the_day", minutes=15)
def turn_the_day() -> None:
    """Put versions in force whose day has come, and note the exemptions that reached their end."""
    for version_id in queries.items.due_versions():
        actions.bring_into_force(SYSTEM, version_id=version_id)
    if ended := queries.items.due_exemptions():
        actions.end_exemptions(SYSTEM, exemption_ids=ended)


KINDS = (*incentive_processes.KINDS, *rating_processes.KINDS)
"""Imported with this shelf: the kinds of matters of policies and ratings, with their effects."""


@handles(IncentivePublished)
def match_published(event: IncentivePublished, delivery) -> None:
    """Whom a policy fits is worked out when it is published: by `match_due`, in slices, not in this one transaction."""
    incentives.match_again(SYSTEM, incentive_id=int(event.subject.id))


@handles(ConsentEnded)
def drop_facts(event: ConsentEnded, delivery) -> None:
    """What was read under a consent that was taken back is not used any longer."""
    if event.case.startswith("organisation:"):
        incentives.drop_pulled(SYSTEM, case=event.case, source=event.source)


@periodic("services.match_due", minutes=1)
def match_due() -> None:
    """Once a day for each policy, and after it was published: whom it fits, what ended by date, whom the passing of time made
    eligible, or not any more."""
    for incentive_id in queries.incentives.to_match():
        incentives.match(SYSTEM, incentive_id=incentive_id)


@periodic("services.keep_halls", minutes=5)
def keep_halls() -> None:
    """Remind of appointments, note who did not come, end what was left over of days that are gone, delete what is kept no longer."""
    actions.halls.keep_appointments()
    actions.halls.close_old_days()
    actions.halls.sweep_old_days()


@handles(CertificateIssued)
def ask_holder(event: CertificateIssued, delivery) -> None:
    """Who got a certificate outside of a case is asked how it went; within a case, the case asks."""
    if not event.matter:
        ratings.ask_for(
            SYSTEM,
            thing=event.subject,
            title=certificates.kind_of(event.kind).title,
            unit_id=event.unit_id,
            rater=Ref.parse(event.holder),
        )


@periodic("services.default_ratings", minutes=60)
def default_ratings() -> None:
    """What nobody rated in time is counted as default."""
    ratings.default(SYSTEM)
