"""States and operations of a certificate, and which operation leads where (国家政务服务平台 C0119).

This table is all there is: actions, pages and tests read it.
"""

from dataclasses import dataclass

STATES = {
    "01": "有效",
    "02": "暂扣",
    "03": "撤销",
    "04": "注销",
    "05": "失效",
    "06": "办理转出",
    "07": "吊销",
    "99": "其他",
}

OPERATIONS = {
    "01": "新发",
    "02": "延续",
    "03": "暂扣",
    "04": "过期失效",
    "05": "注销（撤销、吊销、转出）",
    "06": "暂扣发还",
    "07": "其他",
    "08": "转入",
    "09": "变更",
    "10": "取消转出",
}

VALID, HELD, EXPIRED, LEAVING = "01", "02", "05", "06"
ISSUED, RENEWED, MOVED_IN, CHANGED = "01", "02", "08", "09"
FOLLOWS = frozenset([RENEWED, MOVED_IN, CHANGED])
"""Operations that make a certificate in place of another; they must name it (associatedZzeCertID)."""


@dataclass(frozen=True)
class Step:
    """One way from a state to another. ``by_hand``: a person chooses it on the page of a certificate."""

    operation: str
    source: str
    target: str
    title: str
    by_hand: bool = True


STEPS = [
    Step("03", "01", "02", "暂扣"),
    Step("06", "02", "01", "发还"),
    Step("05", "01", "03", "撤销"),
    Step("05", "02", "03", "撤销"),
    Step("05", "01", "04", "注销"),
    Step("05", "02", "04", "注销"),
    Step("05", "05", "04", "注销"),
    Step("05", "06", "04", "转出后注销"),
    Step("05", "01", "07", "吊销"),
    Step("05", "02", "07", "吊销"),
    Step("05", "01", "06", "办理转出"),
    Step("10", "06", "01", "取消转出"),
    Step("07", "01", "99", "其他"),
    Step("07", "99", "01", "恢复有效"),
    Step("04", "01", "05", "过期失效", by_hand=False),
    Step("04", "02", "05", "过期失效", by_hand=False),
    # The one that was followed by another.
    Step("02", "01", "05", "被延续的证照取代", by_hand=False),
    Step("02", "05", "05", "被延续的证照取代", by_hand=False),
    Step("09", "01", "05", "被变更后的证照取代", by_hand=False),
    Step("08", "06", "04", "已转入他处", by_hand=False),
]


def steps_from(state: str) -> list[Step]:
    """What a person may do with a certificate in that state."""
    return [step for step in STEPS if step.source == state and step.by_hand]


def find_step(source: str, target: str, *, by_hand: bool | None = None) -> Step | None:
    """The first step between two states."""
    return next(
        (
            step
            for step in STEPS
            if (step.source, step.target) == (source, target) and by_hand in (None, step.by_hand)
        ),
        None,
    )


def succession(operation: str, source: str) -> Step | None:
    """What becomes of a certificate that another one follows."""
    return next((s for s in STEPS if (s.operation, s.source) == (operation, source) and not s.by_hand), None)
