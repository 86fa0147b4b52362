"""The resident as an actor, and what a page asks of the sign-in."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.models.accounts import LEVELS
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.refs import Ref

LEVEL_WORDS = dict(LEVELS)


@dataclass(frozen=True, kw_only=True)
class Resident(Actor):
    """A resident who signed in with the province, for himself or for another. ``signed_in`` stays False: that is staff.

    ``person`` is a Ref ("natural_person", id) of the register. ``organisation`` is set while acting for an enterprise,
    ``ward`` while acting for another person (guardian, entrusted); ``mandate_id`` is what that rests on, None for the
    legal representative. ``limits`` are the kinds of business or the one case that the mandate is for; empty: anything.
    ``assurance`` is the level (实名等级) of this session: 1 registered, 2 checked, 3 in person or by face.
    """

    account_id: int
    session_id: int
    person: Ref
    organisation: Ref | None = None
    ward: Ref | None = None
    mandate_id: int | None = None
    assurance: int = 1
    limits: tuple[str, ...] = ()
    principal_name: str = ""
    capacity: str = ""

    @property
    def identified(self) -> bool:
        """Always: the province said who it is."""
        return True

    @property
    def principal(self) -> Ref:
        """Whom what is done now concerns."""
        return self.organisation or self.ward or self.person

    @property
    def for_another(self) -> bool:
        """Whether one acts for another."""
        return self.principal != self.person

    @cached_property
    def principal_refs(self) -> frozenset[str]:
        """All printed references of the principal: a person whose rows were merged has several."""
        return frozenset(registers.family(str(self.principal)))

    def concerns(self, ref: Ref | str) -> bool:
        """Whether a Ref names the principal."""
        return str(ref) == str(self.principal) or str(ref) in self.principal_refs

    def may(self, *, kind: str = "", case: str = "") -> bool:
        """Whether the mandate that one acts under reaches this kind of business or this case (printed Ref)."""
        return not self.limits or kind in self.limits or case in self.limits


class NeedLevel(Problem):
    """The session's level of assurance is too low for what was asked. `resident_page` sends to the province and back."""

    code, title, status = "need_level", "需要更高的实名等级", 403
    todo = "请重新认证；认证后回到这一页，已填写的内容都在。"

    def __init__(self, level: int):
        self.level = level
        super().__init__(f"办理这一步需要“{LEVEL_WORDS[level]}”。")


@dataclass
class Page:
    """The page that is being answered: who asks, and the highest level that was asked for and is not there."""

    actor: Resident
    asked: int = 0


_page: ContextVar[Page | None] = ContextVar("resident_page", default=None)


@contextmanager
def answering(actor: Resident):
    """Answer a page of a resident: inside, `need` knows who asks."""
    page = Page(actor)
    place = _page.set(page)
    try:
        yield page
    finally:
        _page.reset(place)


def need(level: int) -> None:
    """Ask for a level of assurance in the middle of a page, or of an action that a page calls. Raises NeedLevel.

    Outside of a resident's page nobody stands at that level.
    """
    page = _page.get()
    if page is None or page.actor.assurance < level:
        if page is not None:
            page.asked = max(page.asked, level)
        raise NeedLevel(level)
