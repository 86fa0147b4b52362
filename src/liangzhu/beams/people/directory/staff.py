"""Posts, who may act under them today, and Staff: the actor that stands for a person in a post."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Q, Value

from liangzhu.beams.people.directory.models import Deputy, Holding, Person, Post, PostRole
from liangzhu.beams.people.directory.tree import units
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Denied, NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref


@dataclass(frozen=True, kw_only=True)
class Staff(Actor):
    """A member of staff acting under a post. ``deputy``: stands in for its holder.

    ``withheld`` are roles of the post that do not work yet, because the account has no second factor; ``open_posts``
    all posts that were open to the person when the actor was made.
    """

    person_id: int
    post_id: int
    unit_id: int
    is_head: bool = False
    deputy: bool = False
    withheld: frozenset[str] = frozenset()
    open_posts: tuple["PostView", ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class PostView:
    """A post as it is today. ``deputy`` is True where `posts_open_to` lists it because the person stands in."""

    id: int
    unit_id: int
    title: str
    is_head: bool
    roles: frozenset[str]
    person_id: int | None
    person_name: str
    key: str = ""
    deputy: bool = False

    @property
    def unit_name(self) -> str:
        """The short name of the unit, today."""
        unit = units().get(self.unit_id)
        return unit.short if unit else ""

    @property
    def full_title(self) -> str:
        """The title with its unit: 区行政审批局 局长."""
        return f"{self.unit_name} {self.title}".strip()


def spans(day: date) -> Q:
    """Rows whose half-open span covers a day."""
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


def _views(rows: Iterable[Post]) -> list[PostView]:
    rows = list(rows)
    ids = [row.pk for row in rows]
    roles: dict[int, set[str]] = {}
    for post_id, role in PostRole.objects.filter(post__in=ids).values_list("post_id", "role"):
        roles.setdefault(post_id, set()).add(role)
    held = {
        row.post_id: row.person
        for row in Holding.objects.filter(spans(today()), post__in=ids).select_related("person")
    }
    views = []
    for row in rows:
        person = held.get(row.pk)
        views.append(
            PostView(
                row.pk,
                row.unit_id,
                row.title,
                row.is_head,
                frozenset(roles.get(row.pk, ())),
                person.pk if person else None,
                person.name if person else "",
                row.key,
            )
        )
    return views


def _open_posts():
    return Post.objects.filter(Q(closed_on=None) | Q(closed_on__gt=today()))


def posts(unit_id: int | None = None, role: str | None = None, head: bool | None = None) -> list[PostView]:
    """Posts that exist today, narrowed by unit, role and whether they head the unit; heads first."""
    rows = _open_posts()
    if unit_id is not None:
        rows = rows.filter(unit_id=unit_id)
    if role is not None:
        rows = rows.filter(roles__role=role)
    if head is not None:
        rows = rows.filter(is_head=head)
    return _views(rows.order_by("-is_head", "id"))


def post(post_id: int) -> PostView:
    """One post, also a closed one. Raises NotThere."""
    found = _views(Post.objects.filter(pk=post_id))
    if not found:
        raise NotThere("没有找到这个岗位。")
    return found[0]


def vacant_post(post_id: int) -> PostView:
    """A post that nobody holds, for a program to work under. Raises Denied when it is held, closed or without its unit."""
    found = _views(_open_posts().filter(pk=post_id))
    if not found or not found[0].unit_name:
        raise Denied("岗位已撤销，或者所在单位今天不存在。", todo="请换一个岗位，或联系系统管理员。")
    if found[0].person_id is not None:
        raise Denied("岗位已有人任职，程序不能以它办事。", todo="请为程序单设一个不任职的岗位。")
    return found[0]


def posts_open_to(person_id: int) -> list[PostView]:
    """The posts a person may act under today: own ones first (longest held first), then those stood in for."""
    own = Holding.objects.filter(spans(today()), person_id=person_id)
    lent = Deputy.objects.filter(spans(today()), person_id=person_id)
    rows = own.order_by().values_list(Value(0), "valid_from", "id", "post_id")
    rows = sorted(rows.union(lent.order_by().values_list(Value(1), "valid_from", "id", "post_id"), all=True))
    own_ids = {post_id for stand_in, _, _, post_id in rows if not stand_in}
    ids = list(dict.fromkeys(post_id for *_, post_id in rows))
    views = {view.id: view for view in _views(_open_posts().filter(pk__in=ids))} if ids else {}
    tree = units()
    open_to = [views[i] for i in ids if i in views and tree.get(views[i].unit_id)]
    return [replace(view, deputy=view.id not in own_ids) for view in open_to]


def staff(person_id: int, post_id: int, account_ref: Ref, request_id: str = "") -> Staff:
    """The actor for a person under a post. Raises Denied when that post is not open to the person today."""
    open_posts = posts_open_to(person_id)
    found = next((one for one in open_posts if one.id == post_id), None)
    if found is None:
        raise _not_open(person_id, post_id)
    name = found.person_name
    if found.person_id != person_id:
        name = Person.objects.values_list("name", flat=True).get(pk=person_id)
    stands_in = f"（代{found.person_name}）" if found.person_name else "（代）"
    return Staff(
        ref=account_ref,
        label=f"{name}{stands_in}· {found.title}" if found.deputy else f"{name} · {found.title}",
        roles=found.roles,
        on_behalf=Ref("unit", str(found.unit_id)),
        request_id=request_id,
        person_id=person_id,
        post_id=post_id,
        unit_id=found.unit_id,
        is_head=found.is_head,
        deputy=found.deputy,
        open_posts=tuple(open_posts),
    )


def _not_open(person_id: int, post_id: int) -> Denied:
    """Why a post is not open to a person today: its unit is gone, or nobody appointed the person."""
    appointed = any(
        rows.objects.filter(spans(today()), post_id=post_id, person_id=person_id).exists()
        for rows in (Holding, Deputy)
    )
    if appointed and _open_posts().filter(pk=post_id).exists():
        return Denied(
            "这个岗位所在的单位今天不存在（尚未设立或已撤销）。", todo="请切换到其他岗位，或联系系统管理员。"
        )
    return Denied(
        "您现在不能以这个岗位办事：任职或代理不在有效期内。",
        todo="请切换到自己的岗位；有疑问请联系系统管理员。",
    )
