"""The tiles of the tree in the database."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from django.db.models import Q

from liangzhu.kernel.log.tree import Tile
from liangzhu.kernel.models import LogTile


def read_tiles(wanted: Iterable[Tile]) -> dict[Tile, bytes]:
    """The tiles that are there, in one query."""
    places = [Q(level=level, index=index) for level, index in wanted]
    if not places:
        return {}
    rows = LogTile.objects.filter(reduce(or_, places)).values_list("level", "index", "hashes")
    return {(level, index): bytes(hashes) for level, index, hashes in rows}


def write_tiles(changed: Mapping[Tile, bytes]) -> None:
    """Write new tiles and those that grew."""
    LogTile.objects.bulk_create(
        [LogTile(level=level, index=index, hashes=hashes) for (level, index), hashes in changed.items()],
        update_conflicts=True,
        unique_fields=["level", "index"],
        update_fields=["hashes"],
    )
