"""The curve of SM2 (GM/T 0003.5-2012): its numbers, checked keys, and the two ways to write a signature."""

import functools

from liangzhu.kernel.crypto.errors import WrongKey

DEFAULT_ID = b"1234567812345678"
"""The signer's identity where none was agreed (GM/T 0009-2012, 10)."""

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
"""The recommended curve (GM/T 0003.5-2012)."""


@functools.lru_cache(maxsize=256)
def check_public(public: bytes) -> None:
    """Raise WrongKey unless ``public`` is 0x04, x, y of a point of the curve."""
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if len(public) != 65 or public[0] != 4 or x >= P or y >= P or (y * y - (x**3 + A * x + B)) % P:
        raise WrongKey("an SM2 public key is 65 bytes, 0x04, x and y, of a point of the curve")


@functools.lru_cache(maxsize=64)
def public_of(private: bytes) -> bytes:
    """The public key of a private one. Raises WrongKey unless that is 32 bytes, a number from 1 to n - 2.

    Plain arithmetic, some milliseconds, not constant in time: it is done once for a key and remembered.
    """
    number = int.from_bytes(private, "big")
    if len(private) != 32 or not 1 <= number <= N - 2:
        raise WrongKey("an SM2 private key is 32 bytes, a number from 1 to n - 2")
    point, double = None, G
    while number:
        if number & 1:
            point = _add(point, double)
        double = _add(double, double)
        number >>= 1
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _add(one: tuple[int, int] | None, two: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points. Multiples of G below n never meet their negative, so that infinity does not come up."""
    if one is None:
        return two
    (x1, y1), (x2, y2) = one, two
    rise, run = (3 * x1 * x1 + A, 2 * y1) if one == two else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def to_der(signature: bytes) -> bytes:
    """r and s (64 bytes) as the DER sequence that libraries speak (GM/T 0009)."""
    body = b"".join(_integer(signature[at : at + 32]) for at in (0, 32))
    return b"\x30" + bytes([len(body)]) + body


def _integer(number: bytes) -> bytes:
    number = number.lstrip(b"\x00") or b"\x00"
    if number[0] & 0x80:
        number = b"\x00" + number
    return b"\x02" + bytes([len(number)]) + number


def from_der(signature: bytes) -> bytes:
    """The 64 bytes r and s of a DER signature. Raises ValueError when it is none."""
    parts, rest = [], signature[2:]
    if signature[:1] != b"\x30" or signature[1] != len(rest):
        raise ValueError("not a DER signature")
    while rest:
        length = rest[1]
        parts.append(int.from_bytes(rest[2 : 2 + length], "big").to_bytes(32, "big"))
        rest = rest[2 + length :]
    if len(parts) != 2:
        raise ValueError("not a DER signature")
    return b"".join(parts)
