"""Every change of units, sets, persons, posts and stand-ins."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.crypto import get_random_string

from liangzhu.beams.people.directory import policies
from liangzhu.beams.people.directory.events import (
    HoldingChanged,
    UnitClosed,
    UnitMoved,
    UnitOpened,
    UnitRenamed,
    UnitSucceeded,
)
from liangzhu.beams.people.directory.models import (
    Deputy,
    Holding,
    Person,
    Post,
    PostRole,
    Unit,
    UnitAlias,
    UnitSet,
    UnitSetAlias,
    UnitSetRule,
    UnitSpell,
    UnitSuccession,
)
from liangzhu.beams.people.directory.models.units import SLUG
from liangzhu.beams.people.directory.roles import all_roles, clashes, role_title
from liangzhu.beams.people.directory.tree import bump, successor, units
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today

EARLIEST = date(1949, 10, 1)
FARTHEST = timedelta(days=5 * 366)


# Checks ---------------------------------------------------------------------------------------------------------------


def _day(field: str, day: date) -> date:
    """Refuse a day that can only be a slip of the pen."""
    if day < EARLIEST or day > today() + FARTHEST:
        raise Invalid({field: f"{day.isoformat()} 离今天太远，请核对年份。"})
    return day


def _text(field: str, text: str, label: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid({field: f"请填写{label}。"})
    return text


def _key(text: str) -> str:
    try:
        SLUG(text)
    except ValidationError as error:
        raise Invalid({"key": error.messages[0]}) from None
    return text


def _own_key(kind: str) -> str:
    """A key for what was given none; nobody else has it, even if two are set up at the same moment."""
    return f"{kind}-{get_random_string(8, 'abcdefghjkmnpqrstuvwxyz23456789')}"


def _overlapping(start: date, end: date | None) -> Q:
    """Rows whose half-open span shares a day with [start, end)."""
    shared = Q(valid_to=None) | Q(valid_to__gt=start)
    return shared if end is None else shared & Q(valid_from__lt=end)


def _check_name(unit_id: int | None, name: str, parent_id: int | None, start: date, end: date | None) -> None:
    same = UnitSpell.objects.filter(_overlapping(start, end), name=name, parent_id=parent_id).exclude(
        unit_id=unit_id
    )
    if same.exists():
        raise Invalid({"name": f"同一上级之下，这段时间已有叫“{name}”的单位，请核对或改用全称。"})


def _check_code(unit_id: int | None, code: str, start: date, end: date | None) -> None:
    if not code:
        return
    same = UnitSpell.objects.filter(_overlapping(start, end), code=code).exclude(unit_id=unit_id).first()
    if same is not None:
        raise Invalid({"code": f"代码 {code} 这段时间属于“{same.name}”，一个代码同时只能属于一个单位。"})


def _check_parent(unit_id: int | None, parent_id: int | None, days: Iterable[date]) -> None:
    """The superior exists on every one of the days, and is not below the unit itself."""
    if parent_id is None:
        return
    if parent_id == unit_id:
        raise Invalid({"parent": "单位不能隶属于自己。"})
    for day in days:
        tree = units(day)
        parent = tree.get(parent_id)
        if parent is None:
            raise Invalid({"parent": f"上级单位在 {day.isoformat()} 不存在（尚未设立或已撤销）。"})
        if unit_id is not None and parent_id in {view.id for view in tree.under(unit_id)}:
            raise Invalid({"parent": f"“{parent.name}”在 {day.isoformat()} 是本单位的下级，不能作上级。"})


# Units ----------------------------------------------------------------------------------------------------------------


@action("directory.open_unit")
def open_unit(
    act: Act,
    *,
    kind: str,
    name: str,
    on: date,
    source: str,
    short_name: str = "",
    key: str = "",
    code: str = "",
    parent_id: int | None = None,
    superior: str = "",
    unconfirmed: bool = False,
    to_confirm: str = "",
) -> Unit:
    """Set up a unit (设立机构) that exists from the day ``on``. Raises Invalid."""
    act.check(policies.manage_units)
    if kind not in dict(Unit.KINDS):
        raise Invalid({"kind": "请选择单位类型。"})
    name, source = _text("name", name, "单位全称"), _text("source", source, "依据")
    _day("on", on)
    _check_name(None, name, parent_id, on, None)
    _check_code(None, code, on, None)
    _check_parent(None, parent_id, [on])
    key = _key(key) if key else _own_key("unit")
    if Unit.objects.filter(key=key).exists():
        raise Invalid({"key": f"标识 {key} 已有单位在用，请换一个。"})
    unit = Unit.objects.create(key=key, kind=kind, superior=superior.strip())
    UnitSpell.objects.create(
        unit=unit,
        name=name,
        short_name=short_name.strip() or name,
        code=code,
        parent_id=parent_id,
        valid_from=on,
        source=source,
        unconfirmed=unconfirmed,
        to_confirm=to_confirm,
    )
    act.log(unit.ref, name=name, code=code, parent=parent_id, on=on, source=source)
    act.emit(UnitOpened(subject=unit.ref, on=on.isoformat()))
    return unit


def _spell_on(unit: Unit, on: date) -> tuple[UnitSpell, list[UnitSpell]]:
    """The unit's spell that holds on a day, and those after it. Raises Invalid."""
    spells = list(unit.spells.order_by("valid_from"))
    holding = next(
        (s for s in spells if s.valid_from <= on and (s.valid_to is None or on < s.valid_to)), None
    )
    if holding is None:
        if on < spells[0].valid_from:
            raise Invalid({"on": f"本单位 {spells[0].valid_from.isoformat()} 才设立，变动不能早于这一天。"})
        raise Invalid({"on": f"本单位 {spells[-1].valid_to.isoformat()} 起已撤销，变动要早于这一天。"})
    return holding, [spell for spell in spells if spell.valid_from > on]


def _amend(unit: Unit, on: date, source: str, changes: dict[str, object]) -> tuple[list[UnitSpell], bool]:
    """Change the unit from a day on, and its later spells for as long as they repeat what is changed.

    Returns the spells as they are to be, unsaved, the first one cut off the spell that held on that day; and whether
    that day was its first, so that the change is a correction.
    """
    spell, after = _spell_on(unit, on)
    correction = spell.valid_from == on
    old = {name: getattr(spell, name) for name in changes}
    if not correction:
        spell = UnitSpell(
            unit=unit,
            name=spell.name,
            short_name=spell.short_name,
            code=spell.code,
            parent_id=spell.parent_id,
            valid_from=on,
            valid_to=spell.valid_to,
        )
    spell.source = source
    touched = {on: spell}
    for name, value in changes.items():
        setattr(spell, name, value)
        for later in after:
            if getattr(later, name) != old[name]:
                break
            setattr(later, name, value)
            touched[later.valid_from] = later
    return list(touched.values()), correction


def _save(unit: Unit, spells: list[UnitSpell]) -> None:
    """Store amended spells, first cutting short the one that the new one begins in."""
    if spells[0].pk is None:
        holding, _ = _spell_on(unit, spells[0].valid_from)
        holding.valid_to = spells[0].valid_from
        holding.save(update_fields=["valid_to"])
    for spell in spells:
        spell.save()


@action("directory.rename_unit")
def rename_unit(act: Act, *, unit_id: int, name: str, on: date, source: str, short_name: str = "") -> Unit:
    """Give a unit another name from a day on (机构更名), until the day its name changed again. Raises Invalid.

    On the first day of a spell this corrects that spell instead of beginning a new one.
    """
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    name, source = _text("name", name, "单位全称"), _text("source", source, "依据")
    short_name = short_name.strip() or name
    spell, _ = _spell_on(unit, _day("on", on))
    if (spell.name, spell.short_name) == (name, short_name):
        raise Invalid({"name": "名称没有变化。"})
    touched, correction = _amend(unit, on, source, {"name": name, "short_name": short_name})
    for each in touched:
        _check_name(unit_id, name, each.parent_id, each.valid_from, each.valid_to)
    _save(unit, touched)
    act.log(unit.ref, name=name, short_name=short_name, on=on, source=source, correction=correction)
    act.emit(UnitRenamed(subject=unit.ref, name=name, on=on.isoformat()))
    return unit


@action("directory.move_unit")
def move_unit(act: Act, *, unit_id: int, parent_id: int | None, code: str, on: date, source: str) -> Unit:
    """Put a unit under another superior or code from a day on (隶属、代码变动). Raises Invalid."""
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    code, source = code.strip(), _text("source", source, "依据")
    spell, _ = _spell_on(unit, _day("on", on))
    if (spell.parent_id, spell.code) == (parent_id, code):
        raise Invalid({"parent": "上级和代码都没有变化。"})
    touched, correction = _amend(unit, on, source, {"parent_id": parent_id, "code": code})
    for each in touched:
        _check_code(unit_id, each.code, each.valid_from, each.valid_to)
        _check_name(unit_id, each.name, each.parent_id, each.valid_from, each.valid_to)
    _check_parent(unit_id, parent_id, [each.valid_from for each in touched if each.parent_id == parent_id])
    _save(unit, touched)
    act.log(unit.ref, parent=parent_id, code=code, on=on, source=source, correction=correction)
    act.emit(UnitMoved(subject=unit.ref, on=on.isoformat()))
    return unit


@action("directory.confirm_unit")
def confirm_unit(act: Act, *, unit_id: int, on: date, source: str) -> Unit:
    """Confirm what was open about a unit's spell (确认机构资料): somebody of the district has checked it. Raises Invalid."""
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    spell = unit.spells.filter(valid_from__lte=on).order_by("valid_from").last()
    if spell is None or not spell.unconfirmed:
        raise Invalid({"on": "这一天的机构资料没有待确认的内容。"})
    spell.unconfirmed, spell.to_confirm, spell.source = False, "", _text("source", source, "依据")
    spell.save()
    act.log(unit.ref, confirmed_from=spell.valid_from, source=source)
    return unit


@action("directory.close_unit")
def close_unit(act: Act, *, unit_id: int, on: date, reason: str, source: str) -> Unit:
    """End a unit (撤销机构): ``on`` is the first day without it. Its posts close and its holdings end. Raises Invalid."""
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    _close(act, unit, on, _text("reason", reason, "原因"), _text("source", source, "依据"))
    return unit


def _close(act: Act, unit: Unit, on: date, reason: str, source: str) -> None:
    _day("on", on)
    last = unit.spells.order_by("valid_from").last()
    if last.valid_to is not None:
        raise Invalid({"on": f"本单位 {last.valid_to.isoformat()} 起已撤销。"})
    if on <= last.valid_from:
        raise Invalid({"on": f"撤销日要晚于最近一次变动（{last.valid_from.isoformat()}）。"})
    below = UnitSpell.objects.filter(_overlapping(on, None), parent=unit)
    if below:
        names = "、".join(sorted({spell.short_name for spell in below})[:5])
        raise Invalid({"on": f"这一天还有下级单位（{names}），请先撤销或移走。"})
    last.valid_to = on
    last.save(update_fields=["valid_to"])
    act.log(unit.ref, closed_on=on, reason=reason, source=source)
    act.emit(UnitClosed(subject=unit.ref, on=on.isoformat()))
    for post in unit.posts.filter(closed_on=None):
        _close_post(act, post, on)


@action("directory.reopen_unit")
def reopen_unit(act: Act, *, unit_id: int, reason: str) -> Unit:
    """Take back the end of a unit that was entered by mistake (撤回撤销). Posts stay closed. Raises StepNotAllowed."""
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    last = unit.spells.order_by("valid_from").last()
    if last.valid_to is None:
        raise StepNotAllowed("本单位没有撤销。")
    if unit.successions.filter(whole=True, unconfirmed=False).exists():
        raise StepNotAllowed("本单位已由其他单位整体承接，不能撤回撤销。", todo="确需恢复的，请新设单位。")
    _check_name(unit_id, last.name, last.parent_id, last.valid_to, None)
    _check_code(unit_id, last.code, last.valid_to, None)
    act.log(unit.ref, was_closed_on=last.valid_to, reason=_text("reason", reason, "原因"))
    last.valid_to = None
    last.save(update_fields=["valid_to"])
    return unit


@action("directory.succeed_unit")
def succeed_unit(
    act: Act,
    *,
    unit_id: int,
    successor_id: int,
    on: date,
    source: str,
    whole: bool = True,
    scope: str = "",
    reason: str = "",
    unconfirmed: bool = False,
    to_confirm: str = "",
) -> UnitSuccession:
    """Enter which unit takes over from this one (职能承接).

    ``whole`` and confirmed: the unit ends on that day and everything passes on. Otherwise ``scope`` says which duties
    moved, and it is only shown. Raises Invalid.
    """
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    source = _text("source", source, "依据")
    _day("on", on)
    if successor_id == unit_id:
        raise Invalid({"successor": "承接单位不能是本单位自己。"})
    if units(on).get(successor_id) is None:
        raise Invalid({"successor": "承接单位在这一天不存在（尚未设立或已撤销）。"})
    if not whole:
        scope = _text("scope", scope, "承接范围")
    if unit.successions.filter(successor_id=successor_id, on=on).exists():
        raise Invalid({"successor": "这一天、这个单位的承接已经登记过。"})
    row = UnitSuccession(
        predecessor=unit,
        successor_id=successor_id,
        on=on,
        whole=whole,
        scope=scope.strip(),
        reason=reason.strip(),
        source=source,
        unconfirmed=unconfirmed,
        to_confirm=to_confirm,
    )
    if not unconfirmed:
        _pass_on(act, row)
    row.save()
    act.log(unit.ref, successor=successor_id, on=on, whole=whole, source=source, unconfirmed=unconfirmed)
    return row


@action("directory.confirm_succession")
def confirm_succession(act: Act, *, succession_id: int, source: str) -> UnitSuccession:
    """Confirm a succession that was only shown so far (确认承接); a whole one is carried out. Raises StepNotAllowed."""
    act.check(policies.manage_units)
    row = act.lock(UnitSuccession, pk=succession_id)
    if not row.unconfirmed:
        raise StepNotAllowed("这项承接已经确认。")
    row.unconfirmed, row.to_confirm, row.source = False, "", _text("source", source, "依据")
    _pass_on(act, row)
    row.save()
    act.log(row.predecessor.ref, successor=row.successor_id, on=row.on, whole=row.whole, confirmed=True)
    return row


def _pass_on(act: Act, row: UnitSuccession) -> None:
    """Carry a whole, confirmed succession out: the predecessor ends, and on the day itself it is announced."""
    if not row.whole:
        return
    if row.predecessor.successions.filter(whole=True, unconfirmed=False).exclude(pk=row.pk).exists():
        raise Invalid({"successor": "本单位已有整体承接单位；只移交部分职能的，请选“部分承接”。"})
    if successor(row.successor_id, date.max) == row.predecessor_id:
        raise Invalid({"successor": "两个单位互相承接，请核对先后。"})
    last = row.predecessor.spells.order_by("valid_from").last()
    if last.valid_to is None:
        _close(act, row.predecessor, row.on, row.reason or "整体承接", row.source)
    elif last.valid_to != row.on:
        raise Invalid({"on": f"本单位 {last.valid_to.isoformat()} 起已撤销，承接日应是同一天。"})
    if row.on <= today():
        _announce(act, row)


def _announce(act: Act, row: UnitSuccession) -> None:
    row.announced_at = now()
    act.emit(UnitSucceeded(subject=row.predecessor.ref, successor_id=row.successor_id, on=row.on.isoformat()))


@action("directory.announce_succession")
def announce_succession(act: Act, *, succession_id: int) -> UnitSuccession:
    """Announce a succession whose day has come (承接生效). Run by the timer; raises StepNotAllowed when too early."""
    act.check(policies.manage_units)
    row = act.lock(UnitSuccession, pk=succession_id)
    if row.announced_at or row.unconfirmed or not row.whole or row.on > today():
        raise StepNotAllowed("这项承接现在不需要生效。")
    _announce(act, row)
    row.save(update_fields=["announced_at"])
    act.log(row.predecessor.ref, successor=row.successor_id, on=row.on)
    return row


@action("directory.name_aliases")
def name_aliases(act: Act, *, unit_id: int, aliases: list[str]) -> Unit:
    """Set the other ways in which a unit's name is written (机构别称)."""
    act.check(policies.manage_units)
    unit = act.lock(Unit, pk=unit_id)
    wanted = list(dict.fromkeys(text.strip() for text in aliases if text.strip()))
    unit.aliases.all().delete()
    for text in wanted:
        UnitAlias.objects.create(unit=unit, name=text)
    bump()
    act.log(unit.ref, aliases=wanted)
    return unit


# Sets -----------------------------------------------------------------------------------------------------------------


@action("directory.save_unit_set")
def save_unit_set(
    act: Act,
    *,
    expression: str,
    source: str,
    set_id: int | None = None,
    key: str = "",
    mode: str = UnitSet.ALL,
    aliases: Iterable[str] = (),
    kinds: Iterable[str] = (),
    under: Iterable[int] = (),
    members: Iterable[int] = (),
    excepts: Iterable[int] = (),
    basis: str = "",
    unconfirmed: bool = False,
    to_confirm: str = "",
) -> UnitSet:
    """Add or change an open set of units (登记单位集合) with its rule. Raises Invalid."""
    act.check(policies.manage_units)
    expression, source = _text("expression", expression, "写法"), _text("source", source, "依据")
    row = UnitSet(key=_key(key) if key else _own_key("set"))
    if set_id is not None:
        row = act.lock(UnitSet, pk=set_id)
    written = list(dict.fromkeys([expression, *(text.strip() for text in aliases if text.strip())]))
    taken = set(
        UnitSet.objects.filter(expression__in=written).exclude(pk=row.pk).values_list("expression", flat=True)
    )
    taken |= set(
        UnitSetAlias.objects.filter(expression__in=written)
        .exclude(unit_set=row.pk)
        .values_list("expression", flat=True)
    )
    if taken:
        field = "expression" if expression in taken else "aliases"
        raise Invalid({field: f"“{'”“'.join(sorted(taken))}”已登记为另一个集合。"})
    if set_id is None and UnitSet.objects.filter(key=row.key).exists():
        raise Invalid({"key": f"标识 {row.key} 已有集合在用，请换一个。"})
    lines = [(UnitSetRule.KIND, kind, None) for kind in dict.fromkeys(kinds)]
    for rule, ids in (
        (UnitSetRule.UNDER, under),
        (UnitSetRule.MEMBER, members),
        (UnitSetRule.EXCEPT, excepts),
    ):
        lines += [(rule, "", unit_id) for unit_id in dict.fromkeys(ids)]
    if not any(rule != UnitSetRule.EXCEPT for rule, _, _ in lines):
        raise Invalid({"kinds": "请至少选一种类型、一个上级或一个成员单位，否则集合是空的。"})
    row.expression, row.mode, row.basis, row.source = expression, mode, basis.strip(), source
    row.unconfirmed, row.to_confirm = unconfirmed, to_confirm.strip() if unconfirmed else ""
    row.save()
    row.rules.all().delete()
    row.aliases.all().delete()
    for rule, kind, unit_id in lines:
        UnitSetRule.objects.create(unit_set=row, rule=rule, kind=kind, unit_id=unit_id)
    for text in written[1:]:
        UnitSetAlias.objects.create(unit_set=row, expression=text)
    act.log(row.ref, expression=expression, rules=[list(line) for line in lines], source=source)
    return row


# Persons and posts ----------------------------------------------------------------------------------------------------


@action("directory.open_person")
def open_person(act: Act, *, name: str, demo: bool = False) -> Person:
    """Enter a person (登记人员). The name stays out of the log."""
    act.check(policies.manage_people)
    person = Person.objects.create(name=_text("name", name, "姓名"), demo=demo)
    act.log(person.ref, demo=demo)
    return person


@action("directory.rename_person")
def rename_person(act: Act, *, person_id: int, name: str) -> Person:
    """Correct a person's name (更正姓名)."""
    act.check(policies.manage_people)
    person = act.lock(Person, pk=person_id)
    person.name = _text("name", name, "姓名")
    person.save(update_fields=["name"])
    act.log(person.ref, changed=["name"])
    return person


def _check_role(role: str) -> None:
    if role not in all_roles():
        raise Invalid({"role": f"程序里没有角色 {role}，请核对。"})


def _check_clash(field: str, person_id: int, added: set[str], start: date, end: date | None) -> None:
    """Refuse that one person gets two roles that exclude each other, through whatever posts, on a shared day."""
    span = _overlapping(start, end)
    posts = set(Holding.objects.filter(span, person_id=person_id).values_list("post_id", flat=True))
    posts |= set(Deputy.objects.filter(span, person_id=person_id).values_list("post_id", flat=True))
    had = set(PostRole.objects.filter(post__in=posts).values_list("role", flat=True))
    for one, other in clashes(had | added):
        if {one, other} & added:
            raise Invalid({field: f"“{role_title(one)}”和“{role_title(other)}”不得由同一人兼任。"})


@action("directory.open_post")
def open_post(
    act: Act,
    *,
    unit_id: int,
    title: str,
    is_head: bool = False,
    roles: Iterable[str] = (),
    key: str = "",
) -> Post:
    """Set up a post in a unit (设置岗位). Raises Invalid."""
    act.check(policies.manage_people)
    act.lock(Unit, pk=unit_id)
    if units().get(unit_id) is None:
        raise Invalid({"unit": "这个单位今天不存在（尚未设立或已撤销）。"})
    key = _key(key) if key else _own_key("post")
    if Post.objects.filter(key=key).exists():
        raise Invalid({"key": f"标识 {key} 已有岗位在用，请换一个。"})
    post = Post.objects.create(
        key=key, unit_id=unit_id, title=_text("title", title, "岗位名称"), is_head=is_head
    )
    roles = list(dict.fromkeys(roles))
    for role in roles:
        _check_role(role)
        PostRole.objects.create(post=post, role=role)
    act.log(post.ref, unit=unit_id, title=post.title, is_head=is_head, roles=roles)
    return post


@action("directory.change_post")
def change_post(act: Act, *, post_id: int, title: str, is_head: bool) -> Post:
    """Change a post's title, or whether it heads its unit (变更岗位)."""
    act.check(policies.manage_people)
    post = act.lock(Post, pk=post_id)
    post.title, post.is_head = _text("title", title, "岗位名称"), is_head
    post.save(update_fields=["title", "is_head"])
    act.log(post.ref, title=post.title, is_head=is_head)
    return post


@action("directory.close_post")
def close_post(act: Act, *, post_id: int, on: date) -> Post:
    """Close a post (撤销岗位) from a day on; who holds it or stands in, ends. Raises Invalid."""
    act.check(policies.manage_people)
    post = act.lock(Post, pk=post_id)
    if post.closed_on is not None:
        raise Invalid({"on": f"这个岗位 {post.closed_on.isoformat()} 起已撤销。"})
    _close_post(act, post, _day("on", on))
    return post


def _close_post(act: Act, post: Post, on: date) -> None:
    post.closed_on = on
    post.save(update_fields=["closed_on"])
    for model in (Holding, Deputy):
        # What would only begin afterwards never begins.
        model.objects.filter(post=post, valid_from__gte=on).delete()
        for row in model.objects.filter(_overlapping(on, None), post=post):
            row.valid_to = on
            row.save(update_fields=["valid_to"])
            act.emit(HoldingChanged(subject=post.ref, person_id=row.person_id, on=on.isoformat()))
    act.log(post.ref, closed_on=on)


@action("directory.give_role")
def give_role(act: Act, *, post_id: int, role: str) -> Post:
    """Give a post a role (授予角色). Raises Invalid when its people must not hold it together with another."""
    act.check(policies.manage_people)
    post = act.lock(Post, pk=post_id)
    _check_role(role)
    if post.roles.filter(role=role).exists():
        raise Invalid({"role": f"这个岗位已有“{role_title(role)}”。"})
    for model in (Holding, Deputy):
        for row in model.objects.filter(_overlapping(today(), None), post=post):
            _check_clash("role", row.person_id, {role}, max(row.valid_from, today()), row.valid_to)
    for one, other in clashes({role, *post.roles.values_list("role", flat=True)}):
        raise Invalid({"role": f"“{role_title(one)}”和“{role_title(other)}”不得在同一岗位。"})
    PostRole.objects.create(post=post, role=role)
    act.log(post.ref, gave=role)
    return post


@action("directory.take_role")
def take_role(act: Act, *, post_id: int, role: str) -> Post:
    """Take a role from a post (收回角色); it works no more from the next click on. Raises Invalid."""
    act.check(policies.manage_people)
    post = act.lock(Post, pk=post_id)
    if not post.roles.filter(role=role).delete()[0]:
        raise Invalid({"role": f"这个岗位没有“{role_title(role)}”。"})
    act.log(post.ref, took=role)
    return post


@action("directory.hold_post")
def hold_post(
    act: Act, *, post_id: int, person_id: int, valid_from: date, valid_to: date | None = None
) -> Holding:
    """Put a person into a post (任职); ``valid_to`` is the first day after. Raises Invalid on overlap."""
    act.check(policies.manage_people)
    post = act.lock(Post, pk=post_id)
    person = act.lock(Person, pk=person_id)
    _check_span(post, _day("valid_from", valid_from), valid_to)
    other = post.holdings.filter(_overlapping(valid_from, valid_to)).select_related("person").first()
    if other is not None:
        until = f"至 {other.valid_to.isoformat()}" if other.valid_to else "至今"
        raise Invalid(
            {
                "valid_from": f"这段时间由{other.person.name}任职（{other.valid_from.isoformat()} {until}），请先办结束。"
            }
        )
    _check_clash("person", person_id, set(post.roles.values_list("role", flat=True)), valid_from, valid_to)
    row = Holding.objects.create(post=post, person=person, valid_from=valid_from, valid_to=valid_to)
    act.log(post.ref, person=person_id, valid_from=valid_from, valid_to=valid_to)
    act.emit(HoldingChanged(subject=post.ref, person_id=person_id, on=valid_from.isoformat()))
    return row


@action("directory.appoint")
def appoint(act: Act, *, unit_id: int, name: str, title: str, roles: Iterable[str]) -> Holding:
    """Enter a new person straight into a new post from today (登记并任职)."""
    act.check(policies.manage_people)
    person = open_person(act.actor, name=name)
    post = open_post(act.actor, unit_id=unit_id, title=title, roles=roles)
    row = hold_post(act.actor, post_id=post.pk, person_id=person.pk, valid_from=today())
    act.log(post.ref, person=person.pk)
    return row


def _check_span(post: Post, start: date, end: date | None) -> None:
    if end is not None and end <= start:
        raise Invalid({"valid_to": "结束日早于起始日，请核对。"})
    if post.closed_on and (end is None or end > post.closed_on):
        raise Invalid({"valid_from": f"这个岗位 {post.closed_on.isoformat()} 起已撤销。"})


@action("directory.end_holding")
def end_holding(act: Act, *, holding_id: int, on: date) -> Holding:
    """End a holding (免职): ``on`` is the first day without it. Raises Invalid."""
    act.check(policies.manage_people)
    row = act.lock(Holding, pk=holding_id)
    if row.valid_to is not None and row.valid_to <= on:
        raise Invalid({"on": f"这次任职到 {row.valid_to.isoformat()} 已结束。"})
    if on <= row.valid_from:
        raise Invalid({"on": f"结束日要晚于任职日（{row.valid_from.isoformat()}）。"})
    row.valid_to = _day("on", on)
    row.save(update_fields=["valid_to"])
    act.log(row.post.ref, person=row.person_id, ended_on=on)
    act.emit(HoldingChanged(subject=row.post.ref, person_id=row.person_id, on=on.isoformat()))
    return row


@action("directory.appoint_deputy")
def appoint_deputy(
    act: Act, *, post_id: int, person_id: int, valid_from: date, last_day: date, reason: str
) -> Deputy:
    """Let a person stand in for a post (指定代理) from a day to ``last_day``, both included. Raises Invalid."""
    act.check(policies.manage_people)
    post = act.lock(Post, pk=post_id)
    person = act.lock(Person, pk=person_id)
    reason = _text("reason", reason, "代理原因")
    _day("valid_from", valid_from)
    if last_day < valid_from:
        raise Invalid({"last_day": "最后一天早于起始日，请核对。"})
    valid_to = last_day + timedelta(days=1)
    _check_span(post, valid_from, valid_to)
    if valid_to <= today():
        raise Invalid({"last_day": "代理期已经过去；代理不能事后补办。"})
    if post.holdings.filter(_overlapping(valid_from, valid_to), person=person).exists():
        raise Invalid({"person": "这段时间此人就是任职人，不需要代理。"})
    other = post.deputies.filter(_overlapping(valid_from, valid_to)).select_related("person").first()
    if other is not None:
        raise Invalid({"valid_from": f"这段时间已由{other.person.name}代理，请先结束或改期。"})
    _check_clash("person", person_id, set(post.roles.values_list("role", flat=True)), valid_from, valid_to)
    row = Deputy.objects.create(
        post=post, person=person, valid_from=valid_from, valid_to=valid_to, reason=reason
    )
    act.log(post.ref, deputy=person_id, valid_from=valid_from, valid_to=valid_to, reason=reason)
    act.emit(HoldingChanged(subject=post.ref, person_id=person_id, on=valid_from.isoformat()))
    return row


@action("directory.end_deputy")
def end_deputy(act: Act, *, deputy_id: int) -> Post:
    """End a stand-in now (结束代理); one that has not begun is withdrawn. Raises Invalid when it is over."""
    act.check(policies.manage_people)
    row = act.lock(Deputy, pk=deputy_id)
    post = row.post
    if row.valid_to <= today():
        raise Invalid("这次代理已经结束。")
    if row.valid_from >= today():
        row.delete()
    else:
        row.valid_to = today()
        row.save(update_fields=["valid_to"])
    act.log(post.ref, deputy=row.person_id, ended_on=today())
    act.emit(HoldingChanged(subject=post.ref, person_id=row.person_id, on=today().isoformat()))
    return post
