"""Sign-ins to applications by the code flow, over HTTP, as the product serves: two server processes, files on disk.

One flow is what a browser and a program do: the browser asks with its session and gets a code, the program redeems it for
tokens with its secret. ``with sign-in``: a member of staff enters name and password first (the product's own slow hash),
so that the hash is most of it. Beside: npm oidc-provider in the same run where node and the package are here (its own
in-memory store, every request automatically signed in), else its figure, and django-oauth-toolkit's, as measured on two cores
of this kind (bench/README.md). ``--quick``: shorter rounds.
"""

import base64
import hashlib
import http.client
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from bench._house import home, served
from bench._report import Row, options, show

PROVIDER, TOOLKIT_FULL, TOOLKIT_ON = 436, 50, 76
"""Flows a second that were measured on a machine of this kind: oidc-provider in memory, django-oauth-toolkit with a fast hash
in full, and by single sign-on."""

CLIENTS = 8
BACK = "http://127.0.0.1:9/back"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
PASSWORD = "a-long-enough-secret"

PEER = """
import Provider, { interactionPolicy } from 'oidc-provider'
const policy = interactionPolicy.base()
policy.remove('consent')
const [port, back] = process.argv.slice(2)
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'bench', client_secret: 'bench-secret', redirect_uris: [back], application_type: 'native' }],
  findAccount: (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { policy, url: () => '/sign-in' }, features: { devInteractions: { enabled: false } },
  loadExistingGrant: async ctx => {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
    grant.addOIDCScope('openid'); await grant.save(); return grant } })
provider.use(async (ctx, next) => {
  if (ctx.path !== '/sign-in') return next()
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login: { accountId: 'user' } })) })
provider.listen(port)
"""


class Browser:
    """A kept connection with cookies, for one client."""

    def __init__(self, port: int):
        self.port, self.cookies = port, {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method: str, path: str, form: dict | None = None, **headers: str):
        """Status, headers and body."""
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer, content


def flow(browser: Browser, program: Browser, authorize: str, token: str, client_id: str, secret: str) -> None:
    """One flow of an existing session: a code, and the tokens for it."""
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": BACK,
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    answer, content = browser.call("GET", f"{authorize}?{urlencode(asked)}")
    for _ in range(2):
        # oidc-provider signs in whoever comes for the first time; then it goes on by itself.
        address = answer.headers["Location"] or ""
        if address.startswith(BACK):
            break
        parts = urlsplit(address)
        answer, content = browser.call("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
    found = parse_qs(urlsplit(answer.headers["Location"] or "").query)
    if "code" not in found:
        raise SystemExit(f"没有得到授权码：{answer.status} {answer.headers['Location']} {content[:300]!r}")
    form = {
        "grant_type": "authorization_code",
        "code": found["code"][0],
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_id": client_id,
        "client_secret": secret,
    }
    program.cookies = {}
    answer, content = program.call("POST", token, form)
    if answer.status != 200 or b"id_token" not in content:
        raise SystemExit(f"没有得到令牌：{answer.status} {content[:300]!r}")


def many(make: Callable[[], Callable[[], None]], *, seconds: float, rounds: int) -> float:
    """Runs a second of all clients together: the median of some rounds after a warm-up."""
    runs = [make() for _ in range(CLIENTS)]
    for run in runs:
        run()
    rates = []
    for _ in range(rounds):
        counts, start = [0] * CLIENTS, time.perf_counter()
        until = start + seconds / rounds

        def work(place: int, counts=counts, until=until) -> None:
            while time.perf_counter() < until:
                runs[place]()
                counts[place] += 1

        threads = [threading.Thread(target=work, args=(place,)) for place in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rates.append(sum(counts) / (time.perf_counter() - start))
    return statistics.median(rates)


def found() -> dict[str, tuple[str, str]]:
    """Put a unit, a member of staff and published applications into the installation; name to (client_id, secret)."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from liangzhu.beams.people.access import api as access
    from liangzhu.beams.people.applications import api as applications
    from liangzhu.beams.people.directory import actions as directory
    from liangzhu.kernel.actors import SYSTEM

    since = date(2020, 1, 1)
    actors = {}
    for name, role in (("keeper", "applications.keeper"), ("reviewer", "applications.reviewer")):
        unit = directory.open_unit(
            SYSTEM, name=f"示例区{name}局", on=since, source="测速", kind="government_department"
        )
        person = directory.open_person(SYSTEM, name="示例")
        post = directory.open_post(SYSTEM, unit_id=unit.pk, title="科长", roles=[role])
        directory.hold_post(SYSTEM, post_id=post.pk, person_id=person.pk, valid_from=since)
        account = access.open_account(SYSTEM, person_id=person.pk, username=name).account
        account.set_password(PASSWORD)
        account.must_change_password = False
        account.save()
        actors[name] = access.actor_of(name)
    known = {}
    for algorithm in ("RS256", "ES256"):
        given = applications.Declared(
            title=f"测速 {algorithm}",
            category="other",
            purpose="测速",
            contact="示例",
            start_url=BACK,
            redirect_uris=(BACK,),
            staff=True,
            algorithm=algorithm,
        )
        row = applications.register(actors["keeper"], given=given)
        applications.review(actors["reviewer"], declaration_id=row.declarations.get().pk, accept=True)
        made = applications.make_secret(actors["keeper"], application_id=row.pk)
        known[algorithm] = (row.client_id, made.text)
    return known


def signed_in(port: int) -> Browser:
    """A browser in which the member of staff signed in."""
    browser = Browser(port)
    _, page = browser.call("GET", "/account/login/")
    mark = page.split(b'name="csrfmiddlewaretoken" value="')[1].split(b'"')[0].decode()
    form = {"login": "keeper", "password": PASSWORD, "csrfmiddlewaretoken": mark}
    answer, _ = browser.call("POST", "/account/login/", form)
    if "sessionid" not in browser.cookies:
        raise SystemExit(f"没有登录成功：{answer.status}")
    return browser


def peer(seconds: float, rounds: int) -> float | None:
    """Flows a second of oidc-provider here and now; None where it is not installed."""
    root = Path(os.environ.get("BENCH_OIDC_PROVIDER", Path(__file__).parents[1] / "node_modules"))
    node = shutil.which("node")
    if not node or not (root / "oidc-provider").exists():
        return None
    folder = Path(tempfile.mkdtemp(prefix="liangzhu-bench-"))
    port = 20_000 + secrets.randbelow(20_000)
    try:
        (folder / "node_modules").symlink_to(root)
        (folder / "peer.mjs").write_text(PEER)
        server = subprocess.Popen(
            [node, folder / "peer.mjs", str(port), BACK],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(100):
                try:
                    Browser(port).call("GET", "/.well-known/openid-configuration")
                    break
                except OSError:
                    time.sleep(0.1)

            def make() -> Callable[[], None]:
                browser, program = Browser(port), Browser(port)
                return lambda: flow(browser, program, "/auth", "/token", "bench", "bench-secret")

            return many(make, seconds=seconds, rounds=rounds)
        finally:
            server.terminate()
            server.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """The product's flows, then the peers' figures."""
    arguments = options(__doc__)
    seconds, rounds = (4.0, 2) if arguments.quick else (30.0, 5)
    measured = peer(seconds / 3, rounds)
    provider = measured or PROVIDER
    name = "oidc-provider（同次实测，内存）" if measured else f"oidc-provider（{PROVIDER}/s，内存）"
    rows = []
    with home():
        os.environ["LIANGZHU_SIGN_IN_RATE"] = "0"
        known = found()
        with served() as port:
            for algorithm, (client_id, secret) in known.items():

                def make(client_id=client_id, secret=secret) -> Callable[[], None]:
                    browser, program = signed_in(port), Browser(port)
                    return lambda: flow(
                        browser, program, "/oidc/authorize/", "/oidc/token/", client_id, secret
                    )

                per_second = many(make, seconds=seconds, rounds=rounds)
                note = f"×{per_second / TOOLKIT_ON:.1f} django-oauth-toolkit（{TOOLKIT_ON}/s）"
                rows.append(Row(f"单点登录，{algorithm}", per_second, name, per_second / provider, note))
            client_id, secret = known["RS256"]

            def whole() -> Callable[[], None]:
                program = Browser(port)
                return lambda: flow(
                    signed_in(port), program, "/oidc/authorize/", "/oidc/token/", client_id, secret
                )

            per_second = many(whole, seconds=seconds / 2, rounds=rounds)
            rows.append(
                Row(
                    "连同口令登录",
                    per_second,
                    "django-oauth-toolkit，默认散列（1.5/s）",
                    per_second / 1.5,
                    f"口令散列占大半；快速散列的 django-oauth-toolkit {TOOLKIT_FULL}/s",
                )
            )
    figures = {"oidc_provider": provider} if measured else {}
    show(f"应用登录，{CLIENTS} 个客户端，HTTP", rows, arguments, **figures)


if __name__ == "__main__":
    sys.exit(main())
