"""The tables of this app."""

from liangzhu.beams.people.directory.models.pack import PackEntry
from liangzhu.beams.people.directory.models.people import Deputy, Holding, Person, Post, PostRole
from liangzhu.beams.people.directory.models.units import (
    TreeVersion,
    Unit,
    UnitAlias,
    UnitSet,
    UnitSetAlias,
    UnitSetRule,
    UnitSpell,
    UnitSuccession,
)

__all__ = [
    "Deputy",
    "Holding",
    "PackEntry",
    "Person",
    "Post",
    "PostRole",
    "TreeVersion",
    "Unit",
    "UnitAlias",
    "UnitSet",
    "UnitSetAlias",
    "UnitSetRule",
    "UnitSpell",
    "UnitSuccession",
]
