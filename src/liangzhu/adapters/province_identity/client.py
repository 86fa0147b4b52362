"""The client: sends browsers to the province, and believes of its answer what is signed, fresh and meant for us.

OpenID Connect Core 1.0, code flow with PKCE (RFC 7636). Checked of an ID token: algorithm (asymmetric, of the pack's list),
signature, issuer, audience, nonce, expiry, issue time (3.1.3.7). Nothing is taken from an answer that fails.
"""

import base64
import hmac
import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from liangzhu.adapters.province_identity.wording import DEMO_SECRET, Wording
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.neighbours import Neighbour, Report, neighbour

ANSWER_MOST = 100_000
KEYS_SECONDS = 600
"""How long the province's keys are used before they are asked for again."""

SEEN_SECONDS = 30
"""A province that answered so lately is taken to be there: else one asks before a browser is sent into nothing."""

REST_SECONDS = 5
"""After a failure nobody waits again for so long: a page that waits holds up everybody behind it."""

LEEWAY_SECONDS = 60


class Refused(residents.ProviderRefused):
    """An answer that cannot be believed. ``code`` names the check that failed."""

    def __init__(self, code: str, detail: str, **more: Any):
        super().__init__(detail, code=f"identity_{code}", **more)


class Province:
    """One province: its address (issuer), what we are called there, and how it words things."""

    def __init__(
        self,
        issuer: str,
        client: str,
        secret: str,
        wording: Wording,
        *,
        seconds: float = 5,
        rest: float = REST_SECONDS,
    ):
        self.issuer, self.client, self._secret, self.wording = issuer.rstrip("/"), client, secret, wording
        self.seconds, self.rest = seconds, rest
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at = self._seen_at = self._down_until = float("-inf")
        self._lock = threading.Lock()

    def register(self) -> None:
        """Offer it to the residents' sign-in, and let `doctor` ask about it."""
        residents.register_provider(self.wording.key, self.wording.title, self, simulated=self.simulated)
        neighbour(
            Neighbour("province_identity", self.wording.title, self.check_config, simulated=self.simulated)
        )

    @property
    def simulated(self) -> bool:
        """Whether what stands there is a simulator: it is on this machine, or knows us by the published secret."""
        host = urlsplit(self.issuer).hostname or ""
        return self._secret == DEMO_SECRET or host in ("localhost", "::1") or host.startswith("127.")

    # -- what the residents' sign-in asks -------------------------------------------------------------------

    def authorize_url(self, ask: residents.Ask) -> str:
        """Where to send the browser. Raises ProviderDown where the province does not answer now."""
        if time.monotonic() - self._seen_at > SEEN_SECONDS:
            self._load_keys()
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": ask.redirect_uri,
            "scope": self.wording.scope,
            "state": ask.state,
            "nonce": ask.nonce,
            "code_challenge": ask.challenge,
            "code_challenge_method": "S256",
            self.wording.level_parameter: self.wording.word_of_level(ask.level),
        }
        return f"{self.issuer}{self.wording.paths['authorize']}?{urlencode(asked)}"

    def finish(self, ask: residents.Ask, params: Mapping[str, str]) -> residents.Identity:
        """Who signed in. Raises ProviderDown, ProviderRefused (`Refused`, whose code names the check that failed)."""
        if (given := params.get("iss")) is not None and given != self.issuer:
            raise Refused("issuer", "回答不是来自约定的身份认证系统。")
        if error := params.get("error"):
            if error == "access_denied":
                raise Refused(
                    "cancelled",
                    "您在省平台取消了登录。",
                    title="没有登录",
                    status=400,
                    todo="需要时请重新登录。",
                )
            raise Refused("error", f"{self.wording.title}没有受理（{error[:60]}）。")
        code = params.get("code", "")
        if not code:
            raise Refused("no_code", "回答里没有登录凭据。")
        return self._identity(self._claims(self._exchange(ask, code), ask.nonce))

    def _exchange(self, ask: residents.Ask, code: str) -> str:
        """The ID token for a code."""
        status, found = self._call(
            "POST",
            self.wording.paths["token"],
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": ask.redirect_uri,
                "code_verifier": ask.verifier,
            },
        )
        if status != 200:
            if found.get("error") == "invalid_grant":
                raise Refused("code", "登录凭据已经用过，或者过期了。", status=400)
            raise Refused(
                "error", f"{self.wording.title}没有给出结果（{str(found.get('error', status))[:60]}）。"
            )
        token = found.get("id_token")
        if not isinstance(token, str):
            raise Refused("no_token", "回答里没有身份凭证。")
        return token

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What a token says, after every check."""
        key = self._key_of(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=list(self.wording.algorithms),
                audience=self.client,
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"], "strict_aud": True},
            )
        except jwt.InvalidAlgorithmError:
            raise Refused("algorithm", "身份凭证的签名算法不在约定之内。") from None
        except jwt.InvalidSignatureError:
            raise Refused("signature", "身份凭证的签名不对，可能被改动过。") from None
        except jwt.ExpiredSignatureError:
            raise Refused("expired", "身份凭证已经过期。") from None
        except jwt.InvalidIssuerError:
            raise Refused("issuer", "身份凭证不是约定的系统签发的。") from None
        except jwt.InvalidAudienceError:
            raise Refused("audience", "身份凭证不是签发给本区的。") from None
        except jwt.PyJWTError:
            raise Refused("token", "身份凭证无法识别。") from None
        given = claims.get("nonce")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise Refused("nonce", "身份凭证不是为这一次登录签发的。")
        return claims

    def _key_of(self, token: str) -> jwt.PyJWK:
        """The province's key that a token names; keys are asked for again once where it is unknown."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Refused("token", "身份凭证无法识别。") from None
        if header.get("alg") not in self.wording.algorithms:
            raise Refused("algorithm", "身份凭证的签名算法不在约定之内。")
        wanted = str(header.get("kid", ""))
        if time.monotonic() - self._keys_at > KEYS_SECONDS or wanted not in self._keys:
            self._load_keys()
        if wanted not in self._keys:
            raise Refused("signature", "身份凭证的签名密钥不在省里公布的之列。")
        return self._keys[wanted]

    def _identity(self, claims: dict[str, Any]) -> residents.Identity:
        """What is told of the person, in our words."""
        names = self.wording.claims
        level = self.wording.levels.get(str(claims.get(names["level"])))
        kind = self.wording.documents.get(str(claims.get(names["document_kind"])))
        name, number = claims.get(names["name"]), claims.get(names["document_number"])
        if level is None or kind is None or not all(isinstance(one, str) and one for one in (name, number)):
            raise Refused("claims", "省里没有给出完整的姓名、证件或实名等级。")
        firm = claims.get(names["enterprise"])
        return residents.Identity(name, kind, number, level, self._enterprise(firm) if firm else None)

    def _enterprise(self, firm: Any) -> residents.Enterprise:
        names = self.wording.enterprise
        try:
            agent = firm[names["role"]] == self.wording.agent_word
            days = [date.fromisoformat(firm[names[one]]) for one in ("granted_on", "until")] if agent else []
            return residents.Enterprise(str(firm[names["uscc"]]), str(firm[names["name"]]), agent, *days)
        except (KeyError, TypeError, ValueError):
            raise Refused("claims", "省里给出的企业身份不完整。") from None

    # -- the line to the province ---------------------------------------------------------------------------

    def _load_keys(self) -> None:
        status, found = self._call("GET", self.wording.paths["keys"])
        if status != 200:
            raise residents.ProviderDown(f"{self.wording.title}没有给出公钥（状态 {status}）。")
        keys = {}
        for one in found.get("keys", ()):
            try:
                keys[str(one.get("kid", ""))] = jwt.PyJWK.from_dict(one)
            except (jwt.PyJWTError, AttributeError):
                # A key of a kind that we do not know signs nothing for us.
                continue
        if not keys:
            raise residents.ProviderDown(f"{self.wording.title}没有给出可用的公钥。")
        self._keys, self._keys_at = keys, time.monotonic()

    def _call(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, dict]:
        """One call: the status and the JSON object. Raises ProviderDown when there is no answer in time, or no JSON."""
        with self._lock:
            if time.monotonic() < self._down_until:
                raise residents.ProviderDown(f"{self.wording.title}刚才没有回应。")
        parts = urlsplit(self.issuer)
        secure = parts.scheme == "https"
        deadline = time.monotonic() + self.seconds
        connection = (
            http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.seconds, context=ssl.create_default_context()
            )
            if secure
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.seconds)
        )
        headers = {"Accept": "application/json", "Connection": "close"}
        body = None
        if form is not None:
            body = urlencode(form)
            pair = f"{quote(self.client, safe='')}:{quote(self._secret, safe='')}"
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            }
        try:
            connection.request(method, f"{parts.path}{path}", body, headers)
            answer = connection.getresponse()
            raw = b""
            while piece := answer.read1(16_384):
                raw += piece
                if len(raw) > ANSWER_MOST:
                    raise residents.ProviderDown(f"{self.wording.title}的回答太长。")
                if time.monotonic() > deadline:
                    raise TimeoutError
        except (OSError, http.client.HTTPException):
            with self._lock:
                self._down_until = time.monotonic() + self.rest
            raise residents.ProviderDown(f"{self.wording.title}在 {self.seconds:g} 秒内没有回应。") from None
        finally:
            connection.close()
        if answer.status >= 500:
            raise residents.ProviderDown(f"{self.wording.title}出现故障（状态 {answer.status}）。")
        try:
            found = json.loads(raw)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise residents.ProviderDown(f"{self.wording.title}的回答无法识别。")
        self._seen_at = time.monotonic()
        return answer.status, found

    def check_config(self) -> Iterator[Report]:
        """How things stand with the province, for `doctor`."""
        if self.simulated:
            yield Report(
                "warn", f"连的是模拟器（{self.issuer}），只能在本机使用。", "正式使用请改为省里的地址和密钥。"
            )
        elif urlsplit(self.issuer).scheme != "https":
            yield Report(
                "bad", f"{self.issuer} 不是 https 地址。", "请把 LIANGZHU_IDENTITY 改为 https 地址。"
            )
        if not self.client or not self._secret:
            yield Report(
                "bad",
                "没有设置应用标识或密钥。",
                "请设置 LIANGZHU_IDENTITY_CLIENT 和 LIANGZHU_IDENTITY_SECRET。",
            )
        if self.wording.unconfirmed:
            yield Report("warn", "接口的参数名待确认。", "请按省里的接口文件核对资料包 identity.toml。")
        try:
            self._load_keys()
            yield Report("good", f"有回应，公布了 {len(self._keys)} 个公钥。")
        except residents.ProviderDown as down:
            yield Report("bad", down.detail, "请核对地址和网络；群众现在不能登录。")
