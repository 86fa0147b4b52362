"""The program's own log lines (运行日志): as text or JSON, with the id of the request, and without personal data.

Not the log of who did what (操作日志), which is `kernel.log`.
"""

import logging
import re
from datetime import UTC, datetime

from pythonjsonlogger.json import JsonFormatter

from liangzhu.kernel.observing import fields

STARS = "***"

_PATTERNS = (
    # 公民身份号码, 18 or 15 digits, also written with blanks.
    (
        re.compile(
            r"(?<![0-9A-Za-z])[1-9]\d{5}[ -]?(?:18|19|20)\d{2}[ -]?(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx](?![0-9A-Za-z])"
        ),
        STARS,
    ),
    (
        re.compile(
            r"(?<![0-9A-Za-z])[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])"
        ),
        STARS,
    ),
    # Mobile numbers, and fixed lines with their area code.
    (re.compile(r"(?<![0-9A-Za-z])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])"), STARS),
    (re.compile(r"(?<![0-9A-Za-z])0\d{2,3}[ -]\d{7,8}(?![0-9A-Za-z])"), STARS),
    # Headers and parameters that open doors, up to the end of their value.
    (
        re.compile(
            r"(?i)\b(authorization|cookie|set-cookie|x-csrftoken|csrfmiddlewaretoken|sessionid|csrftoken|password|passwd|"
            r"secret|token|api[-_]key)(['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic|token)\s+)?[^\s'\",;&}]+"
        ),
        rf"\1\2{STARS}",
    ),
    (re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{8,}"), f"Bearer {STARS}"),
    (re.compile(r"(://[^:/\s@]+:)[^@\s/]+@"), rf"\1{STARS}@"),
)


def masked(text: str) -> str:
    """A line without identity numbers, telephone numbers, passwords and tokens (脱敏)."""
    for pattern, stars in _PATTERNS:
        text = pattern.sub(stars, text)
    return text


def _moment(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


class Line(logging.Formatter):
    """One line of text: moment, level, logger, request, message."""

    def __init__(self):
        super().__init__("%(moment)s %(levelname)s %(name)s%(about)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write the record, masked."""
        record.moment = _moment(record)
        known = fields()
        record.about = "".join(f" {name}={value}" for name, value in known.items())
        return masked(super().format(record))


class Json(JsonFormatter):
    """One JSON object a line, for collectors: the same fields, and what the caller gave in ``extra``."""

    def __init__(self):
        super().__init__("%(levelname)s %(name)s %(message)s", json_ensure_ascii=False)

    def add_fields(self, log_record: dict, record: logging.LogRecord, message_dict: dict) -> None:
        """Put the moment first and the standing fields beside."""
        log_record["at"] = _moment(record)
        super().add_fields(log_record, record, message_dict)
        log_record["level"] = log_record.pop("levelname")
        log_record["logger"] = log_record.pop("name")
        for name, value in fields().items():
            log_record.setdefault(name, str(value))

    def format(self, record: logging.LogRecord) -> str:
        """Write the record, masked."""
        return masked(super().format(record))


def configuration(form: str, level: str) -> dict:
    """Django's LOGGING for a form (line or json) and a level."""
    writer = {"level": level, "handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line}, "json": {"()": Json}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {"liangzhu": writer, "django": writer | {"level": "WARNING"}},
    }
