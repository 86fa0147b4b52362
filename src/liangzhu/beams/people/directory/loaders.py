"""Loading the district's pack: `units.toml`, `unit_sets.toml`, and persons and posts of `accounts.toml`.

Loading again changes nothing. A newer pack is applied where nobody touched the thing since; where people changed it by
hand, their change stands, and what the pack would have said is logged (program log and a leaf), once per edition.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from liangzhu.beams.people.directory import policies
from liangzhu.beams.people.directory.models import (
    Deputy,
    Holding,
    PackEntry,
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
from liangzhu.beams.people.directory.roles import all_roles
from liangzhu.beams.people.directory.tree import bump
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.now import demo_date, now, today
from liangzhu.kernel.pack import Pack, PackError
from liangzhu.kernel.refs import Ref

logger = logging.getLogger("liangzhu.directory")


@dataclass(frozen=True)
class Loadable:
    """A kind of thing that the pack describes.

    ``present(known)`` gives {key: entry} of what stands in the database, in the shape of the pack's entries; ``write(entry,
    ref)`` makes one thing be as its entry says (``ref``: the existing one or None) and returns its Ref.
    """

    kind: str
    present: Callable[[dict[str, PackEntry]], dict[str, dict]]
    write: Callable[[dict, Ref | None], Ref]


def _print(entry: dict) -> str:
    return sm3(canonical(entry).encode())


def _load(what: Loadable, entries: dict[str, dict]) -> None:
    """Bring the database to the pack's entries, one action for all that differs; none when nothing does."""
    known = {row.key: row for row in PackEntry.objects.filter(kind=what.kind)}
    there = what.present(known)
    write, aside = {}, {}
    for key, entry in entries.items():
        new, row = _print(entry), known.get(key)
        old = _print(there[key]) if key in there else None
        applied = row.applied if row else ""
        # A thing that was loaded and is gone was removed by somebody: it does not come back by itself.
        untouched = old == applied if applied else old in (None, new)
        if old == new == applied:
            continue
        if untouched or old == new:
            write[key] = entry
        elif row is None or row.refused != new:
            aside[key] = entry
            names = [name for name in entry if there.get(key, {}).get(name) != entry[name]]
            logger.warning(
                "资料包的 %s %s 与现有内容不同（%s），已由人改过，保留现有内容",
                what.kind,
                key,
                "、".join(names),
            )
    if write or aside:
        _apply(SYSTEM, what=what, write=write, aside=aside, known=known, there=there)


@action("directory.load_pack")
def _apply(
    act: Act,
    *,
    what: Loadable,
    write: dict[str, dict],
    aside: dict[str, dict],
    known: dict[str, PackEntry],
    there: dict[str, dict],
) -> None:
    """Write what the pack says (载入资料包), and remember what was set aside."""
    act.check(policies.manage_units)
    for key, entry in write.items():
        ref = what.write(entry, Ref.parse(known[key].ref) if key in known else None)
        PackEntry.objects.update_or_create(
            kind=what.kind, key=key, defaults={"ref": str(ref), "applied": _print(entry), "refused": ""}
        )
        act.log(ref, kind=what.kind, key=key, applied=_print(entry))
    for key, entry in aside.items():
        row = known.get(key) or PackEntry(kind=what.kind, key=key, ref=f"pack:{what.kind}.{key}")
        row.refused = _print(entry)
        row.save()
        differing = [name for name in entry if there.get(key, {}).get(name) != entry[name]]
        act.log(Ref.parse(row.ref), kind=what.kind, key=key, set_aside=_print(entry), differing=differing)


def _common(row: object) -> dict:
    return {"source": row.source, "unconfirmed": row.unconfirmed, "to_confirm": row.to_confirm}


def _common_of(entry: dict, source: str) -> dict:
    unconfirmed = bool(entry.get("unconfirmed", False))
    return {
        "source": str(entry.get("source", source)),
        "unconfirmed": unconfirmed,
        "to_confirm": str(entry.get("to_confirm", "")) if unconfirmed else "",
    }


def _need(file: str, entry: dict, *names: str) -> None:
    for name in names:
        if name not in entry:
            raise PackError(f"资料包 {file}：条目 {entry.get('key') or entry!r} 缺少 {name}。")


# Units ----------------------------------------------------------------------------------------------------------------


def _unit_entries(file: dict) -> dict[str, dict]:
    """The entries of `units.toml`, checked: known kinds and parents, spells that join, one open end."""
    kinds, entries = dict(Unit.KINDS), {}
    for unit in file.get("unit", ()):
        _need("units.toml", unit, "key", "kind", "spell")
        key = unit["key"]
        if key in entries:
            raise PackError(f"资料包 units.toml：单位 {key} 出现两次。")
        if unit["kind"] not in kinds:
            raise PackError(
                f"资料包 units.toml：单位 {key} 的类型 {unit['kind']!r} 不认识，应为 {'、'.join(kinds)}。"
            )
        spells = []
        for spell in sorted(unit["spell"], key=lambda each: each.get("valid_from", date.min)):
            _need("units.toml", {"key": key, **spell}, "name", "valid_from")
            if spells and spells[-1]["valid_to"] != spell["valid_from"]:
                raise PackError(
                    f"资料包 units.toml：单位 {key} 在 {spell['valid_from']} 前后的沿革有重叠或空档。"
                )
            if spell.get("valid_to") and spell["valid_to"] <= spell["valid_from"]:
                raise PackError(f"资料包 units.toml：单位 {key} 的沿革 {spell['valid_from']} 止日早于起日。")
            spells.append(
                {
                    "name": spell["name"],
                    "short": spell.get("short", spell["name"]),
                    "code": spell.get("code", ""),
                    "parent": spell.get("parent", ""),
                    "valid_from": spell["valid_from"],
                    "valid_to": spell.get("valid_to"),
                    **_common_of(spell, file.get("source", "")),
                }
            )
        entries[key] = {
            "key": key,
            "kind": unit["kind"],
            "superior": unit.get("upper", ""),
            "aliases": sorted(set(unit.get("aliases", ()))),
            "spells": spells,
        }
    for key, entry in entries.items():
        for spell in entry["spells"]:
            if spell["parent"] and spell["parent"] not in entries:
                raise PackError(f"资料包 units.toml：单位 {key} 的上级 {spell['parent']!r} 不在文件里。")
    return entries


def _units_present(known: dict[str, PackEntry]) -> dict[str, dict]:
    keys = dict(Unit.objects.values_list("pk", "key"))
    found: dict[str, dict] = {
        unit.key: {"key": unit.key, "kind": unit.kind, "superior": unit.superior, "aliases": [], "spells": []}
        for unit in Unit.objects.all()
    }
    for alias in UnitAlias.objects.order_by("name"):
        found[keys[alias.unit_id]]["aliases"].append(alias.name)
    for spell in UnitSpell.objects.order_by("valid_from"):
        found[keys[spell.unit_id]]["spells"].append(
            {
                "name": spell.name,
                "short": spell.short_name,
                "code": spell.code,
                "parent": keys.get(spell.parent_id, ""),
                "valid_from": spell.valid_from,
                "valid_to": spell.valid_to,
                **_common(spell),
            }
        )
    for entry in found.values():
        entry["aliases"].sort()
    return found


def _write_unit(entry: dict, ref: Ref | None) -> Ref:
    unit, _ = Unit.objects.update_or_create(
        key=entry["key"], defaults={"kind": entry["kind"], "superior": entry["superior"]}
    )
    unit.spells.all().delete()
    unit.aliases.all().delete()
    for spell in entry["spells"]:
        parent = None
        if spell["parent"]:
            # A unit may stand in the file before its superior.
            parent, _ = Unit.objects.get_or_create(key=spell["parent"], defaults={"kind": Unit.DEPARTMENT})
        UnitSpell.objects.create(
            unit=unit,
            name=spell["name"],
            short_name=spell["short"],
            code=spell["code"],
            parent=parent,
            valid_from=spell["valid_from"],
            valid_to=spell["valid_to"],
            source=spell["source"],
            unconfirmed=spell["unconfirmed"],
            to_confirm=spell["to_confirm"],
        )
    for name in entry["aliases"]:
        UnitAlias.objects.create(unit=unit, name=name)
    bump()
    return unit.ref


def _succession_entries(file: dict, unit_keys: Iterable[str]) -> dict[str, dict]:
    entries = {}
    for row in file.get("succession", ()):
        _need("units.toml", row, "from", "to", "on")
        for name in ("from", "to"):
            if row[name] not in unit_keys:
                raise PackError(f"资料包 units.toml：承接里的单位 {row[name]!r} 不在文件里。")
        entries[f"{row['from']}>{row['to']}@{row['on']}"] = {
            "from": row["from"],
            "to": row["to"],
            "on": row["on"],
            "whole": bool(row.get("whole", "scope" not in row)),
            "scope": row.get("scope", ""),
            **_common_of(row, file.get("source", "")),
        }
    return entries


def _successions_present(known: dict[str, PackEntry]) -> dict[str, dict]:
    return {
        f"{row.predecessor.key}>{row.successor.key}@{row.on}": {
            "from": row.predecessor.key,
            "to": row.successor.key,
            "on": row.on,
            "whole": row.whole,
            "scope": row.scope,
            **_common(row),
        }
        for row in UnitSuccession.objects.select_related("predecessor", "successor")
    }


def _write_succession(entry: dict, ref: Ref | None) -> Ref:
    """The spells of the file already say who ended when; what happened before the loading is not announced again."""
    row, _ = UnitSuccession.objects.update_or_create(
        predecessor=Unit.objects.get(key=entry["from"]),
        successor=Unit.objects.get(key=entry["to"]),
        on=entry["on"],
        defaults={
            "whole": entry["whole"],
            "scope": entry["scope"],
            "source": entry["source"],
            "unconfirmed": entry["unconfirmed"],
            "to_confirm": entry["to_confirm"],
            "announced_at": now() if entry["on"] <= today() and not entry["unconfirmed"] else None,
        },
    )
    return row.ref


def _listed(value: str | list[str]) -> list[str]:
    """A key alone, or a list of keys."""
    return [value] if isinstance(value, str) else list(value)


# Sets -----------------------------------------------------------------------------------------------------------------


def _set_entries(file: dict, unit_keys: Iterable[str]) -> dict[str, dict]:
    kinds, entries = dict(Unit.KINDS), {}
    for row in file.get("set", ()):
        _need("unit_sets.toml", row, "key", "text")
        for name in ("under", "members", "except"):
            for key in _listed(row.get(name, ())):
                if key not in unit_keys:
                    raise PackError(
                        f"资料包 unit_sets.toml：集合 {row['key']} 的单位 {key!r} 不在 units.toml 里。"
                    )
        for kind in row.get("kinds", ()):
            if kind not in kinds:
                raise PackError(f"资料包 unit_sets.toml：集合 {row['key']} 的类型 {kind!r} 不认识。")
        entries[row["key"]] = {
            "key": row["key"],
            "expression": row["text"],
            "aliases": sorted(set(row.get("aliases", ()))),
            "mode": row.get("mode", UnitSet.ALL),
            "kinds": sorted(set(row.get("kinds", ()))),
            "under": sorted(set(_listed(row.get("under", ())))),
            "members": sorted(set(row.get("members", ()))),
            "except": sorted(set(row.get("except", ()))),
            "basis": row.get("basis", ""),
            **_common_of(row, file.get("source", "")),
        }
    return entries


_RULES = {"under": UnitSetRule.UNDER, "members": UnitSetRule.MEMBER, "except": UnitSetRule.EXCEPT}


def _sets_present(known: dict[str, PackEntry]) -> dict[str, dict]:
    names = {rule: name for name, rule in _RULES.items()}
    found: dict[int, dict] = {}
    for row in UnitSet.objects.all():
        found[row.pk] = {
            "key": row.key,
            "expression": row.expression,
            "aliases": [],
            "mode": row.mode,
            "kinds": [],
            "under": [],
            "members": [],
            "except": [],
            "basis": row.basis,
            **_common(row),
        }
    for alias in UnitSetAlias.objects.all():
        found[alias.unit_set_id]["aliases"].append(alias.expression)
    for rule in UnitSetRule.objects.select_related("unit"):
        if rule.rule == UnitSetRule.KIND:
            found[rule.unit_set_id]["kinds"].append(rule.kind)
        else:
            found[rule.unit_set_id][names[rule.rule]].append(rule.unit.key)
    for entry in found.values():
        for name in ("aliases", "kinds", *_RULES):
            entry[name].sort()
    return {entry["key"]: entry for entry in found.values()}


def _write_set(entry: dict, ref: Ref | None) -> Ref:
    row, _ = UnitSet.objects.update_or_create(
        key=entry["key"],
        defaults={
            name: entry[name]
            for name in ("expression", "mode", "basis", "source", "unconfirmed", "to_confirm")
        },
    )
    row.rules.all().delete()
    row.aliases.all().delete()
    for kind in entry["kinds"]:
        UnitSetRule.objects.create(unit_set=row, rule=UnitSetRule.KIND, kind=kind)
    for name, rule in _RULES.items():
        for key in entry[name]:
            UnitSetRule.objects.create(unit_set=row, rule=rule, unit=Unit.objects.get(key=key))
    for text in entry["aliases"]:
        UnitSetAlias.objects.create(unit_set=row, expression=text)
    bump()
    return row.ref


def load_units(pack: Pack) -> None:
    """Load units, successions and sets. Raises PackError naming file and entry."""
    file = pack.toml("units.toml")
    entries = _unit_entries(file)
    successions = _succession_entries(file, entries)
    sets = _set_entries(pack.toml("unit_sets.toml"), entries)
    _load(Loadable("unit", _units_present, _write_unit), entries)
    _load(Loadable("succession", _successions_present, _write_succession), successions)
    _load(Loadable("unit_set", _sets_present, _write_set), sets)


# Persons and posts ----------------------------------------------------------------------------------------------------


def _people_entries(file: dict) -> tuple[dict[str, dict], dict[str, dict], dict[str, dict]]:
    """Persons, posts with their holder, and stand-ins of `accounts.toml`."""
    units = set(Unit.objects.values_list("key", flat=True))
    persons, posts, deputies = {}, {}, {}
    for person in file.get("person", ()):
        _need("accounts.toml", person, "username", "name")
        username = person["username"]
        if username in persons:
            raise PackError(f"资料包 accounts.toml：用户名 {username} 出现两次。")
        persons[username] = {
            "username": username,
            "name": person["name"],
            "demo": bool(person.get("demo", False)),
        }
        for post in person.get("post", ()):
            _need("accounts.toml", post, "key", "unit", "title", "valid_from")
            if post["unit"] not in units:
                raise PackError(
                    f"资料包 accounts.toml：岗位 {post['key']} 的单位 {post['unit']!r} 不在 units.toml 里。"
                )
            for role in post.get("roles", ()):
                if role not in all_roles():
                    raise PackError(
                        f"资料包 accounts.toml：岗位 {post['key']} 的角色 {role!r} 没有程序声明过。"
                    )
            if post["key"] in posts:
                raise PackError(f"资料包 accounts.toml：岗位 {post['key']} 出现两次。")
            posts[post["key"]] = {
                "key": post["key"],
                "unit": post["unit"],
                "title": post["title"],
                "head": bool(post.get("head", False)),
                "roles": sorted(set(post.get("roles", ()))),
                "holder": username,
                "valid_from": post["valid_from"],
                "valid_to": post.get("valid_to"),
            }
    for row in file.get("deputy", ()):
        _need("accounts.toml", row, "post", "person", "valid_from", "valid_to")
        if row["post"] not in posts or row["person"] not in persons:
            raise PackError(
                f"资料包 accounts.toml：代理 {row['post']!r} ← {row['person']!r} 的岗位或人员不在文件里。"
            )
        deputies[f"{row['post']}<{row['person']}@{row['valid_from']}"] = {
            "post": row["post"],
            "person": row["person"],
            "valid_from": row["valid_from"],
            "valid_to": row["valid_to"],
            "reason": row.get("reason", ""),
        }
    return persons, posts, deputies


def person_ids() -> dict[str, int]:
    """{user name in the pack: id of the person it became}."""
    rows = PackEntry.objects.filter(kind="person", ref__startswith="person:")
    return {row.key: int(Ref.parse(row.ref).id) for row in rows}


def _persons_present(known: dict[str, PackEntry]) -> dict[str, dict]:
    rows = Person.objects.in_bulk(person_ids().values())
    return {
        username: {"username": username, "name": rows[pk].name, "demo": rows[pk].demo}
        for username, pk in person_ids().items()
        if pk in rows
    }


def _write_person(entry: dict, ref: Ref | None) -> Ref:
    person = Person.objects.get(pk=ref.id) if ref else Person()
    person.name, person.demo = entry["name"], entry["demo"]
    person.save()
    return person.ref


def _posts_present(known: dict[str, PackEntry]) -> dict[str, dict]:
    usernames = {pk: username for username, pk in person_ids().items()}
    found: dict[int, dict] = {}
    for post in Post.objects.select_related("unit"):
        found[post.pk] = {
            "key": post.key,
            "unit": post.unit.key,
            "title": post.title,
            "head": post.is_head,
            "roles": [],
            "holder": "",
            "valid_from": None,
            "valid_to": None,
        }
        if post.closed_on:
            found[post.pk]["closed_on"] = post.closed_on
    for role in PostRole.objects.order_by("role"):
        found[role.post_id]["roles"].append(role.role)
    for row in Holding.objects.order_by("valid_from"):
        found[row.post_id] |= {
            "holder": usernames.get(row.person_id, f"person:{row.person_id}"),
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
        }
    return {entry["key"]: entry for entry in found.values()}


def _write_post(entry: dict, ref: Ref | None) -> Ref:
    post, _ = Post.objects.update_or_create(
        key=entry["key"],
        defaults={
            "unit": Unit.objects.get(key=entry["unit"]),
            "title": entry["title"],
            "is_head": entry["head"],
        },
    )
    post.roles.all().delete()
    for role in entry["roles"]:
        PostRole.objects.create(post=post, role=role)
    holder = person_ids()[entry["holder"]]
    Holding.objects.filter(post=post).delete()
    Holding.objects.create(
        post=post, person_id=holder, valid_from=entry["valid_from"], valid_to=entry["valid_to"]
    )
    return post.ref


def _deputies_present(known: dict[str, PackEntry]) -> dict[str, dict]:
    usernames = {pk: username for username, pk in person_ids().items()}
    found = {}
    for row in Deputy.objects.select_related("post"):
        username = usernames.get(row.person_id, f"person:{row.person_id}")
        found[f"{row.post.key}<{username}@{row.valid_from}"] = {
            "post": row.post.key,
            "person": username,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
            "reason": row.reason,
        }
    return found


def _write_deputy(entry: dict, ref: Ref | None) -> Ref:
    row, _ = Deputy.objects.update_or_create(
        post=Post.objects.get(key=entry["post"]),
        person_id=person_ids()[entry["person"]],
        valid_from=entry["valid_from"],
        defaults={"valid_to": entry["valid_to"], "reason": entry["reason"]},
    )
    return row.ref


def load_people(pack: Pack) -> None:
    """Load persons, posts and stand-ins. A file marked ``demo`` is loaded in a demonstration only. Raises PackError."""
    file = pack.toml("accounts.toml")
    if file.get("demo") and demo_date() is None:
        return
    persons, posts, deputies = _people_entries(file)
    _load(Loadable("person", _persons_present, _write_person), persons)
    _load(Loadable("post", _posts_present, _write_post), posts)
    _load(Loadable("deputy", _deputies_present, _write_deputy), deputies)
