"""The cryptography beside OpenSSL's own speed in the same run, and what sealing costs a list.

``openssl speed`` measures the library without Python: the limit. Where the command is absent, or lacks an algorithm,
its line is left out and says so. The list of fifty titles is the unit of every inbox page: it should stay under 2 ms.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable

from bench import _report

BLOCK = 16 * 1024
"""Bytes of a bulk measurement; `openssl speed` measures the same size."""


def openssl(seconds: float, *names: str) -> dict[str, float]:
    """What ``openssl speed`` says in its machine-readable form: bulk in bytes a second, SM2 in operations a second."""
    if not shutil.which("openssl"):
        return {}
    found: dict[str, float] = {}
    for name in names:
        algorithm = ["sm2"] if name == "sm2" else ["-evp", name, "-bytes", str(BLOCK)]
        done = subprocess.run(
            ["openssl", "speed", "-mr", "-seconds", str(max(1, round(seconds))), *algorithm],
            capture_output=True,
            text=True,
        )
        for line in done.stdout.splitlines():
            parts = line.split(":")
            if parts[0] == "+F" and name != "sm2":
                found[name] = float(parts[-1])
            # Signatures: +F6:number:bits:curve:seconds for a sign:seconds for a verify, or rates, by version.
            if parts[0] in ("+F6", "+F7") and name == "sm2":
                sign, verify = float(parts[-2]), float(parts[-1])
                found |= {
                    "sign": sign if sign > 1 else 1 / sign,
                    "verify": verify if verify > 1 else 1 / verify,
                }
    return found


def rate_of(run: Callable[[], object], *, seconds: float, rounds: int = 5) -> float:
    """Calls per second of processor time, as ``openssl speed`` counts: the median of some rounds after a warm-up."""
    run()
    rates = []
    for _ in range(rounds):
        count, start = 0, time.process_time()
        while (spent := time.process_time() - start) < seconds / rounds:
            run()
            count += 1
        rates.append(count / spent if spent else 0.0)
    return statistics.median(rates)


def main() -> None:
    arguments = _report.options(__doc__)
    seconds = 0.5 if arguments.quick else 5.0
    os.environ["LIANGZHU_HOME"] = tempfile.mkdtemp(prefix="liangzhu-bench-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "liangzhu.site.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from liangzhu.kernel import crypto
    from liangzhu.kernel.crypto import curve, sm2

    other = openssl(seconds, "sm3", "sm4-gcm", "sm2")
    rows: list[_report.Row] = []

    def bulk(work: str, run, name: str) -> None:
        rate = rate_of(run, seconds=seconds) * BLOCK / 1e6
        if name in other:
            rows.append(_report.Row(f"{work}, MB, openssl speed", other[name] / 1e6))
            rows.append(_report.Row(f"{work}, MB", rate, "openssl speed", rate / (other[name] / 1e6)))
        else:
            rows.append(_report.Row(f"{work}, MB", rate, note=f"this openssl measures no {name}"))

    block, key = os.urandom(BLOCK), crypto.new_key()
    sealed = crypto.seal(key, block)
    bulk("SM3", lambda: crypto.sm3(block), "sm3")
    bulk("SM4-GCM seal", lambda: crypto.seal(key, block), "sm4-gcm")
    bulk("SM4-GCM unseal", lambda: crypto.unseal(key, sealed), "sm4-gcm")

    private, public = crypto.generate_keypair()
    signature, message = crypto.sign(private, b"head"), b"head"
    sure = sm2.Gmssl()
    works = {
        "sign": (lambda: crypto.sign(private, message), lambda: sure.sign(private, public, message)),
        "verify": (
            lambda: crypto.verify(public, message, signature),
            lambda: sure.verify(public, message, curve.to_der(signature)),
        ),
    }
    for name, (ours, wheel) in works.items():
        rate = rate_of(ours, seconds=seconds)
        slow = rate_of(wheel, seconds=seconds)
        rows.append(_report.Row(f"SM2 {name}, gmssl-pyx", slow))
        if name in other:
            rows.append(_report.Row(f"SM2 {name}, openssl speed", other[name]))
            rows.append(
                _report.Row(f"SM2 {name}", rate, "openssl speed", rate / other[name], crypto.implementation())
            )
        else:
            rows.append(_report.Row(f"SM2 {name}", rate, "gmssl-pyx", rate / slow, crypto.implementation()))

    call_command("migrate", verbosity=0)
    rows += _lists(seconds)
    _report.show("crypto", rows, arguments)


def _lists(seconds: float) -> list[_report.Row]:
    """Fifty titles opened, with keys that were not seen before and with keys that are remembered."""
    from liangzhu.beams.work.matters.models import Matter
    from liangzhu.kernel import keys
    from liangzhu.kernel.sealing import Blob, new_subject_key

    field = Matter._meta.get_field("title")
    fifty = []
    for number in range(50):
        row = Matter(sealed_key=new_subject_key(Matter))
        fifty.append(
            (bytes(row.sealed_key), field.seal(row, f"关于第{number}号噪声扰民事项的办理请示，请按期答复"))
        )

    def read() -> None:
        for key, data in fifty:
            row = Matter(sealed_key=key)
            row.title = Blob(data, field)
            assert row.title

    def fresh() -> None:
        keys.unwrap.cache_clear()
        read()

    def bare() -> None:
        for key, _ in fifty:
            row = Matter(sealed_key=key)
            row.title = "x"
            assert row.title

    limit = rate_of(bare, seconds=seconds)
    out = [_report.Row("lists of 50 rows without sealing", limit)]
    for work, run in (("keys remembered", read), ("keys not seen before", fresh)):
        rate = rate_of(run, seconds=seconds)
        cost = (1 / rate - 1 / limit) * 1000
        out.append(
            _report.Row(
                f"lists of 50 sealed titles, {work}",
                rate,
                "without sealing",
                rate / limit,
                f"{cost:.2f} ms more",
            )
        )
    return out


if __name__ == "__main__":
    main()
