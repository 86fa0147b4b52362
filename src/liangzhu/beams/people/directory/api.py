"""The front door of this app."""

from liangzhu.beams.people.directory.actions import appoint
from liangzhu.beams.people.directory.fields import PersonField, UnitField, UnitsField
from liangzhu.beams.people.directory.links import add_person_link
from liangzhu.beams.people.directory.loaders import load_people, load_units, person_ids
from liangzhu.beams.people.directory.queries import person_names, persons, with_posts
from liangzhu.beams.people.directory.roles import all_roles, clashes, declare_role, does_business, role_title
from liangzhu.beams.people.directory.staff import (
    PostView,
    Staff,
    post,
    posts,
    posts_open_to,
    staff,
    vacant_post,
)
from liangzhu.beams.people.directory.tree import (
    AmbiguousUnit,
    SetView,
    UnitTree,
    UnitView,
    UnknownUnit,
    expand_set,
    kind_title,
    pinned,
    resolve_unit,
    set_expressions,
    successor,
    unit_name,
    units,
)

__all__ = [
    "AmbiguousUnit",
    "PersonField",
    "PostView",
    "SetView",
    "Staff",
    "UnitField",
    "UnitTree",
    "UnitView",
    "UnitsField",
    "UnknownUnit",
    "add_person_link",
    "all_roles",
    "appoint",
    "clashes",
    "declare_role",
    "does_business",
    "expand_set",
    "kind_title",
    "load_people",
    "load_units",
    "person_ids",
    "person_names",
    "persons",
    "pinned",
    "post",
    "posts",
    "posts_open_to",
    "resolve_unit",
    "role_title",
    "set_expressions",
    "staff",
    "successor",
    "unit_name",
    "units",
    "vacant_post",
    "with_posts",
]
