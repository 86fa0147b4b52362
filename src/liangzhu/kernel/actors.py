"""Who acts. The kernel knows an actor's reference, roles and the unit stood for; `people` adds the rest."""

from dataclasses import dataclass, field

from liangzhu.kernel.refs import Ref


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Whoever asks or acts.

    ``ref`` names the account (or ``system:worker``), ``label`` is what history shows, ``roles`` are those of the post
    acted under, ``on_behalf`` the unit stood for, ``request_id`` ties log lines together. ``token`` is the token of the API
    with which a program acts; the leaves name it.
    """

    ref: Ref
    label: str
    roles: frozenset[str] = field(default_factory=frozenset)
    on_behalf: Ref | None = None
    request_id: str = ""
    token: Ref | None = None

    def has(self, *roles: str) -> bool:
        """Whether any of the roles belongs to the post acted under."""
        return not self.roles.isdisjoint(roles)

    @property
    def by_token(self) -> bool:
        """Whether a program acts, and not a person at the keyboard."""
        return self.token is not None

    @property
    def signed_in(self) -> bool:
        """False for the public. True for staff, and for an application that came with its token."""
        return self.ref.kind in ("account", "application")

    @property
    def identified(self) -> bool:
        """Whether it is known who acts: staff and programs; residents too, who are never ``signed_in``."""
        return self.signed_in

    @property
    def is_system(self) -> bool:
        """True for timers and loaders."""
        return self.ref.kind == "system"


ANONYMOUS = Actor(ref=Ref("public", "anonymous"), label="社会公众")
SYSTEM = Actor(ref=Ref("system", "worker"), label="系统")
