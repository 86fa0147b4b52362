"""Who issues the programme's papers and who receives them, as the district's pack says."""

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.pack import pack


def office_name() -> str:
    """The office of the leading group (领导小组办公室) with the district's name before it, as a mark and a signature have it."""
    district = pack().district
    name, own = district["programme_office"]["name"], district["name"]
    # 区… means the district's own: written out, the name of the district takes the place of that character.
    return f"{own[:-1]}{name}" if name.startswith(own[-1]) else name


def office_unconfirmed() -> str:
    """What has to be confirmed about the office, empty when nothing."""
    office = pack().district["programme_office"]
    return office.get("to_confirm", "") if office.get("unconfirmed") else ""


def superiors() -> tuple[str, ...]:
    """Whom the office reports to: the district's party committee, and the leading group."""
    tree = directory.units()
    group = tree.by_key(pack().district["programme_office"]["leading_group"])
    committees = [unit for unit in tree.all() if unit.kind == "party_body" and unit.parent_id is None]
    return tuple(unit.short or unit.name for unit in [*committees, group] if unit)
