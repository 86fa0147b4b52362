"""Who may do what on the residents' side."""

from liangzhu.beams.people.directory.api import does_business
from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy


@policy("residents.own", "登录后办理自己的事")
def own(actor: Actor, target=None) -> bool:
    """A resident who signed in, for the own account; ``target`` is a ResidentSession or a ResidentAccount."""
    if not isinstance(actor, Resident):
        return False
    if target is None:
        return True
    return getattr(target, "account_id", target.pk) == actor.account_id


@policy("residents.assert_identity", "确认群众的身份")
def assert_identity(actor: Actor, target=None) -> bool:
    """A provider of identities, speaking for itself."""
    return actor.ref.kind == "identity_provider"


@policy("residents.read_messages", "查看消息")
def read_messages(actor: Actor, target=None) -> bool:
    """The person that a message is for, or whoever acts for him or for the organisation; ``target`` is a Message."""
    if not isinstance(actor, Resident):
        return False
    if target is None:
        return True
    kind, number = (
        ("natural_person", target.person_id) if target.person_id else ("organisation", target.organisation_id)
    )
    return actor.concerns(f"{kind}:{number}")


@policy("residents.consent", "同意政府读取自己的信息")
def consent(actor: Actor, target=None) -> bool:
    """The subject himself, or who acts for it; ``target`` is the subject's Ref."""
    return isinstance(actor, Resident) and (target is None or actor.concerns(target))


@policy("residents.note_consent", "登记群众当面表示的同意")
def note_consent(actor: Actor, target=None) -> bool:
    """Staff who do business, for somebody who stands before them; what proves it is kept."""
    return actor.signed_in and does_business(actor)


@policy("residents.end_session", "结束群众的登录")
def end_session(actor: Actor, target=None) -> bool:
    """The program itself: idle too long, replaced, a person who is no more, staff that signed in in the same browser."""
    return actor.is_system
