"""Keeping the keys: a newer version for a purpose, another master key. `liangzhu keys` calls these."""

from liangzhu.kernel import keys, policies
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.models import Key
from liangzhu.kernel.refs import Ref


@action("kernel.rotate_key")
def rotate(act: Act, *, purpose: str) -> Key:
    """Make a newer key for a purpose; it signs and seals from now on, in other processes within `keys.FRESH_SECONDS`.

    What was computed with the old one and must match (blind indexes) is computed again in the same transaction; let
    nothing else run meanwhile: other processes go on with the old one. Raises NoSuchKey, WrongMasterKey.
    """
    act.check(policies.manage_keys)
    name = keys.purpose(purpose).name
    keys.current(name)
    # Locking the first version makes two rotations queue; each then counts from the newest.
    Key.objects.select_for_update().get(purpose=name, version=1)
    newest = Key.objects.filter(purpose=name).order_by("-version").first()
    row = keys.make(name, newest.version + 1)
    for rebuild in keys.rebuilds(name):
        rebuild()
    act.log(row.ref, purpose=name, version=row.version, public=bytes(row.public).hex())
    return row


@action("kernel.rewrap_keys")
def rewrap(act: Act) -> int:
    """Put every key under the present master key; returns how many were under another. Raises WrongMasterKey."""
    act.check(policies.manage_keys)
    present = next(iter(keys.masters()))
    rows = list(Key.objects.select_for_update().exclude(master=present).order_by("id"))
    for row in rows:
        keys.rewrap(row, keys.secret_of(row))
        row.save(update_fields=["wrapped", "master"])
    act.log(Ref("key", "master"), master=present, keys=[row.id_text for row in rows])
    return len(rows)
