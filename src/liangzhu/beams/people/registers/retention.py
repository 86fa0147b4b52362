"""How long a person's values are kept (保存期限): a rule of the pack, with its source."""

from dataclasses import dataclass
from datetime import date

from liangzhu.kernel.pack import pack


@dataclass(frozen=True)
class Rule:
    """So many years after the last thing that concerned the person; ``unconfirmed``: the district has not said so yet."""

    years: int
    source: str
    unconfirmed: bool

    @property
    def ground(self) -> str:
        """The rule in words, as the leaf of a deletion names it."""
        doubt = "（待确认）" if self.unconfirmed else ""
        return f"无未结事项满 {self.years} 年{doubt}；{self.source}"

    def until(self, last: date) -> date:
        """The day from which the values may be destroyed."""
        try:
            return last.replace(year=last.year + self.years)
        except ValueError:
            return date(last.year + self.years, 3, 1)


def rule() -> Rule:
    """The rule of the pack in use. Raises PackError."""
    given = pack().toml("registers.toml")["retention"]
    return Rule(given["years"], given["source"], given.get("unconfirmed", False))
