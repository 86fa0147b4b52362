"""Generating accounts for the staff of a generated district, with the demonstration's published password."""

from datetime import datetime

from django.contrib.auth.hashers import make_password

from liangzhu.beams.people.access import policies
from liangzhu.beams.people.access.loaders import demo_password
from liangzhu.beams.people.access.models import Account
from liangzhu.beams.people.access.queries import GENERATED
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.generating import Book, District, generator
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref


def _exists(district: District) -> bool:
    return Account.objects.filter(username__startswith=GENERATED).exists()


@generator("access.accounts", order=20, done=_exists)
def accounts(district: District) -> None:
    """One account for everybody who holds a generated post, so that any of them can be tried."""
    generate_accounts(SYSTEM, seed=district.seed, created=district.first)


@action("access.generate_accounts")
def generate_accounts(act: Act, *, seed: int, created: datetime) -> None:
    """Open an account for each person who has a post and none yet (生成虚构账号)."""
    act.check(policies.manage)
    known = set(Account.objects.values_list("person_id", flat=True))
    persons = sorted({view.person_id for view in directory.posts() if view.person_id} - known)
    # One hash for all: the password is public, and a thousand hashes would take a minute.
    password = make_password(demo_password(pack()))
    book = Book(None)
    for place, person in enumerate(persons, 1):
        book[Account].add(
            username=f"{GENERATED}{place:05d}",
            person_id=person,
            demo=True,
            password=password,
            created=created,
        )
    book.write()
    act.log(Ref("district", str(seed)), accounts=len(persons), made_up=True)
