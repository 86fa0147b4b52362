"""What is read of accounts."""

from dataclasses import replace

from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from liangzhu.beams.people.access.models import Account
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.api import Staff
from liangzhu.kernel.actors import ANONYMOUS, Actor
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.now import demo_date

STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def account_for(person_id: int) -> Account | None:
    """The account of a person."""
    return Account.objects.filter(person_id=person_id).first()


def has_second_factor(account: Account) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return Authenticator.objects.filter(user=account, type__in=STRONG).exists()


def withhold(staff: Staff, account: Account) -> Staff:
    """The same actor without the roles that demand a second factor, if the account has none.

    Because the role itself is missing, every policy of the house denies; a demonstration is exempt.
    """
    strict = (
        frozenset(code for code, role in directory.all_roles().items() if role.second_factor) & staff.roles
    )
    if not strict or demo_date() is not None or has_second_factor(account):
        return staff
    return replace(staff, roles=staff.roles - strict, withheld=strict)


def current_staff(request: HttpRequest) -> Actor:
    """Who acts in this request: the account under its current post, ANONYMOUS without account or without any open post."""
    account = request.user
    if not account.is_authenticated:
        return ANONYMOUS
    post_id = request.session.get("post_id")
    found = None
    if post_id is not None:
        try:
            found = directory.staff(account.person_id, post_id, account.ref, request.request_id)
        except Denied:
            # The holding or the stand-in ended since: fall back to a post that is open.
            found = None
    if found is None:
        first = next(iter(directory.posts_open_to(account.person_id)), None)
        if first is None:
            return ANONYMOUS
        found = directory.staff(account.person_id, first.id, account.ref, request.request_id)
        request.session["post_id"] = first.id
    return withhold(found, account)


def actor_of(username: str, post_key: str | None = None) -> Staff:
    """The actor for a user name, under the post of that key or the main post. Raises Denied when it is not open."""
    account = Account.objects.get(username=username)
    open_posts = directory.posts_open_to(account.person_id)
    chosen = [view for view in open_posts if post_key in (None, view.key)]
    if not chosen:
        raise Denied(f"{username} 今天不能以岗位 {post_key or ''} 办事。")
    return directory.staff(account.person_id, chosen[0].id, account.ref)


def demo_accounts_exist() -> bool:
    """Whether this database holds accounts of a demonstration, whose password everybody knows."""
    return Account.objects.filter(demo=True, is_active=True).exists()
