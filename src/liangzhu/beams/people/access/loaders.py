"""Loading the accounts of the district's pack: a demonstration only."""

from django.contrib.auth.hashers import make_password

from liangzhu.beams.people.access.actions import load_demo_accounts
from liangzhu.beams.people.access.models import Account
from liangzhu.beams.people.directory.api import person_ids
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import demo_date
from liangzhu.kernel.pack import Pack, PackError


def demo_password(pack: Pack) -> str:
    """The password of all accounts of the demonstration; the sign-in page shows it. Raises PackError."""
    try:
        return pack.toml("accounts.toml")["demo_password"]
    except KeyError:
        raise PackError("资料包 accounts.toml 缺少 demo_password（演示账号的共同口令）。") from None


def load_accounts(pack: Pack) -> None:
    """Open the accounts of the pack's persons, if the program stands on a demonstration day; accounts that exist stay.

    Accounts of a real installation are opened by its administrators, one by one.
    """
    if demo_date() is None:
        return
    persons = person_ids()
    listed = [row["username"] for row in pack.toml("accounts.toml").get("person", ()) if row.get("demo")]
    known = set(Account.objects.filter(username__in=listed).values_list("username", flat=True))
    wanted = {username: persons[username] for username in listed if username not in known}
    if wanted:
        # One hash for all: the password is public anyway, and sixty of them would take longer than all else.
        load_demo_accounts(SYSTEM, persons=wanted, password=make_password(demo_password(pack)))
