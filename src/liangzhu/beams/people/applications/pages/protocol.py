"""The endpoints of the OpenID Connect provider. What the program gets is as the specifications say; what people see is ours."""

from dataclasses import dataclass
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.applications import actions, declared, people, provider, queries, signing, tokens
from liangzhu.beams.people.applications.declared import Declared
from liangzhu.beams.people.applications.models import DepartmentApplication
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel.errors import Denied, Problem
from liangzhu.kernel.web import guarded

SINCE = "lz_since"
"""Stands in the address after a new sign-in was asked for: from when on it counts."""


class CannotOpen(Problem):
    """A request that cannot be answered to the application, because who asks, or where to answer, is not sure."""

    code, title, status = "cannot_open", "这个应用打不开", 400
    todo = "请回到应用重试；仍不行时，请把下面的原因告诉应用的联系人。"


FATAL = {
    "invalid_client_id": "没有这个应用，或者它已经撤下。",
    "mismatching_redirect_uri": "应用要求返回的地址没有登记过。为防止登录信息被送错地方，没有继续。",
}


def _words(error: errors.OAuth2Error) -> str:
    text = str(error.description or "")
    if "client_id" in text:
        return FATAL["invalid_client_id"]
    if "redirect" in text.lower():
        return FATAL["mismatching_redirect_uri"]
    return f"应用发来的请求有误（{error.error}）。"


# The request of a browser ---------------------------------------------------------------------------------------------


@dataclass
class Ask:
    """An authorization request that oauthlib found in order."""

    application: DepartmentApplication
    said: Declared
    query: QueryDict
    redirect_uri: str
    scopes: list[str]
    prompts: frozenset[str]
    level: int

    @property
    def silent(self) -> bool:
        """Whether no page may be shown."""
        return "none" in self.prompts

    def error(self, code: str, words: str = "") -> HttpResponse:
        """Send an error to the application."""
        return self.answer({"error": code} | ({"error_description": words} if words else {}))

    def answer(self, found: dict[str, str]) -> HttpResponse:
        """Send the browser back (RFC 6749 §4.1.2, RFC 9207)."""
        return _onward(self.address(found))

    def address(self, found: dict[str, str]) -> str:
        """Where the browser goes back to."""
        state = {"state": self.query["state"]} if "state" in self.query else {}
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(found | state | {'iss': provider.issuer()})}"

    def again(self, *, drop_login: bool = False) -> str:
        """The way back to this request after a sign-in."""
        query = self.query.copy()
        if drop_login:
            query[SINCE] = str(tokens.seconds())
        return f"{reverse('applications:back')}?{query.urlencode()}"


def _onward(address: str) -> HttpResponse:
    """A redirect to anywhere that is registered; Django's own knows few schemes and escapes anew."""
    response = HttpResponse(status=302)
    response["Location"] = address
    return response


def _read(request: HttpRequest) -> Ask | HttpResponse:
    """The request, or the answer to one that is not in order."""
    query = request.GET
    try:
        scopes, info = provider.server.validate_authorization_request(
            f"{provider.PATHS['authorization_endpoint']}?{query.urlencode()}"
        )
    except errors.FatalClientError as error:
        raise CannotOpen(_words(error)) from None
    except ValueError:
        raise CannotOpen("应用发来的地址无法识别。") from None
    except errors.OAuth2Error as error:
        found = {"error": error.error, "error_description": error.description or error.error}
        if state := query.get("state"):
            found["state"] = state
        uri = query["redirect_uri"]
        joint = "&" if "?" in uri else "?"
        return _onward(f"{uri}{joint}{urlencode(found | {'iss': provider.issuer()})}")
    asked: Request = info["request"]
    said = provider.said(asked)
    prompts = frozenset(query.get("prompt", "").split())
    return Ask(asked.client, said, query, query["redirect_uri"], scopes, prompts, _level(said, query))


def _level(said: Declared, query: QueryDict) -> int:
    """The least level: of what was asked for the lowest (any of them will do), and never below the application's own."""
    asked = [
        int(value.removeprefix(people.ACR))
        for value in query.get("acr_values", "").split()
        if value in {f"{people.ACR}{one}" for one in (1, 2, 3)}
    ]
    return max(said.level, min(asked, default=1))


@guarded("kernel.public")
@never_cache
@csrf_exempt
def authorize(request: HttpRequest) -> HttpResponse:
    """The authorization endpoint: who is it, is it he, is the level enough, is it for him, does he agree; then the code."""
    if request.method == "POST":
        # A browser sends no cookie of ours with another site's form: ask again as a link (Core 1.0 §3.1.2.1 allows both).
        return redirect(f"{reverse('applications:authorize')}?{request.POST.urlencode()}")
    ask = _read(request)
    if isinstance(ask, HttpResponse):
        return ask
    if ask.silent and len(ask.prompts) > 1:
        return ask.error("invalid_request", "prompt=none stands alone")
    who = people.of_request(request)
    answer = _sign_in(request, ask, who) or _fresh(request, ask, who) or _enough(request, ask, who)
    return answer or _for_whom(request, ask) or _agreed(request, ask, who) or _code(ask, who)


def _sign_in(request: HttpRequest, ask: Ask, who: people.Who | None) -> HttpResponse | None:
    """Nobody signed in, or not as one of those for whom the application is."""
    said = ask.said
    outside = said.residents or said.enterprises
    if who is not None and (said.staff if who.staff else outside):
        return None
    if ask.silent:
        return ask.error("login_required")
    staff = redirect_to_login(ask.again()).url
    resident = f"{reverse('residents:sign_in')}?{urlencode({'next': ask.again(), 'level': ask.level})}"
    if who is None and not outside:
        return redirect(staff)
    if who is None and not said.staff:
        return redirect(resident)
    context = {"ask": ask, "who": who, "staff": said.staff and staff, "resident": outside and resident}
    return render(request, "applications/sign_in.html", context)


def _fresh(request: HttpRequest, ask: Ask, who: people.Who) -> HttpResponse | None:
    """The application wants somebody who proved just now who he is (``prompt=login``, ``max_age``)."""
    moment = tokens.seconds()
    since = ask.query.get(SINCE, "")
    # What lies in the future would never come to an end.
    asked = int(since) if since.isascii() and since.isdecimal() and int(since) <= moment else None
    if asked is not None and who.proved_at >= asked:
        return None
    age = ask.query.get("max_age", "")
    old = age.isascii() and age.isdecimal() and moment - who.proved_at > int(age)
    if "login" not in ask.prompts and not old and age != "0":
        return None
    if ask.silent:
        return ask.error("login_required")
    onward = ask.again(drop_login=True)
    if who.staff:
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': onward})}")
    again = {"next": onward, "level": max(ask.level, who.level), "again": "1"}
    return redirect(f"{reverse('residents:sign_in')}?{urlencode(again)}")


def _enough(request: HttpRequest, ask: Ask, who: people.Who) -> HttpResponse | None:
    """The level of assurance is lower than what is asked for."""
    if who.level >= ask.level:
        return None
    if ask.silent:
        return ask.error("interaction_required", "a higher level of assurance is needed")
    if not who.staff:
        query = {"next": ask.again(), "level": ask.level}
        return redirect(f"{reverse('residents:sign_in')}?{urlencode(query)}")
    if access.has_second_factor(request.user):
        return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': ask.again()})}")
    raise Denied(
        f"应用“{ask.said.title}”要求用第二因素登录，您的账号还没有。",
        todo="请到“我的账号与安全”启用验证器或通行密钥，再打开应用。",
    )


def _for_whom(request: HttpRequest, ask: Ask) -> HttpResponse | None:
    """The application is for others."""
    if queries.for_whom(request.actor, ask.said):
        return None
    if ask.silent:
        return ask.error("access_denied", "not for this person")
    context = {"ask": ask, "resident": isinstance(request.actor, Resident)}
    return render(request, "applications/not_for_you.html", context, status=403)


def _agreed(request: HttpRequest, ask: Ask, who: people.Who) -> HttpResponse | None:
    """A resident has to agree, unless the application is the government's own."""
    if who.staff or ask.said.government:
        return None
    known = residents.consent_for(request.actor.principal, str(ask.application.ref), str(ask.application.ref))
    if known is not None and set(ask.scopes) <= set(known.names) and "consent" not in ask.prompts:
        return None
    if ask.silent:
        return ask.error("consent_required")
    context = {
        "ask": ask,
        "wanted": [(declared.SCOPES[one], ask.said.scopes.get(one, "")) for one in ask.scopes],
        "action": f"{reverse('applications:consent')}?{ask.query.urlencode()}",
    }
    return render(request, "applications/consent.html", context)


def _code(ask: Ask, who: people.Who) -> HttpResponse:
    return ask.answer({"code": _make_code(ask, who)})


def _make_code(ask: Ask, who: people.Who) -> str:
    query = ask.query
    if hint := query.get("id_token_hint"):
        known = signing.hint(hint, provider.issuer())
        if known is None or known.get("sub") != people.subject(ask.said, who.ref):
            raise CannotOpen("应用要的是另一个人的登录。请先在应用里退出，再重新打开。")
    code = actions.Code(
        ask.application.pk,
        who,
        ask.redirect_uri,
        query["code_challenge"],
        query.get("nonce", ""),
        tuple(ask.scopes),
    )
    return tokens.make(tokens.CODE, code.content(), tokens.CODE_SECONDS)


@guarded("applications.open_own")
@never_cache
@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """The answer to the question whether one agrees; then back to the application, either way."""
    ask = _read(request)
    if isinstance(ask, HttpResponse):
        return ask
    who = people.of_request(request)
    if who is None or who.level < ask.level or not queries.for_whom(request.actor, ask.said):
        return redirect(ask.again())
    if "agree" not in request.POST:
        return _leave(request, ask.address({"error": "access_denied"}), ask.said.title)
    actions.consent(request.actor, application_id=ask.application.pk, scopes=ask.scopes)
    return _leave(request, ask.address({"code": _make_code(ask, who)}), ask.said.title)


def _leave(request: HttpRequest, address: str, title: str) -> HttpResponse:
    """A page that goes on by itself: no form may lead to another site (CSP ``form-action``), not even by a redirect."""
    return render(request, "applications/onward.html", {"address": address, "title": title})


@guarded("kernel.public")
@never_cache
def back(request: HttpRequest) -> HttpResponse:
    """Where a sign-in comes back to: on to the request that it was for, as a new visit and not as the end of a form."""
    address = f"{reverse('applications:authorize')}?{request.GET.urlencode()}"
    return render(request, "applications/onward.html", {"address": address, "title": ""})


# What programs ask ----------------------------------------------------------------------------------------------------


def _refused(error: errors.OAuth2Error) -> HttpResponse:
    """An error of the token endpoint (RFC 6749 §5.2)."""
    body = {"error": error.error}
    if error.description:
        body["error_description"] = error.description
    response = JsonResponse(body, status=error.status_code)
    if error.status_code == 401:
        response["WWW-Authenticate"] = 'Basic realm="oidc"'
    return _unkept(response)


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
    return response


def _form(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """Body and header of a program's form. Raises InvalidRequestError."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise errors.InvalidRequestError("Content-Type must be application/x-www-form-urlencoded.")
    headers = {}
    if given := request.headers.get("Authorization"):
        headers["Authorization"] = given
    return request.POST.urlencode(), headers


@guarded("kernel.public")
@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """The token endpoint: a code or a refresh token for tokens."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        body, headers = _form(request)
        _headers, content, status = provider.server.create_token_response(
            provider.PATHS["token_endpoint"], "POST", body, headers
        )
    except errors.OAuth2Error as error:
        return _refused(error)
    except ValueError:
        return _refused(errors.InvalidRequestError())
    response = HttpResponse(content, status=status, content_type="application/json")
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="oidc"'
    return _unkept(response)


@guarded("kernel.public")
@csrf_exempt
def revoke(request: HttpRequest) -> HttpResponse:
    """The revocation endpoint (RFC 7009): any of its tokens ends an application's sign-in."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        body, headers = _form(request)
        asked = Request(provider.PATHS["revocation_endpoint"], "POST", body, headers)
        if not provider.validator.authenticate_client(asked):
            raise errors.InvalidClientError()
        given = request.POST.get("token", "")
        if not given:
            raise errors.InvalidRequestError("Missing token parameter.")
    except errors.OAuth2Error as error:
        return _refused(error)
    except ValueError:
        return _refused(errors.InvalidRequestError())
    found = tokens.read(tokens.REFRESH, given) or tokens.read(tokens.ACCESS, given)
    # What is unknown, or another's, is as good as revoked for who asks: the answer tells nothing of it.
    if found and queries.has_sign_on(asked.client, found[0]):
        actions.revoke(provider.program(asked.client), sign_on_id=found[0])
    return _unkept(HttpResponse(status=200))


@guarded("kernel.public")
@csrf_exempt
def userinfo(request: HttpRequest) -> HttpResponse:
    """The UserInfo endpoint (Core 1.0 §5.3): what the scopes allow, of the person as he stands in the registers now."""
    if request.method not in ("GET", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not given and request.method == "POST":
        scheme, given = "Bearer", request.POST.get("access_token", "")
    if scheme.lower() != "bearer" or not given:
        return _no_token("")
    content = tokens.read(tokens.ACCESS, given.strip())
    row = queries.sign_on(content[0]) if content else None
    if row is None or row.application.state != row.application.PUBLISHED or not people.holds(row):
        return _no_token("invalid_token")
    claims = queries.claims(provider.program(row.application), row)
    said = declared.by_id(row.application.current_id)
    response = JsonResponse(
        {"sub": people.subject(said, row.who)} | claims, json_dumps_params={"ensure_ascii": False}
    )
    return _unkept(response)


def _no_token(error: str) -> HttpResponse:
    response = JsonResponse({"error": error} if error else {}, status=401)
    response["WWW-Authenticate"] = 'Bearer realm="oidc"' + (f', error="{error}"' if error else "")
    return _unkept(response)


def _published(content: dict) -> HttpResponse:
    response = JsonResponse(content)
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=300"
    return response


@guarded("kernel.public")
def configuration(request: HttpRequest) -> HttpResponse:
    """The provider's metadata."""
    return _published(provider.metadata())


@guarded("kernel.public")
def jwks(request: HttpRequest) -> HttpResponse:
    """The keys that verify what the provider signs."""
    return _published(signing.jwks())


# Leaving --------------------------------------------------------------------------------------------------------------


@guarded("kernel.public")
@never_cache
@csrf_exempt
def logout(request: HttpRequest) -> HttpResponse:
    """RP-Initiated Logout 1.0: asks, unless the application names the very session; then ends it and goes back."""
    if request.method == "POST" and "leave" not in request.POST:
        return redirect(f"{reverse('applications:logout')}?{request.POST.urlencode()}")
    known = (
        signing.hint(request.GET["id_token_hint"], provider.issuer())
        if "id_token_hint" in request.GET
        else None
    )
    if "id_token_hint" in request.GET and known is None:
        raise CannotOpen("退出请求里的登录凭证不是本平台签发的。", todo="可以直接在本平台退出。")
    client_id = request.GET.get("client_id") or (known or {}).get("aud", "")
    if known is not None and known.get("aud") != client_id:
        raise CannotOpen("退出请求里的应用前后不一致。", todo="可以直接在本平台退出。")
    row = queries.by_client_id(client_id)
    said = declared.by_id(row.current_id) if row else None
    wanted = request.GET.get("post_logout_redirect_uri", "")
    if wanted and (said is None or wanted not in said.logout_uris):
        raise CannotOpen("退出后要去的地址没有登记过，没有继续。", todo="可以直接在本平台退出。")
    who = people.of_request(request)
    same = bool(
        said and who and known and known.get("sid") == people.session_number(said, who.ref, who.session)
    )
    if who is None or same:
        if who is not None:
            _leave_house(request, who)
        return _gone(request, wanted)
    context = {
        "said": said,
        "action": f"{reverse('applications:leave')}?{request.GET.urlencode()}",
        "back": wanted,
    }
    return render(request, "applications/logout.html", context)


@guarded("kernel.public")
@never_cache
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """The person's own answer to the question of `logout`."""
    who = people.of_request(request)
    if who is not None and "stay" not in request.POST:
        _leave_house(request, who)
    client_id = request.GET.get("client_id", "")
    if hint := request.GET.get("id_token_hint"):
        client_id = client_id or (signing.hint(hint, provider.issuer()) or {}).get("aud", "")
    row = queries.by_client_id(client_id)
    wanted = request.GET.get("post_logout_redirect_uri", "")
    if row is None or wanted not in declared.by_id(row.current_id).logout_uris:
        wanted = ""
    return _gone(request, wanted)


def _leave_house(request: HttpRequest, who: people.Who) -> None:
    """End the session here; what hangs on it ends by its event."""
    if who.staff:
        get_adapter(request).logout(request)
    else:
        residents.leave(request)


def _gone(request: HttpRequest, wanted: str) -> HttpResponse:
    if not wanted:
        return redirect("/")
    state = request.GET.get("state")
    joint = "&" if "?" in wanted else "?"
    address = f"{wanted}{joint}{urlencode({'state': state})}" if state else wanted
    return _leave(request, address, "")
