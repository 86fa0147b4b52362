"""SM2 signatures over SM3 with the default identity. gmssl-pyx signs; the system's libcrypto does where it is proven.

libcrypto (OpenSSL 3 and later) is some ten times faster. It is used after it has answered for itself in this process:
it must accept the standard's signature, refuse an altered one, and agree with gmssl-pyx both ways.
"""

import functools
import logging
from typing import Protocol

import gmssl_pyx
from gmssl_pyx import GmsslInnerError

from liangzhu.kernel.crypto.curve import DEFAULT_ID, N, check_public, from_der, public_of, to_der

log = logging.getLogger(__name__)

# GM/T 0003.5-2012, annex A.2: the standard's own signature, which an implementation must accept.
PROOF_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
PROOF_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
PROOF_MESSAGE = b"message digest"
PROOF_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


class Implementation(Protocol):
    """What signs and verifies. ``signature`` is DER (SEQUENCE of r and s); keys were checked before."""

    name: str

    def sign(self, private: bytes, public: bytes, message: bytes) -> bytes:
        """A signature."""

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether it holds."""


class Gmssl:
    """gmssl-pyx: the GmSSL library in a wheel, wherever Python runs."""

    name = "gmssl-pyx"

    def sign(self, private: bytes, public: bytes, message: bytes) -> bytes:
        """A signature."""
        return gmssl_pyx.sm2_sign(private, public[1:], message, DEFAULT_ID)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether it holds."""
        try:
            return gmssl_pyx.sm2_verify(public[1:], message, signature, DEFAULT_ID)
        except GmsslInnerError:
            return False


def generate_keypair() -> tuple[bytes, bytes]:
    """A fresh pair: private (32 bytes), public (65 bytes)."""
    public, private = gmssl_pyx.sm2_key_generate()
    return bytes(private), b"\x04" + bytes(public)


def sign(private: bytes, message: bytes) -> bytes:
    """Sign ``message`` with the default identity: 64 bytes, r and s. Raises WrongKey."""
    return from_der(_chosen().sign(private, public_of(private), message))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) is that of ``message`` by the owner of ``public``.

    Anything that is no signature is False. Raises WrongKey when ``public`` is no point of the curve.
    """
    check_public(public)
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    # t = r + s must not be 0 (GM/T 0003.2, 7.1 B4); libraries differ in whether they ask.
    if not (0 < r < N and 0 < s < N and (r + s) % N):
        return False
    return _chosen().verify(public, message, to_der(signature))


def implementation() -> str:
    """The name of what signs here: "gmssl-pyx", or the version of the system's libcrypto."""
    return _chosen().name


@functools.cache
def _chosen() -> Implementation:
    """The system's libcrypto when it is there and proves itself, else gmssl-pyx. Decided once a process."""
    sure = Gmssl()
    try:
        # Loads a shared library: only when the first signature is due.
        from liangzhu.kernel.crypto.libcrypto import Libcrypto

        fast = Libcrypto()
    except (OSError, AttributeError) as absent:
        log.info("SM2 by gmssl-pyx: %s", absent)
        return sure
    fault = disagreement(fast, sure)
    if fault:
        log.warning("SM2 by gmssl-pyx; %s is not used: %s", fast.name, fault)
        return sure
    return fast


def disagreement(fast: Implementation, sure: Implementation) -> str:
    """Why ``fast`` must not be used; empty when it answers as the standard and ``sure`` do."""
    proof, altered = to_der(PROOF_SIGNATURE), to_der(PROOF_SIGNATURE[:-1] + b"\x00")
    message = b"liangzhu self-check"
    try:
        own = fast.sign(PROOF_PRIVATE, PROOF_PUBLIC, message)
        other = sure.sign(PROOF_PRIVATE, PROOF_PUBLIC, message)
        answers = {
            "it refuses the signature of GM/T 0003.5": fast.verify(PROOF_PUBLIC, PROOF_MESSAGE, proof),
            "it accepts an altered signature": not fast.verify(PROOF_PUBLIC, PROOF_MESSAGE, altered),
            "it accepts another message": not fast.verify(PROOF_PUBLIC, PROOF_MESSAGE + b".", proof),
            "its signature is refused elsewhere": sure.verify(PROOF_PUBLIC, message, own),
            "it refuses another's signature": fast.verify(PROOF_PUBLIC, message, other),
        }
    except Exception as error:
        return f"its self-check broke off: {error}"
    return next((fault for fault, fine in answers.items() if not fine), "")
