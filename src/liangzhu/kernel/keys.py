"""Keys by purpose, with versions: the newest signs and seals, every older one verifies and opens for ever.

The secret part of each stands in the database under the master key (主密钥), which comes from the environment or lies
in the home (`settings.LIANGZHU_MASTER_KEYS`). Rotating and rewrapping are actions: `kernel.keyring`.

    signature = keys.sign("log", head)              # Signature(key_id="log:1", signature=64 bytes)
    keys.verify("log:1", head, signature.signature)
    keys.blind("person.number", "32070519...")      # the same text for the same value; no way back without the key
"""

import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - a key is as old as it is, also in a demonstration

from liangzhu.kernel import crypto
from liangzhu.kernel.errors import Problem

SM2, SM4, HMAC, P256, RSA = "sm2", "sm4", "hmac", "p256", "rsa"
_SIZES = {SM4: 16, HMAC: 32}
_PAIRS = {SM2: crypto.generate_keypair, P256: crypto.generate_p256_keypair, RSA: crypto.generate_rsa_keypair}

FRESH_SECONDS = 30
"""How long a process may go on with a version after another process made a newer one."""


class WrongMasterKey(Problem):
    """The master key in the settings is not the one that wraps the keys of this database."""

    code, title, status = "wrong_master_key", "主密钥不对", 500


class NoSuchKey(Problem):
    """A signature or a sealed value names a key that this database does not hold."""

    code, title, status = "no_such_key", "没有这个密钥", 500


@dataclass(frozen=True)
class Purpose:
    """What a key is for."""

    name: str
    kind: str
    title: str


@dataclass(frozen=True)
class Signature:
    """Who signed (the key's id, "log:1") and the signature, 64 bytes."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, repr=False)
class Material:
    """A key ready for use. Its repr tells no secret."""

    purpose: str
    version: int
    secret: bytes
    public: bytes

    @property
    def id(self) -> str:
        """What signatures name it by."""
        return f"{self.purpose}:{self.version}"

    def __repr__(self) -> str:
        return f"<key {self.id}>"


_purposes: dict[str, Purpose] = {}
_families: dict[str, Purpose] = {}
_rebuilds: dict[str, list[Callable[[], None]]] = {}

# Both caches hold committed rows only: a key made in a transaction that is rolled back never was.
_materials: dict[tuple[str, int], Material] = {}
_current: dict[str, tuple[float, Material]] = {}
_uncommitted: set[tuple[str, int]] = set()


def declare(name: str, kind: str, title: str) -> Purpose:
    """Declare a purpose; its first key is made when the database is built."""
    if name in _purposes:
        raise ValueError(f"key purpose {name} is declared twice")
    _purposes[name] = Purpose(name, kind, title)
    return _purposes[name]


def declare_family(name: str, kind: str, title: str) -> None:
    """Declare purposes that come with the things they belong to: "stamp/12" is one of the family "stamp".

    The first key of a member is made when it is first used.
    """
    if name in _families:
        raise ValueError(f"key family {name} is declared twice")
    _families[name] = Purpose(name, kind, title)


declare("log", SM2, "签署日志")
declare("seal", SM4, "加密数据")
declare("blind", HMAC, "盲索引")


def purposes() -> dict[str, Purpose]:
    """Every declared purpose by name."""
    return dict(_purposes)


def purpose(name: str) -> Purpose:
    """The purpose of that name. Raises NoSuchKey."""
    family, _, member = name.partition("/")
    if family in _families and member.isalnum():
        return Purpose(name, _families[family].kind, f"{_families[family].title} {member}")
    if name not in _purposes:
        raise NoSuchKey(f"没有名为 {name} 的密钥用途。", todo=f"可用：{'、'.join(_purposes)}。")
    return _purposes[name]


# Use ------------------------------------------------------------------------------------------------------------------


def sign(name: str, message: bytes) -> Signature:
    """Sign with the newest key of a purpose (SM2)."""
    key = current(name)
    return Signature(key.id, crypto.sign(key.secret, message))


def verify(key_id: str, message: bytes, signature: bytes) -> bool:
    """Whether a signature by that key holds. Raises NoSuchKey."""
    return crypto.verify(public(key_id), message, signature)


def public(key_id: str) -> bytes:
    """The public key (65 bytes) of a key's id. Raises NoSuchKey."""
    name, _, version = key_id.partition(":")
    if not version.isdecimal():
        raise NoSuchKey(f"“{key_id}”不是密钥的编号，应像 log:1。")
    return material(name, int(version)).public


def blind(what: str, value: str) -> str:
    """The blind index (盲索引) of a value: 16 hexadecimal characters, equal for equal values of the same ``what``.

    It answers equality only. Who calls it brings the value into one form first.
    """
    return crypto.hmac_sm3(_part(current("blind").secret, what), value.encode())[:8].hex()


def wrap(data_key: bytes, aad: bytes) -> bytes:
    """A data key under the newest sealing key: its version (2 bytes) and the sealed key."""
    key = current("seal")
    return key.version.to_bytes(2, "big") + crypto.seal(key.secret, data_key, aad)


@functools.lru_cache(maxsize=8192)
def unwrap(wrapped: bytes, aad: bytes) -> bytes:
    """The data key. Remembered by its wrapped bytes: another key has others, a destroyed one has none."""
    return crypto.unseal(material("seal", int.from_bytes(wrapped[:2], "big")).secret, wrapped[2:], aad)


def column_key(place: str, version: int | None = None) -> tuple[int, bytes]:
    """The installation's own key for one column, as (version, key); the newest version when none is given.

    Each column has its own, derived: one key seals no more than 2**32 values.
    """
    key = current("seal") if version is None else material("seal", version)
    return key.version, _part(key.secret, place)[:16]


@functools.lru_cache(maxsize=4096)
def _part(secret: bytes, what: str) -> bytes:
    return crypto.hmac_sm3(secret, b"liangzhu " + what.encode())


# Rows -----------------------------------------------------------------------------------------------------------------


def _keys():
    # By name: the tables with sealed columns stand above this module.
    return apps.get_model("kernel", "Key").objects


def current(name: str) -> Material:
    """The newest key of a purpose; the first is made when there is none yet, by one process however many ask."""
    known = _current.get(name)
    if known and known[0] > time.monotonic():
        return known[1]
    row = _keys().filter(purpose=purpose(name).name).order_by("-version").first() or make(name, 1)
    found = _open(row)
    if (name, row.version) not in _uncommitted:
        # Blind indexes are rotated while nothing else runs; a page that searches should not ask each half minute.
        lasting = float("inf") if purpose(name).kind == HMAC else FRESH_SECONDS
        _current[name] = (time.monotonic() + lasting, found)
    return found


def material(name: str, version: int) -> Material:
    """One version of a purpose. Raises NoSuchKey."""
    known = _materials.get((name, version))
    if known:
        return known
    row = _keys().filter(purpose=name, version=version).first()
    if row is None:
        raise NoSuchKey(
            f"数据库里没有密钥 {name}:{version}。", todo="请核对数据库是否完整，或用同一次备份恢复全部数据。"
        )
    return _open(row)


def make(name: str, version: int):
    """The row of a version, made here unless another process made it first."""
    kind = purpose(name).kind
    secret, own = _PAIRS[kind]() if kind in _PAIRS else (os.urandom(_SIZES[kind]), b"")
    model = apps.get_model("kernel", "Key")
    row = model(purpose=name, version=version, public=own, created_at=machine_now())
    rewrap(row, secret)
    # Whoever comes second waits for the first transaction, inserts nothing, and reads the first one's row.
    model.objects.bulk_create([row], ignore_conflicts=True)
    place = (name, version)
    if transaction.get_connection().in_atomic_block:
        _uncommitted.add(place)
        transaction.on_commit(lambda: _uncommitted.discard(place))
    _current.pop(name, None)
    transaction.on_commit(lambda: _current.pop(name, None))
    return model.objects.get(purpose=name, version=version)


def make_first_keys() -> None:
    """Make sure that every purpose has a key: run after the database was built. Remembers nothing from before."""
    forget_cached()
    for name in _purposes:
        current(name)


def forget_cached() -> None:
    """Forget every key of this process."""
    _materials.clear()
    _current.clear()
    _uncommitted.clear()
    unwrap.cache_clear()


def _open(row) -> Material:
    place = (row.purpose, row.version)
    known = _materials.get(place)
    if known:
        return known
    found = Material(row.purpose, row.version, secret_of(row), bytes(row.public))
    if place not in _uncommitted:
        _materials[place] = found
    return found


# The master key -------------------------------------------------------------------------------------------------------


def fingerprint(master: bytes) -> str:
    """What a master key is told apart by: 8 hexadecimal characters that say nothing about it."""
    return crypto.hmac_sm3(master, b"liangzhu master key")[:4].hex()


def masters() -> dict[str, bytes]:
    """The master keys of the settings by fingerprint; the first one wraps, the others still open."""
    return {fingerprint(key): key for key in settings.LIANGZHU_MASTER_KEYS}


def rewrap(row, secret: bytes) -> None:
    """Put a key's secret part under the present master key; the caller saves the row."""
    row.master, master = next(iter(masters().items()))
    row.wrapped = crypto.seal(master, secret, _place(row))


def secret_of(row) -> bytes:
    """The secret part of a row. Raises WrongMasterKey, Tampered."""
    master = masters().get(row.master)
    if master is None:
        raise WrongMasterKey(
            f"数据库的密钥由指纹为 {row.master} 的主密钥保护，现在设置的是 {'、'.join(masters())}。",
            todo="请恢复原来的 LIANGZHU_MASTER_KEY；要更换时，把原来的写在 LIANGZHU_OLD_MASTER_KEY，再运行 liangzhu keys rewrap。",
        )
    return crypto.unseal(master, bytes(row.wrapped), _place(row))


def _place(row) -> bytes:
    return f"key {row.purpose}:{row.version}".encode() + bytes(row.public)


# Rotation -------------------------------------------------------------------------------------------------------------


def on_rotation(name: str, rebuild: Callable[[], None]) -> None:
    """Have ``rebuild`` called in the transaction that rotates a purpose whose old values cannot be used beside new ones:
    blind indexes are computed again with the new key.
    """
    _rebuilds.setdefault(purpose(name).name, []).append(rebuild)


def rebuilds(name: str) -> list[Callable[[], None]]:
    """What has to be computed again when a purpose is rotated."""
    return list(_rebuilds.get(name, ()))
