"""SM2 through the system's libcrypto (OpenSSL 3 and later) by ctypes. `sm2` decides whether it is used.

Thread-safe: a key object is only read after it was made, each call has a context of its own, and ctypes lets other
threads run meanwhile.
"""

import ctypes
import functools
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_ulong, c_void_p

from liangzhu.kernel.crypto.curve import DEFAULT_ID

LIBRARIES = ("libcrypto.so.3", "libcrypto.so.4")
_KEYPAIR = 0x87  # EVP_PKEY_KEYPAIR: all parts of a key, public and private
_PUBLIC = 0x86  # EVP_PKEY_PUBLIC_KEY


class _Param(ctypes.Structure):
    """OSSL_PARAM."""

    _fields_ = [
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    ]


_UNSIGNED_INTEGER, _UTF8_STRING, _OCTET_STRING = 2, 4, 5


def _params(*given: tuple[bytes, int, bytes]) -> tuple[ctypes.Array, list]:
    """An OSSL_PARAM array and the buffers that must outlive its use."""
    array, buffers = (_Param * (len(given) + 1))(), []
    for place, (key, kind, data) in enumerate(given):
        buffer = ctypes.create_string_buffer(data, len(data))
        buffers.append(buffer)
        array[place] = _Param(key, kind, ctypes.cast(buffer, c_void_p), len(data), c_size_t(-1).value)
    return array, buffers


class _Key:
    """An EVP_PKEY that is freed with its last user."""

    def __init__(self, library: ctypes.CDLL, pointer: int):
        self.pointer = pointer
        self._free = library.EVP_PKEY_free

    def __del__(self):
        self._free(self.pointer)


class Libcrypto:
    """Signs and verifies. Raises OSError when the library is absent or too old, AttributeError when it lacks SM2."""

    def __init__(self):
        self.library = _load()
        self.name = self.library.OpenSSL_version(0).decode()
        self._private = functools.lru_cache(maxsize=64)(self._load_private)
        self._public = functools.lru_cache(maxsize=256)(self._load_public)

    def sign(self, private: bytes, public: bytes, message: bytes) -> bytes:
        """A signature in DER."""
        key = self._private(private, public)
        with _Context(self.library, key, signing=True) as context:
            length = c_size_t(128)
            signature = ctypes.create_string_buffer(length.value)
            done = self.library.EVP_DigestSign(context, signature, byref(length), message, len(message))
            if done != 1:
                raise OSError("libcrypto did not sign")
            return signature.raw[: length.value]

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether it holds."""
        key = self._public(public)
        with _Context(self.library, key, signing=False) as context:
            done = self.library.EVP_DigestVerify(context, signature, len(signature), message, len(message))
            if done != 1:
                # A refused signature leaves its reason in the thread's queue; others must not find it there.
                self.library.ERR_clear_error()
            return done == 1

    def _load_private(self, private: bytes, public: bytes) -> _Key:
        # Unsigned integers of OSSL_PARAM stand in the machine's byte order.
        number = int.from_bytes(private, "big").to_bytes(32, sys.byteorder)
        return self._make(
            _KEYPAIR,
            (b"group", _UTF8_STRING, b"SM2"),
            (b"pub", _OCTET_STRING, public),
            (b"priv", _UNSIGNED_INTEGER, number),
        )

    def _load_public(self, public: bytes) -> _Key:
        return self._make(_PUBLIC, (b"group", _UTF8_STRING, b"SM2"), (b"pub", _OCTET_STRING, public))

    def _make(self, selection: int, *given: tuple[bytes, int, bytes]) -> _Key:
        context = self.library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        if not context:
            raise OSError("libcrypto knows no SM2")
        try:
            params, buffers = _params(*given)
            pointer = c_void_p()
            if (
                self.library.EVP_PKEY_fromdata_init(context) != 1
                or self.library.EVP_PKEY_fromdata(context, byref(pointer), selection, params) != 1
            ):
                raise OSError("libcrypto did not take the key")
            del buffers
            return _Key(self.library, pointer.value)
        finally:
            self.library.EVP_PKEY_CTX_free(context)


class _Context:
    """An EVP_MD_CTX over SM3 with the default identity, freed at the end of the block."""

    def __init__(self, library: ctypes.CDLL, key: _Key, *, signing: bool):
        self.library, self.key = library, key
        self.start = library.EVP_DigestSignInit if signing else library.EVP_DigestVerifyInit

    def __enter__(self) -> int:
        library = self.library
        self.pkey_context = library.EVP_PKEY_CTX_new_from_pkey(None, self.key.pointer, None)
        self.context = library.EVP_MD_CTX_new()
        # The identity must be known before the digest begins: Z is hashed first.
        if (
            not self.pkey_context
            or not self.context
            or library.EVP_PKEY_CTX_set1_id(self.pkey_context, DEFAULT_ID, len(DEFAULT_ID)) != 1
        ):
            self.__exit__()
            raise OSError("libcrypto did not take the identity")
        library.EVP_MD_CTX_set_pkey_ctx(self.context, self.pkey_context)
        if self.start(self.context, None, library.EVP_sm3(), None, self.key.pointer) != 1:
            self.__exit__()
            raise OSError("libcrypto did not begin")
        return self.context

    def __exit__(self, *exception) -> None:
        self.library.EVP_MD_CTX_free(self.context)
        self.library.EVP_PKEY_CTX_free(self.pkey_context)


def _load() -> ctypes.CDLL:
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        _declare(library)
        if library.OpenSSL_version_num() >= 0x30000000:
            return library
    raise OSError(f"none of {', '.join(LIBRARIES)} is here")


def _declare(library: ctypes.CDLL) -> None:
    pointer, text, size = c_void_p, c_char_p, c_size_t
    for name, result, *arguments in [
        ("OpenSSL_version_num", c_ulong),
        ("OpenSSL_version", text, c_int),
        ("EVP_sm3", pointer),
        ("EVP_PKEY_CTX_new_from_name", pointer, pointer, text, text),
        ("EVP_PKEY_CTX_new_from_pkey", pointer, pointer, pointer, text),
        ("EVP_PKEY_CTX_free", None, pointer),
        ("EVP_PKEY_CTX_set1_id", c_int, pointer, text, c_int),
        ("EVP_PKEY_fromdata_init", c_int, pointer),
        ("EVP_PKEY_fromdata", c_int, pointer, POINTER(pointer), c_int, pointer),
        ("EVP_PKEY_free", None, pointer),
        ("EVP_MD_CTX_new", pointer),
        ("EVP_MD_CTX_free", None, pointer),
        ("EVP_MD_CTX_set_pkey_ctx", None, pointer, pointer),
        ("EVP_DigestSignInit", c_int, pointer, pointer, pointer, pointer, pointer),
        ("EVP_DigestVerifyInit", c_int, pointer, pointer, pointer, pointer, pointer),
        ("EVP_DigestSign", c_int, pointer, pointer, POINTER(size), text, size),
        ("EVP_DigestVerify", c_int, pointer, text, size, text, size),
        ("ERR_clear_error", None),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
