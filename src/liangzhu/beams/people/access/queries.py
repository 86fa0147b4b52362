"""What is read of accounts."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from liangzhu.beams.people.access import policies
from liangzhu.beams.people.access.backends import plain_username
from liangzhu.beams.people.access.lockout import locks
from liangzhu.beams.people.access.models import Account, Application, Token
from liangzhu.beams.people.access.tokens import expiry
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.api import Staff
from liangzhu.kernel.actions import all_actions
from liangzhu.kernel.actors import ANONYMOUS, SYSTEM, Actor
from liangzhu.kernel.errors import Denied, NotThere
from liangzhu.kernel.http import all_scopes
from liangzhu.kernel.log import holds
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import demo_date, shanghai
from liangzhu.kernel.policies import read_log
from liangzhu.kernel.refs import Ref, describe, register_ref

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


@dataclass(frozen=True)
class SignIn:
    """The sign-in behind a browser's session: its number (UserSession), when somebody proved who he is last, and by what
    (``password``, ``totp``, ``webauthn``, ``recovery_codes``)."""

    session_id: int
    at: datetime
    means: frozenset[str]


def sign_in_of(request: HttpRequest) -> SignIn:
    """The sign-in of the member of staff in a request."""
    key = request.session.session_key
    row = UserSession.objects.filter(session_key=key).only("id", "created_at").first()
    if row is None:
        UserSession.objects.create_from_request(request)
        row = UserSession.objects.get(session_key=request.session.session_key)
    records = get_authentication_records(request, request.user)
    at = max((record["at"] for record in records), default=row.created_at.timestamp())
    means = frozenset(record.get("type", record["method"]) for record in records)
    return SignIn(row.pk, datetime.fromtimestamp(int(at), UTC), means)


def session_holds(account_id: int, session_id: int) -> bool:
    """Whether a session of an account counts still: neither was ended, and it has not run out."""
    row = UserSession.objects.filter(pk=session_id, user=account_id, user__is_active=True).first()
    return row is not None and row.exists()


GENERATED = "gen."
"""User names of a generated district begin so; the sign-in page, which shows whom to try, does not list thousands."""


def demo_accounts_exist() -> bool:
    """Whether this database holds accounts of a demonstration, whose password everybody knows."""
    return Account.objects.filter(demo=True, is_active=True).exists()


@dataclass(frozen=True)
class DemoAccount:
    """A line of the panel on the sign-in page."""

    username: str
    name: str
    place: str


def demo_panel() -> dict[str, list[DemoAccount]]:
    """The accounts of a demonstration by what they are for; empty outside one. Public: so is their password."""
    if demo_date() is None:
        return {}
    shown = Account.objects.filter(demo=True, is_active=True).exclude(username__startswith=GENERATED)
    accounts = {row.person_id: row for row in shown}
    groups: dict[str, list[DemoAccount]] = {}
    for view in directory.posts():
        account = accounts.get(view.person_id)
        if account is not None:
            line = DemoAccount(account.username, view.person_name, view.full_title)
            groups.setdefault(_panel_group(view), []).append(line)
    return {title: groups[title] for title in PANEL if title in groups}


PANEL = ("推进机构和区领导", "单位负责人", "单位承办人", "系统管理和审计", "其他岗位")


def _panel_group(view: directory.PostView) -> str:
    strict = {"access.admin", "kernel.auditor"}
    if view.roles & strict:
        return "系统管理和审计"
    if view.is_head:
        return "单位负责人"
    if any(role.startswith("matters.") for role in view.roles):
        return "单位承办人"
    return "推进机构和区领导" if view.roles else "其他岗位"


# Administration -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccountRow:
    """An account with what an administrator looks for."""

    account: Account
    person_name: str
    posts: list[str]
    strong: bool
    locked_until: datetime | None
    sessions: int


STATES = {"": "全部", "open": "在用", "closed": "已停用", "weak": "没有第二因素"}


def accounts(actor: Actor, text: str = "", state: str = "") -> QuerySet[Account]:
    """Accounts whose user name or person's name contains the text; for paging, then `account_rows`."""
    policies.manage.require(actor)
    rows = Account.objects.select_related("person")
    if text.strip():
        rows = rows.filter(Q(username__icontains=text.strip()) | Q(person__name__icontains=text.strip()))
    if state in ("open", "closed"):
        rows = rows.filter(is_active=state == "open")
    elif state == "weak":
        rows = rows.exclude(pk__in=Authenticator.objects.filter(type__in=STRONG).values("user"))
    return rows


def account_rows(actor: Actor, found: list[Account]) -> list[AccountRow]:
    """The accounts of one page with posts, second factor, lock and sessions; a fixed number of queries."""
    policies.manage.require(actor)
    places = {row.person.pk: row.posts for row in directory.with_posts(actor, [row.person for row in found])}
    strong = set(
        Authenticator.objects.filter(user__in=found, type__in=STRONG).values_list("user_id", flat=True)
    )
    locked = locks([row.username for row in found])
    sessions = dict(
        UserSession.objects.filter(user__in=found).values_list("user_id").annotate(Count("id")).order_by()
    )
    return [
        AccountRow(
            row,
            row.person.name,
            places[row.person_id],
            row.pk in strong,
            locked.get(row.username),
            sessions.get(row.pk, 0),
        )
        for row in found
    ]


@dataclass(frozen=True)
class SessionRow:
    """A session as its owner sees it."""

    id: int
    device: str
    ip: str
    began: datetime
    seen: datetime
    current: bool


@dataclass(frozen=True)
class Factors:
    """The second factors of an account. ``recovery_left`` is None when there are no recovery codes."""

    totp: Authenticator | None
    keys: list[Authenticator]
    recovery_left: int | None


def sessions(actor: Actor, account: Account, current: str = "") -> list[SessionRow]:
    """The sessions of an account, latest first; for its owner and for administrators. Those that ended are dropped."""
    if not (policies.own(actor, account) or policies.manage(actor)):
        policies.own.require(actor, account)
    rows = UserSession.objects.purge_and_list(account)
    return [
        SessionRow(
            row.pk,
            device(row.user_agent),
            row.ip,
            row.created_at,
            row.last_seen_at,
            row.session_key == current,
        )
        for row in sorted(rows, key=lambda row: row.last_seen_at, reverse=True)
    ]


_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Harmony", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


def device(user_agent: str) -> str:
    """What a browser says of itself, in two words: Chrome · Windows."""
    words = [
        next((title for mark, title in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(word for word in words if word) or "不认识的设备"


def factors(actor: Actor, account: Account) -> Factors:
    """The second factors of an account, for its owner and for administrators."""
    if not (policies.own(actor, account) or policies.manage(actor)):
        policies.own.require(actor, account)
    rows = list(Authenticator.objects.filter(user=account).order_by("created_at"))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        len(codes.wrap().get_unused_codes()) if codes else None,
    )


def account(actor: Actor, account_id: int) -> AccountRow:
    """One account. Raises NotThere."""
    found = list(accounts(actor).filter(pk=account_id))
    if not found:
        raise NotThere("没有找到这个账号。")
    return account_rows(actor, found)[0]


def person_name(actor: Actor, person_id: int) -> str:
    """The name of a person whose account is to be opened. Raises NotThere."""
    policies.manage.require(actor)
    name = directory.person_names(actor, [person_id]).get(person_id)
    if name is None:
        raise NotThere("没有找到这个人员。")
    return name


def without_account(actor: Actor, text: str) -> QuerySet:
    """Persons that have no account, by name."""
    policies.manage.require(actor)
    return directory.persons(actor, text).exclude(pk__in=Account.objects.values("person"))


# Tokens ---------------------------------------------------------------------------------------------------------------

TOKEN_STATES = {"": "全部", "good": "可用", "ended": "过期或吊销"}


@dataclass(frozen=True)
class TokenRow:
    """A token as it is listed. ``state`` is good, expired or revoked; instants are the machine's."""

    token: Token
    owner: str
    scopes: list[str]
    state: str


@dataclass(frozen=True)
class ApplicationRow:
    """An application account as it is listed."""

    application: Application
    unit: str
    post: str
    contact: str
    tokens: list[TokenRow]


def token_rows(found: Iterable[Token]) -> list[TokenRow]:
    """Tokens ready to be shown; the caller has fetched them with their owners."""
    moment, titles = expiry(0), all_scopes()
    return [
        TokenRow(
            token,
            token.application.name if token.application else token.account.username,
            [titles.get(one, one) for one in token.scopes.split()],
            "revoked" if token.revoked_at else "expired" if token.expires_at <= moment else "good",
        )
        for token in found
    ]


def _tokens() -> QuerySet[Token]:
    return Token.objects.select_related("application", "account", "post")


def own_tokens(actor: Actor) -> list[TokenRow]:
    """The tokens of one's own account, the newest first."""
    policies.make_token.require(actor)
    return token_rows(_tokens().filter(account_id=int(actor.ref.id)).order_by("-id"))


def tokens(actor: Actor, text: str = "", state: str = "") -> QuerySet[Token]:
    """Every token, narrowed by words and state; for paging, then `token_rows`."""
    policies.manage.require(actor)
    rows = _tokens()
    for word in text.split()[:5]:
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(account__username__icontains=word)
            | Q(application__name__icontains=word)
        )
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=expiry(0))
    if state in ("good", "ended"):
        rows = rows.filter(ended) if state == "ended" else rows.exclude(ended)
    return rows


def token(actor: Actor, token_id: int) -> Token:
    """One token that the actor may revoke. Raises NotThere."""
    found = _tokens().filter(pk=token_id).first()
    if found is None or not policies.revoke_token(actor, found):
        raise NotThere("没有找到这个令牌。")
    return found


@dataclass(frozen=True)
class TokenDone:
    """One thing that was done with a token: what, and to what."""

    leaf: LogLeaf
    title: str
    subject: tuple[str, str]


def token_to_read(actor: Actor, token_id: int) -> TokenRow:
    """One token of which the actor may see what was done with it. Raises NotThere."""
    found = _tokens().filter(pk=token_id).first()
    if found is None or not policies.read_token(actor, found):
        raise NotThere("没有找到这个令牌。")
    return token_rows([found])[0]


def done_with(actor: Actor, token: Token) -> QuerySet[LogLeaf]:
    """The leaves that name a token; for paging, latest first, then `token_done`."""
    policies.read_token.require(actor, token)
    return LogLeaf.objects.filter(via=str(token.ref))


def token_done(actor: Actor, found: list[LogLeaf]) -> list[TokenDone]:
    """The leaves of one page in words; what the actor may not see keeps its bare number."""
    words = describe({Ref.parse(leaf.subject) for leaf in found}, actor)
    return [TokenDone(leaf, action_title(leaf.action), words[Ref.parse(leaf.subject)]) for leaf in found]


def _application_rows(rows: QuerySet[Application]) -> list[ApplicationRow]:
    found = list(rows.select_related("post", "contact").order_by("name"))
    made: dict[int, list[TokenRow]] = {}
    for row in token_rows(_tokens().filter(application__in=found).order_by("-id")):
        made.setdefault(row.token.application_id, []).append(row)
    return [
        ApplicationRow(
            one, directory.unit_name(one.post.unit_id), one.post.title, one.contact.name, made.get(one.pk, [])
        )
        for one in found
    ]


def applications(actor: Actor) -> list[ApplicationRow]:
    """Every application account with its tokens."""
    policies.manage.require(actor)
    return _application_rows(Application.objects.all())


def own_applications(actor: Actor) -> list[ApplicationRow]:
    """The applications for which the actor may make tokens."""
    policies.make_token.require(actor)
    rows = Application.objects.filter(post__unit_id=actor.unit_id, closed_at=None)
    return _application_rows(rows if actor.is_head else rows.filter(contact_id=actor.person_id))


def application(actor: Actor, application_id: int) -> Application:
    """One application, for the administrator and who may make its tokens. Raises NotThere."""
    found = Application.objects.select_related("post").filter(pk=application_id).first()
    if found is None or not (policies.manage(actor) or policies.make_application_token(actor, found)):
        raise NotThere("没有找到这个应用账号。")
    return found


def open_posts_for_programs() -> list[directory.PostView]:
    """Posts that nobody holds, that no other program works under, and whose roles are ordinary ones."""
    taken = set(Application.objects.values_list("post_id", flat=True))
    roles = directory.all_roles()
    return [
        post
        for post in directory.posts()
        if post.person_id is None
        and post.id not in taken
        and post.unit_name
        and all(roles[one].business for one in post.roles if one in roles)
    ]


def _token_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not (policies.manage(actor) or read_log(actor)):
        return {}
    found = Token.objects.filter(pk__in=[i for i in ids if i.isdecimal()])
    return {
        str(row.pk): (f"{row.name}（…{row.hint}）", reverse("access:token", args=[row.pk])) for row in found
    }


def _application_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not actor.signed_in:
        return {}
    found = Application.objects.filter(pk__in=[i for i in ids if i.isdecimal()])
    return {str(row.pk): (row.name, "") for row in found}


register_ref("token", "令牌", _token_refs)
register_ref("application", "应用账号", _application_refs)


# The log --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LeafFilter:
    """What the auditor looks for; empty means everything. Days are in Shanghai, both included."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None


def leaves(actor: Actor, wanted: LeafFilter) -> QuerySet[LogLeaf]:
    """The leaves of the log that match. ``actor`` is a user name or a reference, ``subject`` a reference (kind:id)."""
    read_log.require(actor)
    rows = LogLeaf.objects.select_related("detail")
    if wanted.actor:
        who = wanted.actor
        if ":" not in who:
            found = Account.objects.filter(username=plain_username(who)).first()
            who = str(found.ref) if found else who
        rows = rows.filter(actor=who)
    if wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.subject:
        rows = rows.filter(subject=wanted.subject)
    if wanted.since:
        rows = rows.filter(at__gte=shanghai(wanted.since.year, wanted.since.month, wanted.since.day))
    if wanted.until:
        after = wanted.until + timedelta(days=1)
        rows = rows.filter(at__lt=shanghai(after.year, after.month, after.day))
    return rows


@dataclass(frozen=True)
class LeafRow:
    """A leaf with its references in words. ``holds`` is None where the details were destroyed by rule."""

    leaf: LogLeaf
    title: str
    actor: tuple[str, str]
    on_behalf: tuple[str, str]
    via: tuple[str, str]
    subject: tuple[str, str]
    details: list[tuple[str, str]]
    holds: bool | None


def leaf_rows(actor: Actor, found: list[LogLeaf]) -> list[LeafRow]:
    """The leaves of one page; a fixed number of queries for each kind of reference."""
    read_log.require(actor)
    refs = {
        Ref.parse(text)
        for leaf in found
        for text in (leaf.actor, leaf.on_behalf, leaf.via, leaf.subject)
        if text
    }
    words = describe(refs, actor) | {SYSTEM.ref: (SYSTEM.label, ""), ANONYMOUS.ref: (ANONYMOUS.label, "")}
    rows = []
    for leaf in found:
        detail = getattr(leaf, "detail", None)
        pairs = json.loads(detail.body).items() if detail else ()
        rows.append(
            LeafRow(
                leaf,
                action_title(leaf.action),
                words[Ref.parse(leaf.actor)],
                words[Ref.parse(leaf.on_behalf)] if leaf.on_behalf else ("", ""),
                words[Ref.parse(leaf.via)] if leaf.via else ("", ""),
                words[Ref.parse(leaf.subject)],
                [(name, _plain(value)) for name, value in pairs],
                holds(leaf),
            )
        )
    return rows


def _plain(value: object) -> str:
    if value is True or value is False:
        return "是" if value else "否"
    if value is None or value == "":
        return "—"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_TERM = re.compile(r"\(([\u4e00-\u9fff][^()]*)\)")


def action_title(name: str) -> str:
    """The Chinese term of an action, which its docstring gives in brackets; its name where there is none."""
    run = all_actions().get(name)
    found = _TERM.search(run.__doc__ or "") if run else None
    return found[1] if found else name


def action_choices(actor: Actor) -> list[tuple[str, str]]:
    """Every action as (name, title)."""
    read_log.require(actor)
    return sorted(((name, action_title(name)) for name in all_actions()), key=lambda pair: pair[1])


def _account_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not actor.signed_in:
        return {}
    may = policies.manage(actor)
    found = {"unknown": ("没有这个用户名", "")} if "unknown" in ids else {}
    for row in Account.objects.filter(pk__in=[i for i in ids if i.isdecimal()]).select_related("person"):
        url = reverse("access:account", args=[row.pk]) if may else ""
        found[str(row.pk)] = (f"{row.person.name}（{row.username}）", url)
    return found


register_ref("account", "账号", _account_refs)
