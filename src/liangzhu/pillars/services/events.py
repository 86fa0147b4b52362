"""What services announces."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("services.item_in_force", "事项新版本生效")
@dataclass(frozen=True)
class ItemInForce:
    """A version of an item came into force."""

    subject: Ref
    key: str
    version_id: int
    number: int


@event("services.incentive_published", "惠企政策发布")
@dataclass(frozen=True)
class IncentivePublished:
    """A version of a policy for enterprises was published."""

    subject: Ref
    version_id: int
