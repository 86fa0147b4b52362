"""The client of the provincial hall protocol: reads codes, has them validated, fetches what came with them, has codes issued.

One deadline for each call, bounded answers. Nothing is asked twice: a validated code is used up.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from liangzhu.adapters.service_code import texts, wire
from liangzhu.adapters.service_code.wording import DEMO_SECRET, Wording
from liangzhu.beams.people.codes import api as codes
from liangzhu.kernel.neighbours import Neighbour, Report, neighbour

ANSWER_MOST = 12_000_000
"""Twenty licences of two megabytes would not fit; nobody scans for so many."""

SMALL_MOST = 100_000
EARLY_SECONDS = 30
"""A token is renewed so long before its end."""

REST_SECONDS = 5
"""After a failure nobody waits again for so long: the window goes on with documents at once."""

_RAISES: dict[str, type[codes.CodeProblem]] = {
    "forged": codes.CodeForged,
    "expired": codes.CodeExpired,
    "replaced": codes.CodeReplaced,
    "used": codes.CodeUsed,
    "unknown": codes.CodeUnknown,
    "empty": codes.CodeEmpty,
}
_WORDS = {
    "forged": "省里没有签发过这个码。",
    "expired": "省里说这个码已经过期。",
    "replaced": "对方在这以后又换了新码，或者已经退出登录。",
    "used": "省里说这个码已经用过。",
    "unknown": "省里不认识这个码。",
    "empty": "码是真的，但没有返回持码人的信息。",
}


class Hall:
    """The province's platform at an address. ``keys`` are the public keys of provinces, by key, by which codes are checked here already."""

    def __init__(
        self,
        address: str,
        app: str,
        secret: str,
        wording: Wording,
        *,
        keys: Mapping[str, bytes],
        seconds: float = 5,
        rest: float = REST_SECONDS,
    ):
        self.address, self.app, self._secret, self.wording = address.rstrip("/"), app, secret, wording
        self.keys, self.seconds, self.rest = dict(keys), seconds, rest
        self._token, self._token_until = "", float("-inf")
        self._down_until = float("-inf")
        self._lock = threading.Lock()
        self._said_at: tuple[datetime, datetime] | None = None

    def register(self) -> None:
        """Offer it as an issuer, and let `doctor` ask about it."""
        codes.register_issuer(self.wording.key, self.wording.title, self, simulated=self.simulated)
        neighbour(Neighbour("service_code", self.wording.title, self.check_config, simulated=self.simulated))

    @property
    def simulated(self) -> bool:
        """Whether what stands there is a simulator: it is on this machine, or knows us by the published secret."""
        host = urlsplit(self.address).hostname or ""
        return self._secret == DEMO_SECRET or host in ("localhost", "::1") or host.startswith("127.")

    # -- what the counter asks ------------------------------------------------------------------------------

    def read(self, raw: str) -> codes.Code | None:
        """The code that was scanned or typed; its signature is checked where the province's key is known."""
        try:
            text = texts.read(raw, self.wording.marks)
        except texts.BadText as bad:
            raise codes.CodeUnknown(str(bad), todo="请再扫一次，或逐位核对后重新输入。") from None
        if text is None:
            return None
        province = self.wording.province_of(text.prefix)
        public = self.keys.get(province.key)
        if not text.typed and public is not None and not texts.holds(text, public):
            raise codes.CodeForged(f"这个{province.title}的签名不对，不是发码方签发的。")
        if not province.accepted:
            raise codes.CodeNotAccepted(f"这是{province.title}，本区还没有接通。")
        content = text.number if text.typed else texts.write(text)
        return codes.Code(
            text.number, province.key, province.title, content, text.typed, text.issued, text.seconds
        )

    def present(self, code: codes.Code, asked: codes.Asked) -> codes.Answer:
        """Have a code validated for one case, and fetch what came with it."""
        paths = self.wording.paths
        body = wire.question(self.wording, code.raw, asked)
        try:
            answer = self._post(paths["validate"], body, {"qrctoken": wire.qrctoken(self.app)})
        except codes.SessionOver:
            raise codes.IssuerWrong("验码的答复不合约定。") from None
        data = answer.get("data")
        token = data.get("validatetoken") if isinstance(data, dict) else None
        if not isinstance(token, str) or not 0 < len(token) < 4000:
            raise codes.IssuerWrong("验码的答复里没有凭据。")
        answer = self._post(paths["licences"], {}, {"authtoken": token}, most=ANSWER_MOST)
        try:
            told = wire.read_answer(self.wording, answer)
        except wire.BadAnswer as bad:
            raise codes.IssuerWrong(f"取证照的答复{bad}。") from None
        if told.holder is None:
            raise codes.CodeEmpty(_WORDS["empty"])
        return codes.Answer(
            _ours(told.holder),
            _ours(told.bearer) if told.bearer else None,
            codes.Agency(_ours(told.agent.person), told.agent.scope, told.agent.granted_on, told.agent.until)
            if told.agent
            else None,
            told.consented,
            tuple(codes.Licence(**one) for one in told.licences),
        )

    # -- what residents ask ---------------------------------------------------------------------------------

    def issue(self, wanted: codes.ShowFor) -> codes.Issued:
        """A fresh code."""
        body: dict[str, Any] = {
            "session": wanted.session,
            "kind": wanted.kind,
            "consent": [self.wording.licences[one][1] for one in wanted.licences],
        }
        for name, party in (("person", wanted.person), ("principal", wanted.principal)):
            if party is not None:
                body[name] = {
                    "name": party.name,
                    "identity_type": self.wording.documents.get(party.document_kind, ""),
                    "identity_num": party.number,
                }
        if wanted.granted_on is not None:
            body |= {
                "scope": list(wanted.scope),
                "grant_date": wanted.granted_on.isoformat(),
                "end_date": wanted.until.isoformat() if wanted.until else "",
            }
        data = self._post(self.wording.paths["issue"], body, {"qrctoken": wire.qrctoken(self.app)}).get(
            "data"
        )
        try:
            made = codes.Issued(data["qrcode"], data["typed"], int(data["seconds"]), data["session"])
            text = texts.read(made.content, self.wording.marks)
            typed = texts.read(made.typed, self.wording.marks)
        except (TypeError, KeyError, ValueError):
            raise codes.IssuerWrong("发码的答复不完整。") from None
        if text is None or typed is None or text.number != typed.number or not 0 < made.seconds <= 3600:
            raise codes.IssuerWrong("发的码和手输码对不上。")
        return codes.Issued(made.content, texts.grouped(typed.number), made.seconds, made.session)

    # -- the line to the province ---------------------------------------------------------------------------

    def _post(
        self, path: str, body: dict[str, Any], headers: dict[str, str], *, most: int = SMALL_MOST
    ) -> dict[str, Any]:
        """One call under the token. Raises what the province's return code says."""
        for fresh in (False, True):
            status, found = self._call(
                path,
                json.dumps(body, ensure_ascii=False).encode(),
                headers
                | {"Authorization": f"Bearer {self._bearer(fresh)}", "Content-Type": "application/json"},
                most,
            )
            # A token that was withdrawn before its time: nothing was done under it.
            if status != 401:
                break
        if status != 200:
            raise codes.IssuerWrong(f"{self.wording.title}没有受理（状态 {status}）。")
        answer = self.wording.answers.get(str(found.get("code")))
        if answer == "ok":
            return found
        if answer == "session":
            raise codes.SessionOver
        if answer in _RAISES:
            raise _RAISES[answer](_WORDS[answer])
        raise codes.IssuerWrong(f"{self.wording.title}的返回码 {str(found.get('code'))[:20]} 不在约定之内。")

    def _bearer(self, fresh: bool) -> str:
        """The access token (OAuth 2.0, client credentials), kept until shortly before its end."""
        with self._lock:
            if not fresh and self._token and time.monotonic() < self._token_until:
                return self._token
        form = {
            "client_id": self.app,
            "client_secret": self._secret,
            "grant_type": "client_credentials",
            "scope": self.wording.scope,
        }
        status, found = self._call(
            self.wording.paths["token"],
            urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
            SMALL_MOST,
        )
        token, lives = found.get("access_token"), found.get("expires_in", 0)
        if status != 200 or not isinstance(token, str) or not isinstance(lives, int):
            raise codes.IssuerWrong(
                f"{self.wording.title}没有给出令牌（状态 {status}），应用标识或密钥可能不对。"
            )
        with self._lock:
            self._token, self._token_until = token, time.monotonic() + max(lives - EARLY_SECONDS, 1)
        return token

    def _call(self, path: str, body: bytes, headers: dict[str, str], most: int) -> tuple[int, dict[str, Any]]:
        """One request: status and JSON object. Raises IssuerDown, IssuerWrong."""
        title = self.wording.title
        with self._lock:
            if time.monotonic() < self._down_until:
                raise codes.IssuerDown(f"{title}的验码服务刚才没有回应。")
        parts = urlsplit(self.address)
        deadline = time.monotonic() + self.seconds
        connection = (
            http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.seconds, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.seconds)
        )
        try:
            connection.request(
                "POST",
                parts.path + path,
                body,
                headers | {"Accept": "application/json", "Connection": "close"},
            )
            answer = connection.getresponse()
            raw = b""
            while piece := answer.read1(65_536):
                raw += piece
                if len(raw) > most:
                    raise codes.IssuerWrong(f"{title}的答复太长，没有采用。")
                if (left := deadline - time.monotonic()) <= 0:
                    raise TimeoutError
                if connection.sock is not None:
                    connection.sock.settimeout(left)
        except (OSError, http.client.HTTPException):
            with self._lock:
                self._down_until = time.monotonic() + self.rest
            raise codes.IssuerDown(f"{title}的验码服务在 {self.seconds:g} 秒内没有回应。") from None
        finally:
            connection.close()
        self._note_clock(answer.headers.get("Date"))
        if answer.status >= 500:
            raise codes.IssuerDown(f"{title}的验码服务出现故障（状态 {answer.status}）。")
        try:
            found = json.loads(raw)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise codes.IssuerWrong(f"{title}的答复无法识别。")
        return answer.status, found

    def _note_clock(self, date: str | None) -> None:
        try:
            said = parsedate_to_datetime(date or "")
        except ValueError:
            return
        self._said_at = (said, datetime.now(UTC))  # noqa: TID251 - two machines' clocks are compared

    def check_config(self) -> Iterator[Report]:
        """How things stand with the province, for `doctor`."""
        if self.simulated:
            yield Report(
                "warn",
                f"连的是模拟器（{self.address}），只能在本机使用。",
                "正式使用请改为省里的地址和密钥。",
            )
        elif urlsplit(self.address).scheme != "https":
            yield Report("bad", f"{self.address} 不是 https 地址。", "请把 LIANGZHU_CODE 改为 https 地址。")
        if self.wording.unconfirmed:
            yield Report("warn", "接口的写法待确认。", "请按省里的接口文件核对资料包 codes.toml。")
        missing = [one.title for one in self.wording.provinces if one.accepted and one.key not in self.keys]
        if missing:
            yield Report(
                "warn",
                f"没有这些码的公钥：{'、'.join(missing)}，只能由省里判断真伪。",
                "取得公钥后写进 LIANGZHU_CODE_PUBLIC。",
            )
        try:
            self._bearer(True)
        except codes.CodeProblem as problem:
            yield Report("bad", problem.detail, "请核对地址、应用标识和密钥；期间窗口凭证件办理。")
            return
        if self._said_at and abs((self._said_at[0] - self._said_at[1]).total_seconds()) > 5:
            apart = (self._said_at[0] - self._said_at[1]).total_seconds()
            yield Report(
                "bad",
                f"省里的时间比本机{'快' if apart > 0 else '慢'} {abs(apart):.0f} 秒。",
                "请核对本机的时间同步。",
            )
        yield Report("good", "有回应，给了令牌。")


def _ours(party: wire.Party) -> codes.Party:
    return codes.Party(party.kind, party.name, party.document_kind, party.number)
