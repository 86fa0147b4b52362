"""Policies: who may do what, registered by name. A route without one fails the tests; an action that checks none raises."""

from collections.abc import Callable
from dataclasses import dataclass

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Denied


@dataclass(frozen=True)
class Policy:
    """A named question. Without a target: may this person do such a thing at all? With one: to this very thing?"""

    name: str
    title: str
    ask: Callable[..., bool]

    def __call__(self, actor: Actor, target=None) -> bool:
        """The answer, yes or no."""
        return bool(self.ask(actor, target))

    def require(self, actor: Actor, target=None) -> None:
        """Raise Denied, naming the duty that is missing, unless the answer is yes."""
        if not self(actor, target):
            raise Denied(f"当前岗位（{actor.label}）不能“{self.title}”。")


_policies: dict[str, Policy] = {}


def policy(name: str, title: str) -> Callable[[Callable[..., bool]], Policy]:
    """Register a policy. ``name`` starts with the app's label; ``title`` is a Chinese verb phrase for messages."""

    def register(ask: Callable[..., bool]) -> Policy:
        if name in _policies:
            raise ValueError(f"policy {name} is registered twice")
        _policies[name] = Policy(name, title, ask)
        return _policies[name]

    return register


def get_policy(name: str) -> Policy:
    """The policy of that name. Raises KeyError with the names that exist."""
    try:
        return _policies[name]
    except KeyError:
        raise KeyError(f"no policy {name!r}; known: {', '.join(sorted(_policies))}") from None


def all_policies() -> dict[str, Policy]:
    """Every registered policy by name."""
    return dict(_policies)


@policy("kernel.public", "查看公开内容")
def public(actor: Actor, target=None) -> bool:
    """Open to everybody, without an account. To be used knowingly."""
    return True


@policy("kernel.signed_in", "登录后办理")
def signed_in(actor: Actor, target=None) -> bool:
    """Any member of staff who signed in."""
    return actor.signed_in


@policy("kernel.read_log", "查阅操作日志")
def read_log(actor: Actor, target=None) -> bool:
    """The security auditor (安全审计员)."""
    return actor.has("kernel.auditor")


@policy("kernel.manage_calendar", "维护工作日历")
def manage_calendar(actor: Actor, target=None) -> bool:
    """The system administrator."""
    return actor.has("access.admin")


@policy("kernel.release", "审核发布")
def release(actor: Actor, target=None) -> bool:
    """Draft and release process files; the second person rule is in the action."""
    return actor.has("access.admin")


@policy("kernel.manage_keys", "管理密钥")
def manage_keys(actor: Actor, target=None) -> bool:
    """Rotate keys and change the master key. On the command line only: whoever may run it acts for the system."""
    return actor.is_system


@policy("kernel.operate", "查看运行状况")
def operate(actor: Actor, target=None) -> bool:
    """See and replay events that could not be delivered."""
    return actor.has("access.admin")
