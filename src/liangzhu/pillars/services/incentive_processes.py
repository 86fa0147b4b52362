"""The matters of policies for enterprises: collecting a document, and a list that is paid without application."""

from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import StepNotAllowed
from liangzhu.pillars.services import policies
from liangzhu.pillars.services.actions import incentives as actions
from liangzhu.pillars.services.models import IncentiveVersion, PayoutBatch, PolicyDocument
from liangzhu.pillars.services.queries import incentives as queries

KINDS = (actions.COLLECTION, actions.PAYOUT)


@matters.guard("services.policy_structured", early=True)
def policy_structured(act, matter, params: dict, data: dict, transition) -> None:
    """A document is structured when a policy of it is published."""
    found = IncentiveVersion.objects.filter(
        incentive__document__matter=matter, state=IncentiveVersion.PUBLISHED
    )
    if not found.exists():
        raise StepNotAllowed(
            "这份文件还没有发布任何一项政策。",
            todo="请先起草并发布；文件里没有惠企内容的，选“没有惠企内容”。",
        )


@matters.effect("services.approve_payout")
def approve_payout(act, matter, params: dict, data: dict, transition) -> None:
    """See `actions.incentives.approve_payout`."""
    actions.approve_payout(act, matter)


@matters.effect("services.refuse_payout")
def refuse_payout(act, matter, params: dict, data: dict, transition) -> None:
    """See `actions.incentives.refuse_payout`."""
    actions.refuse_payout(act, matter)


@matters.effect("services.order_payout")
def order_payout(act, matter, params: dict, data: dict, transition) -> None:
    """See `actions.incentives.order_payout`."""
    actions.order_payout(act, matter)


@matters.effect("services.pay_out")
def pay_out(act, matter, params: dict, data: dict, transition) -> None:
    """See `actions.incentives.pay_out`."""
    actions.pay_out(act, matter, data["voucher"])


def document_panel(actor, matter) -> dict:
    """The document that a matter collects, and what was made of it."""
    row = PolicyDocument.objects.select_related("unit").get(matter=matter)
    return {"document": row, "rows": queries.of_document(row)}


def payout_panel(actor, matter) -> dict:
    """The list of a matter; its lines for those who may see them."""
    batch = PayoutBatch.objects.select_related("version__incentive").get(matter=matter)
    may = policies.see_payout(actor, batch.version.incentive)
    return {"batch": batch, "sums": queries.sums(batch), "lines": queries.lines(batch) if may else []}


matters.register_kind(
    actions.COLLECTION,
    "政策归集",
    process=actions.COLLECTION,
    panels=[("services/panels/policy_document.html", document_panel)],
    elsewhere="在“惠企政策”里归集文件时登记",
)
matters.register_kind(
    actions.PAYOUT,
    "惠企资金支付",
    process=actions.PAYOUT,
    panels=[("services/panels/payout.html", payout_panel)],
    elsewhere="在“惠企政策”里提出支付名单时登记",
)
