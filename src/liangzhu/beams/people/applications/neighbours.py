"""Calls to the applications themselves: are they there, and the word that a sign-in is over. Short, bounded, no redirects."""

import http.client
import ssl
import time
from urllib.parse import urlencode, urlsplit

SECONDS = 5
ANSWER_MOST = 65_536


class Silent(Exception):
    """An application did not answer as it should; the text says how."""


def call(address: str, form: dict[str, str] | None = None, *, seconds: float = SECONDS) -> int:
    """The status of one request: GET, or POST of a form. A redirect is an answer and is not followed. Raises Silent."""
    parts = urlsplit(address)
    deadline = time.monotonic() + seconds
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=seconds, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    headers = {"Connection": "close", "User-Agent": "liangzhu"}
    body = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET" if form is None else "POST", target, body, headers)
        answer = connection.getresponse()
        read = 0
        while piece := answer.read1(16_384):
            read += len(piece)
            if read > ANSWER_MOST:
                break
            if time.monotonic() > deadline:
                raise TimeoutError
    except TimeoutError:
        raise Silent(f"{seconds:g} 秒内没有回应") from None
    except ssl.SSLError as error:
        raise Silent(f"证书不能信任（{error.reason or error}）") from None
    except (OSError, http.client.HTTPException) as error:
        raise Silent(f"连接不上（{type(error).__name__}）") from None
    finally:
        connection.close()
    return answer.status
