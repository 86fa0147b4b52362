"""How long a person's values are kept (保存期限): a rule of the pack, with its source."""

from dataclasses import dataclass
from datetime import date

from liangzhu.kernel.pack import pack


@dataclass(frozen=True)
class Rule:
    """So many years after the last thing that concerned the person; ``unconfirmed`` says what is still to be confirmed (待确认):
    such a rule destroys nothing."""

    years: int
    source: str
    unconfirmed: str = ""

    @property
    def ground(self) -> str:
        """The rule in words, as the leaf of a deletion names it."""
        return f"无未结事项满 {self.years} 年；{self.source}"

    def until(self, last: date) -> date:
        """The day from which the values may be destroyed."""
        try:
            return last.replace(year=last.year + self.years)
        except ValueError:
            return date(last.year + self.years, 3, 1)


def rule() -> Rule:
    """The rule of the pack in use. Raises PackError."""
    given = pack().toml("retention.toml")["registers"]
    unconfirmed = given.get("to_confirm", "待确认") if given.get("unconfirmed") else ""
    return Rule(given["years"], given["source"], unconfirmed)
