"""How long what a source answered is kept: as long as its case, or for days where the case has no rule of its own."""

from datetime import datetime, timedelta

from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref

WITH_THEIR_CASE = ("matter",)
"""Kinds of case whose own rule destroys what was read for them (`sealing.hangs_on`)."""


def keep_until(case: str, moment: datetime) -> datetime | None:
    """When what was read for a case is destroyed at the latest; None: with the case. Raises PackError."""
    if Ref.parse(case).kind in WITH_THEIR_CASE:
        return None
    return moment + timedelta(days=pack().toml("retention.toml")["sources"]["days"])


def ground() -> str:
    """The rule in words, as the leaf of a deletion names it."""
    rule = pack().toml("retention.toml")["sources"]
    return f"为未成案的事项读取的内容保存 {rule['days']} 天；{rule['source']}"
