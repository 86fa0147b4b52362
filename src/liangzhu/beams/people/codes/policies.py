"""Who may do what with service codes."""

from liangzhu.beams.people.directory.api import declare_role, does_business
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy

WINDOW = "codes.window"
declare_role(WINDOW, "窗口人员", "在窗口扫服务码，凭证件核验身份")


@policy("codes.scan", "扫服务码")
def scan(actor: Actor, target=None) -> bool:
    """Window staff (窗口人员), under a post that does business."""
    return actor.signed_in and actor.has(WINDOW) and does_business(actor)


@policy("codes.read_scan", "查看扫码结果")
def read_scan(actor: Actor, target=None) -> bool:
    """Whoever scanned; ``target`` is a Scan."""
    return scan(actor) and (target is None or target.operator == str(actor.ref))


@policy("codes.show", "出示服务码")
def show(actor: Actor, target=None) -> bool:
    """A resident, for whom he acts for; the code of an agent says what his mandate is limited to."""
    return isinstance(actor, Resident)


@policy("codes.assert_holder", "确认持码人的身份")
def assert_holder(actor: Actor, target=None) -> bool:
    """An issuer of codes, speaking for itself."""
    return actor.ref.kind == "code_issuer"


@policy("codes.count", "查看扫码覆盖情况")
def count(actor: Actor, target=None) -> bool:
    """All staff who do business, and the program itself: numbers only."""
    return actor.is_system or (actor.signed_in and does_business(actor))


@policy("codes.keep_time", "到期删除扫码内容")
def keep_time(actor: Actor, target=None) -> bool:
    """The program itself."""
    return actor.is_system
