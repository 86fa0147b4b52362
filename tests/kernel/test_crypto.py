"""The cryptography: the standards' own vectors, two implementations against each other, and every wrong turn named."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash
from hypothesis import given, settings
from hypothesis import strategies as st

from liangzhu.kernel import crypto
from liangzhu.kernel.crypto import curve, sm2
from liangzhu.kernel.crypto.libcrypto import Libcrypto

messages = st.binary(max_size=400)
keys = st.binary(min_size=16, max_size=16)


def libcrypto() -> Libcrypto:
    try:
        return Libcrypto()
    except (OSError, AttributeError) as absent:
        pytest.skip(f"no libcrypto with SM2 here: {absent}")


def cases(file: Path) -> list[dict[str, str]]:
    """The blocks of a vector file, as key to value; comments and keys in PEM are left out."""
    blocks = file.read_text().split("\n\n")
    pairs = [
        [line.partition(" = ")[::2] for line in block.splitlines() if " = " in line and line[0] != "#"]
        for block in blocks
    ]
    return [dict(found) for found in pairs if found]


def value(text: str) -> bytes:
    return text[1:-1].encode() if text.startswith('"') else bytes.fromhex(text)


class TestStandards:
    """domain: GM/T 0003.5, GM/T 0004, GB/T 32907, RFC 8998."""

    def test_sm3(self):
        assert crypto.sm3_hex(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        assert crypto.sm3(b"abcd" * 16).hex() == (
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        )

    def test_sm2_derives_the_public_key_of_the_standard(self):
        assert crypto.public_of(sm2.PROOF_PRIVATE) == sm2.PROOF_PUBLIC

    @pytest.mark.parametrize("make", [sm2.Gmssl, libcrypto])
    def test_sm2_accepts_the_signature_of_the_standard_and_no_other(self, make):
        one = make()
        signature = curve.to_der(sm2.PROOF_SIGNATURE)
        assert one.verify(sm2.PROOF_PUBLIC, sm2.PROOF_MESSAGE, signature)
        assert not one.verify(sm2.PROOF_PUBLIC, b"message digest.", signature)
        assert sm2.disagreement(one, sm2.Gmssl()) == ""

    def test_sm4_gcm_of_rfc_8998(self):
        nonce, aad = (
            bytes.fromhex("00001234567800000000abcd"),
            bytes.fromhex("feedfacedeadbeef" * 2 + "abaddad2"),
        )
        key = bytes.fromhex("0123456789abcdeffedcba9876543210")
        sealed = bytes.fromhex(
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
            "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
            "83de3541e4c2b58177e065a9bf7b62ec"
        )
        plain = b"".join(bytes([byte]) * 8 for byte in bytes.fromhex("aabbccddeeffeeaa"))
        assert crypto.unseal(key, nonce + sealed, aad) == plain

    def test_the_vector_files(self, shared):
        folder = shared / "data" / "sm_vectors" / "tongsuo"
        digests = [case for case in cases(folder / "evpmd_sm3.txt") if case.get("Digest") == "SM3"]
        assert len(digests) >= 3
        for case in digests:
            assert crypto.sm3(value(case["Input"])) == value(case["Output"])
        macs = [case for case in cases(folder / "evpmac_sm3.txt") if case.get("Algorithm") == "SM3"]
        long_enough = [case for case in macs if len(value(case["Key"])) >= 16]
        assert len(long_enough) >= 3
        for case in long_enough:
            assert crypto.hmac_sm3(value(case["Key"]), value(case["Input"])) == value(case["Output"])
        sealed = [case for case in cases(folder / "evpciph_sm4.txt") if case.get("Cipher") == "SM4-GCM"]
        assert sealed
        for case in sealed:
            blob = value(case["IV"]) + value(case["Ciphertext"]) + value(case["Tag"])
            assert crypto.unseal(value(case["Key"]), blob, value(case["AAD"])) == value(case["Plaintext"])


class TestAgreement:
    @given(messages)
    def test_sm3_is_that_of_others(self, message):
        judge = Hash(SM3())
        judge.update(message)
        assert crypto.sm3(message) == judge.finalize()
        if "sm3" in hashlib.algorithms_available:
            assert crypto.sm3(message) == hashlib.new("sm3", message).digest()

    @given(st.binary(min_size=16, max_size=90), messages)
    def test_hmac_is_that_of_others(self, key, message):
        assert crypto.hmac_sm3(key, message) == gmssl_pyx.sm3_hmac(key, message)

    @given(keys, st.binary(min_size=1, max_size=400), st.binary(max_size=40))
    def test_sm4_gcm_is_that_of_others(self, key, plain, aad):
        blob = crypto.seal(key, plain, aad)
        assert gmssl_pyx.sm4_gcm_decrypt(key, blob[:12], aad, blob[12:-16], blob[-16:]) == plain
        sealed, tag = gmssl_pyx.sm4_gcm_encrypt(key, blob[:12], aad, plain)
        assert crypto.unseal(key, blob[:12] + sealed + tag, aad) == plain

    @settings(max_examples=40)
    @given(messages)
    def test_each_sm2_accepts_the_other(self, message):
        fast, sure = libcrypto(), sm2.Gmssl()
        private, public = crypto.generate_keypair()
        assert sure.verify(public, message, fast.sign(private, public, message))
        assert fast.verify(public, message, sure.sign(private, public, message))

    @settings(max_examples=25)
    @given(st.data(), messages)
    def test_both_sm2_refuse_the_same(self, data, message):
        fast, sure = libcrypto(), sm2.Gmssl()
        private, public = crypto.generate_keypair()
        signature = crypto.sign(private, message)
        place = data.draw(st.integers(0, 511))
        altered = bytearray(signature)
        altered[place // 8] ^= 1 << place % 8
        for one in (fast, sure):
            assert not one.verify(public, message, curve.to_der(bytes(altered)))
            assert not one.verify(public, message + b"x", curve.to_der(signature))

    @settings(max_examples=15)
    @given(st.integers(1, curve.N - 2))
    def test_the_public_key_of_any_private_key_verifies(self, number):
        private = number.to_bytes(32, "big")
        assert crypto.verify(crypto.public_of(private), b"m", crypto.sign(private, b"m"))

    @pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
    def test_the_command_openssl_knows_the_same_digest(self):
        done = subprocess.run(["openssl", "dgst", "-sm3", "-r"], input=b"liangzhu", capture_output=True)
        if done.returncode:
            pytest.skip("this openssl has no SM3")
        assert done.stdout.split()[0].decode() == crypto.sm3_hex(b"liangzhu")


class TestSignature:
    PRIVATE, PUBLIC = crypto.generate_keypair()

    @given(messages)
    @settings(max_examples=20)
    def test_what_was_signed_holds(self, message):
        signature = crypto.sign(self.PRIVATE, message)
        assert len(signature) == 64
        assert crypto.verify(self.PUBLIC, message, signature)
        assert not crypto.verify(self.PUBLIC, message + b"\x00", signature)
        assert not crypto.verify(sm2.PROOF_PUBLIC, message, signature)

    @pytest.mark.parametrize(
        "signature",
        [b"", b"\x00" * 64, b"\xff" * 64, b"\x01" * 63, bytes(32) + b"\x01" * 32],
        ids=["empty", "zero", "too large", "short", "r is zero"],
    )
    def test_what_is_no_signature_does_not_hold(self, signature):
        assert not crypto.verify(self.PUBLIC, b"m", signature)

    def test_r_and_s_that_cancel_do_not_hold(self):
        r = 12345
        signature = r.to_bytes(32, "big") + (curve.N - r).to_bytes(32, "big")
        assert not crypto.verify(self.PUBLIC, b"m", signature)

    @pytest.mark.parametrize("private", [b"", bytes(32), curve.N.to_bytes(32, "big"), b"\x01" * 31])
    def test_a_private_key_that_is_none_is_named(self, private):
        with pytest.raises(crypto.WrongKey):
            crypto.sign(private, b"m")

    @pytest.mark.parametrize(
        "public", [b"", sm2.PROOF_PUBLIC[1:], sm2.PROOF_PUBLIC[:-1] + b"\x00", b"\x02" + sm2.PROOF_PUBLIC[1:]]
    )
    def test_a_public_key_that_is_no_point_is_named(self, public):
        with pytest.raises(crypto.WrongKey):
            crypto.verify(public, b"m", bytes(64))

    @given(st.binary(min_size=64, max_size=64))
    def test_der_there_and_back(self, signature):
        assert curve.from_der(curve.to_der(signature)) == signature

    @pytest.mark.parametrize("der", [b"", b"\x30\x00", b"\x31\x03\x02\x01\x01", b"\x30\x03\x02\x01\x01"])
    def test_what_is_no_der_is_refused(self, der):
        with pytest.raises(ValueError, match="DER"):
            curve.from_der(der)


class Liar(sm2.Gmssl):
    """An implementation with one fault."""

    name = "liar"

    def __init__(self, fault: str):
        self.fault = fault

    def sign(self, private, public, message):
        if self.fault == "breaks":
            raise OSError("no")
        return super().sign(private, public, message + b"." if self.fault == "signs another" else message)

    def verify(self, public, message, signature):
        if self.fault in ("accepts all", "refuses all"):
            return self.fault == "accepts all"
        return super().verify(public, message, signature)


class TestChoice:
    @pytest.mark.parametrize("fault", ["breaks", "signs another", "accepts all", "refuses all"])
    def test_what_does_not_prove_itself_is_not_used(self, fault):
        assert sm2.disagreement(Liar(fault), sm2.Gmssl())
        assert sm2.disagreement(Liar(""), sm2.Gmssl()) == ""

    def test_without_libcrypto_gmssl_signs(self, monkeypatch):
        monkeypatch.setattr("liangzhu.kernel.crypto.libcrypto.LIBRARIES", ("libnowhere.so.9",))
        assert sm2._chosen.__wrapped__().name == "gmssl-pyx"


class TestSealing:
    @given(keys, messages, st.binary(max_size=40))
    def test_what_was_sealed_opens_with_the_same_key_and_place_only(self, key, plain, aad):
        blob = crypto.seal(key, plain, aad)
        assert crypto.unseal(key, blob, aad) == plain
        with pytest.raises(crypto.Tampered):
            crypto.unseal(key, blob, aad + b"x")
        with pytest.raises(crypto.Tampered):
            crypto.unseal(bytes([key[0] ^ 1]) + key[1:], blob, aad)

    @given(st.data(), messages)
    def test_one_turned_bit_is_found(self, data, plain):
        key = crypto.new_key()
        blob = bytearray(crypto.seal(key, plain))
        place = data.draw(st.integers(0, len(blob) * 8 - 1))
        blob[place // 8] ^= 1 << place % 8
        with pytest.raises(crypto.Tampered):
            crypto.unseal(key, bytes(blob))

    @given(st.binary(max_size=27))
    def test_what_is_cut_off_is_named(self, blob):
        with pytest.raises(crypto.Tampered):
            crypto.unseal(bytes(16), blob)

    def test_the_same_text_is_sealed_differently_each_time(self):
        key = crypto.new_key()
        assert len({crypto.seal(key, b"same") for _ in range(100)}) == 100

    @pytest.mark.parametrize("size", [0, 15, 17, 32])
    def test_a_key_of_another_length_is_named(self, size):
        with pytest.raises(crypto.WrongKey):
            crypto.seal(bytes(size), b"x")
        with pytest.raises(crypto.WrongKey):
            crypto.unseal(bytes(size), bytes(40))

    def test_a_short_hmac_key_is_named(self):
        with pytest.raises(crypto.WrongKey):
            crypto.hmac_sm3(b"Jefe", b"x")
