"""Settings from the environment, each declared with type, default and description.

`docs/settings.md` lists them, and a test holds the two together.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path


class SettingError(ValueError):
    """A setting that cannot be read; the message names it and says what it should look like."""


@dataclass(frozen=True)
class Setting:
    """One environment variable."""

    name: str
    kind: str
    default: str
    description: str
    read: Callable[[str], object]


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("应为 1 或 0")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("应为 2022-10-20 这样的日期") from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError("应为不带符号的整数")
    return int(text)


def _master_key(text: str) -> bytes | None:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b"?"
    if len(key) not in (0, 16):
        raise ValueError("应为 32 个十六进制字符，可用 openssl rand -hex 16 生成")
    return key or None


def _sm2_private(text: str) -> bytes | None:
    return _hexadecimal(text, 32, "应为 64 个十六进制字符的 SM2 私钥")


def _sm2_public(text: str) -> bytes | None:
    return _hexadecimal(text, 65, "应为 130 个十六进制字符、以 04 开头的 SM2 公钥")


def _named_keys(text: str) -> dict[str, bytes]:
    words = "应为 名称=130 个十六进制字符的 SM2 公钥，几个之间用逗号分开"
    found = {}
    for part in _names(text):
        name, equals, key = part.partition("=")
        if not (name and equals and key):
            raise ValueError(words)
        found[name] = _hexadecimal(key, 65, words) or b""
    return found


def _hexadecimal(text: str, size: int, words: str) -> bytes | None:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b"?"
    if len(found) not in (0, size):
        raise ValueError(words)
    return found or None


def _form(text: str) -> str:
    if text.lower() not in ("line", "json"):
        raise ValueError("应为 line 或 json")
    return text.lower()


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


ROOT = Path(__file__).resolve().parents[3]

SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in [
        Setting(
            "LIANGZHU_HOME",
            "folder",
            str(ROOT / "var"),
            "Database, files and keys of this installation.",
            Path,
        ),
        Setting("LIANGZHU_PACK", "folder", str(ROOT / "packs" / "haizhou"), "The district's pack.", Path),
        Setting(
            "LIANGZHU_DATABASE",
            "address",
            "",
            "postgresql://user:password@host:port/name; empty: SQLite in LIANGZHU_HOME.",
            str,
        ),
        Setting(
            "LIANGZHU_DEMO_DATE",
            "date",
            "",
            "YYYY-MM-DD: stand on this day (a demonstration). Empty: today.",
            _day,
        ),
        Setting(
            "LIANGZHU_SECRET_KEY",
            "text",
            "",
            "Signs sessions. Empty: a key made for this home and kept in it; then only loopback is served.",
            str,
        ),
        Setting(
            "LIANGZHU_MASTER_KEY",
            "key",
            "",
            "Protects the keys in the database. Empty: made for this home and kept in it; then only loopback is served.",
            _master_key,
        ),
        Setting(
            "LIANGZHU_OLD_MASTER_KEY",
            "key",
            "",
            "The master key before a change; only until `liangzhu keys rewrap` was run.",
            _master_key,
        ),
        Setting(
            "LIANGZHU_HOSTS",
            "list",
            "localhost,127.0.0.1,[::1]",
            "Host names served, separated by commas.",
            _names,
        ),
        Setting(
            "LIANGZHU_ADDRESS",
            "address",
            "http://127.0.0.1:8000",
            "The public address of the portal; it stands in QR codes, and is printed.",
            str,
        ),
        Setting(
            "LIANGZHU_HTTPS",
            "flag",
            "0",
            "Cookies only over HTTPS, and HSTS. Set it wherever the product is not on loopback.",
            _flag,
        ),
        Setting("LIANGZHU_DEBUG", "flag", "0", "Django's debug pages. Never in service.", _flag),
        Setting("LIANGZHU_LOG_LEVEL", "word", "INFO", "DEBUG, INFO, WARNING or ERROR.", str.upper),
        Setting(
            "LIANGZHU_LOG_FORMAT",
            "word",
            "line",
            "line (text) or json: the form of the program's log lines.",
            _form,
        ),
        Setting(
            "LIANGZHU_METRICS_TOKEN",
            "key",
            "",
            "Bearer token that /metrics asks for. Empty: figures for this machine only.",
            str,
        ),
        Setting("LIANGZHU_MAX_UPLOAD", "bytes", str(20 * 1024 * 1024), "The largest file accepted.", _count),
        Setting(
            "LIANGZHU_LOCKOUT_FAILURES", "number", "5", "Failed sign-ins before an account is locked.", _count
        ),
        Setting("LIANGZHU_LOCKOUT_MINUTES", "number", "15", "Minutes that an account stays locked.", _count),
        Setting(
            "LIANGZHU_SESSION_MINUTES",
            "number",
            "480",
            "Minutes without use after which a session ends.",
            _count,
        ),
        Setting(
            "LIANGZHU_SIGN_IN_RATE",
            "number",
            "60",
            "Sign-ins a minute from one address; 0: any number.",
            _count,
        ),
        Setting(
            "LIANGZHU_RESIDENT_MINUTES",
            "number",
            "30",
            "Minutes without use after which a resident's session ends.",
            _count,
        ),
        Setting(
            "LIANGZHU_RESIDENT_SIGN_IN_RATE",
            "number",
            "600",
            "Sign-ins of residents a minute from one address; 0: any number.",
            _count,
        ),
        Setting(
            "LIANGZHU_IDENTITY",
            "address",
            "",
            "https:// address (issuer) of the province's unified identity; empty: residents cannot sign in.",
            lambda text: text.rstrip("/"),
        ),
        Setting(
            "LIANGZHU_IDENTITY_CLIENT", "word", "", "The name that the province gave this district.", str
        ),
        Setting("LIANGZHU_IDENTITY_SECRET", "key", "", "The secret that goes with it.", str),
        Setting(
            "LIANGZHU_IDENTITY_SECONDS",
            "number",
            "5",
            "Seconds that the province may take for an answer.",
            _count,
        ),
        Setting(
            "LIANGZHU_TOKEN_DAYS", "number", "365", "The longest life of a token of the API, in days.", _count
        ),
        Setting(
            "LIANGZHU_NATS",
            "address",
            "",
            "nats://user:password@host:4222 (several: commas) of NATS JetStream, which gets every event; empty: none.",
            str,
        ),
        Setting(
            "LIANGZHU_NATS_PREFIX",
            "word",
            "liangzhu",
            "Events go to the subject <prefix>.<name of event>.",
            str,
        ),
        Setting("LIANGZHU_NATS_STREAM", "word", "LIANGZHU", "The stream that keeps them.", str),
        Setting(
            "LIANGZHU_NATS_INCOMING",
            "word",
            "",
            "The stream that messages are taken in from; empty: none.",
            str,
        ),
        Setting(
            "LIANGZHU_EXCHANGE",
            "address",
            "",
            "https:// address of the city's exchange; empty: only what the district holds itself is prefilled.",
            lambda text: text.rstrip("/"),
        ),
        Setting("LIANGZHU_EXCHANGE_NODE", "word", "", "The name that the exchange gave this node.", str),
        Setting(
            "LIANGZHU_EXCHANGE_KEY",
            "key",
            "",
            "This node's private key (SM2, 64 hexadecimal characters); it signs what is asked.",
            _sm2_private,
        ),
        Setting(
            "LIANGZHU_EXCHANGE_PUBLIC",
            "text",
            "",
            "The exchange's public key (SM2, 130 hexadecimal characters); answers are checked by it.",
            _sm2_public,
        ),
        Setting(
            "LIANGZHU_EXCHANGE_SECONDS",
            "number",
            "3",
            "Seconds that the exchange may take for an answer.",
            _count,
        ),
        Setting(
            "LIANGZHU_CODE",
            "address",
            "",
            "https:// address of the province's platform for service codes; empty: windows go by documents.",
            lambda text: text.rstrip("/"),
        ),
        Setting(
            "LIANGZHU_CODE_APP", "word", "", "The name (app key) that the platform gave this district.", str
        ),
        Setting("LIANGZHU_CODE_SECRET", "key", "", "The secret that goes with it.", str),
        Setting(
            "LIANGZHU_CODE_PUBLIC",
            "list",
            "",
            "Public keys of provinces, name=key (SM2, 130 hexadecimal characters), by which codes are checked here already.",
            _named_keys,
        ),
        Setting(
            "LIANGZHU_CODE_SECONDS",
            "number",
            "3",
            "Seconds that each call to the platform may take.",
            _count,
        ),
        Setting(
            "LIANGZHU_OUTBOX_DAYS",
            "number",
            "30",
            "Days that a delivered event is kept; one that is owed is never removed.",
            _count,
        ),
        Setting(
            "LIANGZHU_API_RATE", "number", "3000", "Requests a minute with one token; 0: any number.", _count
        ),
        Setting(
            "LIANGZHU_FAILURE_RATE",
            "number",
            "60",
            "Requests a minute from one address whose token opens nothing.",
            _count,
        ),
        Setting(
            "LIANGZHU_IDEMPOTENCY_HOURS",
            "number",
            "24",
            "Hours for which an answer is kept for its Idempotency-Key.",
            _count,
        ),
        Setting(
            "LIANGZHU_PROXIES",
            "number",
            "0",
            "Proxies of ours in front: so many entries of X-Forwarded-For are believed.",
            _count,
        ),
    ]
}


def unknown() -> list[str]:
    """The LIANGZHU_* variables of the environment that nobody declared, each in words with the nearest known name."""
    words = []
    for name in sorted(os.environ):
        if name.startswith("LIANGZHU_") and "_TEST_" not in name and name not in SETTINGS:
            near = get_close_matches(name, SETTINGS, n=1, cutoff=0.8)
            words.append(f"{name}（{f'是不是 {near[0]}？' if near else '没有这个设置'}）")
    return words


def read(name: str) -> object:
    """The value of a declared setting. Raises SettingError when it cannot be read."""
    setting = SETTINGS[name]
    text = os.environ.get(name, setting.default)
    try:
        return setting.read(text)
    except ValueError as error:
        # A key that is written wrongly is still a secret.
        shown = name if setting.kind == "key" else f"{name}={text!r}"
        raise SettingError(f"设置 {shown} 无法识别：{error}。写法见 docs/settings.md。") from None
