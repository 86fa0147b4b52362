"""Generating staff: posts in every unit of the district, and the persons who hold them."""

from datetime import date

from liangzhu.beams.people.directory import policies
from liangzhu.beams.people.directory.models import Holding, Person, Post, PostRole, Unit
from liangzhu.beams.people.directory.tree import units
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.generating import MADE_UP, Book, District, generator, made_up_name
from liangzhu.kernel.refs import Ref

RESIDENTS_PER_STAFF = 150
"""Residents for one member of staff who works with the program; at least two in every unit."""

_WEIGHTS = {
    "government_department": 5,
    "government_office": 3,
    "city_branch": 4,
    "town": 6,
    "street": 6,
    "zone_office": 2,
    "farm_or_park": 2,
    "public_institution": 3,
}
"""How many of the staff work in a unit of a kind, against 1 elsewhere."""

_IDLE = {Unit.GOVERNMENT, "collective", "command_group"}
"""Kinds of units that hold no work of their own."""

_SECTIONS = ("综合科", "业务一科", "业务二科", "审批科", "督查科", "信息科", "法规科", "便民服务中心")


def _exists(district: District) -> bool:
    return Post.objects.filter(key__startswith="gen.").exists()


@generator("directory.staff", order=10, done=_exists)
def staff(district: District) -> None:
    """Officers and one deputy head for each working unit, in proportion to the district's size."""
    generate_staff(SYSTEM, district=district)


@action("directory.generate_staff")
def generate_staff(act: Act, *, district: District) -> None:
    """Fill the units with made-up persons (生成虚构人员)."""
    act.check(policies.manage_people)
    rng = district.random("staff")
    tree = units()
    working = [unit for unit in tree.all() if unit.kind not in _IDLE]
    whole = sum(_WEIGHTS.get(unit.kind, 1) for unit in working)
    book = Book(rng)
    count = 0
    for unit in working:
        share = district.people / RESIDENTS_PER_STAFF * _WEIGHTS.get(unit.kind, 1) / whole
        for number in range(max(2, round(share))):
            head = number == 0
            section = _SECTIONS[number % len(_SECTIONS)]
            count += 1
            person = book[Person].add(name=made_up_name(rng) + MADE_UP, demo=True)
            post = book[Post].add(
                key=f"gen.{count:05d}",
                unit_id=unit.id,
                title="分管负责人" if head else f"{section} 承办人",
                is_head=False,
            )
            book[PostRole].add(post_id=post, role="matters.head" if head else "matters.officer")
            book[Holding].add(post_id=post, person_id=person, valid_from=date(2015, 1, 1))
    book.write()
    act.log(Ref("district", str(district.seed)), persons=count, units=len(working), made_up=True)
    district.say(f"人员和岗位：{count} 个，分在 {len(working)} 个单位")
