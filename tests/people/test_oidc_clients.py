"""The provider with clients that others wrote: PyPI authlib and npm openid-client, over HTTP. One test a client and side."""

import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken

from liangzhu.beams.people.applications import declared, handlers
from liangzhu.kernel import keys
from liangzhu.kernel.worker import drain

from .oidc import BACK, publish

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def served(live_server, settings, demo_day):
    settings.LIANGZHU_ADDRESS = live_server.url
    declared.forget()
    keys.forget_cached()
    keys.make_first_keys()
    return live_server.url


@pytest.fixture
def office(put, bureau, government):
    return (
        put("周工", "zhou", bureau, ["applications.keeper"]).actor,
        put("吴科", "wu", government, ["applications.reviewer"]).actor,
    )


def browse(client, address: str) -> str:
    """A browser that is signed in follows an address of ours; where it is sent."""
    answer = requests.get(
        address, cookies={"sessionid": client.cookies["sessionid"].value}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


@contextmanager
def listening():
    """An application's endpoint for the notice of a logout; yields its address and what came."""
    came = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            came.append(parse_qs(body)["logout_token"][0])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/gone", came
    finally:
        server.shutdown()
        server.server_close()


def test_authlib_signs_staff_in_by_discovery_secret_pkce_and_hears_of_the_end(served, office, officer):
    with listening() as (gone, came):
        program = publish(*office, backchannel_uri=gone)
        known = requests.get(f"{served}/.well-known/openid-configuration", timeout=10).json()
        assert known["issuer"] == served
        ring = JsonWebKey.import_key_set(requests.get(known["jwks_uri"], timeout=10).json())
        session = OAuth2Session(
            program.client_id,
            program.secret,
            scope="openid profile",
            redirect_uri=BACK,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",
        )
        verifier = "v" * 50
        address, state = session.create_authorization_url(
            known["authorization_endpoint"], code_verifier=verifier, nonce="n-7"
        )
        browser = officer.client
        back = browse(browser, address)
        assert dict(parse_qsl(urlsplit(back).query))["iss"] == served
        token = session.fetch_token(
            known["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
        )

        def read(text, **more):
            said = jwt.decode(
                text,
                ring,
                claims_cls=CodeIDToken,
                claims_options={"iss": {"value": served}, "aud": {"value": program.client_id}},
                claims_params={"nonce": "n-7", "client_id": program.client_id} | more,
            )
            said.validate()
            return said

        said = read(token["id_token"], access_token=token["access_token"])
        about = session.get(known["userinfo_endpoint"], timeout=10).json()
        assert (about["sub"], about["name"]) == (said["sub"], "李四")
        second = session.refresh_token(known["token_endpoint"])
        assert second["refresh_token"] != token["refresh_token"]
        assert (
            session.revoke_token(
                known["revocation_endpoint"], second["refresh_token"], token_type_hint="refresh_token"
            ).status_code
            == 200
        )
        # Again, and then the person leaves here.
        address, state = session.create_authorization_url(
            known["authorization_endpoint"], code_verifier=verifier, nonce="n-7"
        )
        session.fetch_token(
            known["token_endpoint"],
            authorization_response=browse(browser, address),
            code_verifier=verifier,
            state=state,
        )
        browser.post("/access/logout/")
        drain()
        handlers.tell_owed()
        told = jwt.decode(came[0], ring)
        assert (told["sub"], told["sid"], told["aud"]) == (said["sub"], said["sid"], program.client_id)


def test_authlib_signs_a_resident_in_with_a_key_of_its_own(served, office, as_resident):
    key = JsonWebKey.generate_key("RSA", 2048, {"kid": "k1"}, is_private=True)
    public = json.dumps({"keys": [json.loads(key.as_json(is_private=False))]})
    program = publish(*office, method="private_key_jwt", jwks=public, algorithm="ES256")
    session = OAuth2Session(
        program.client_id,
        key.as_dict(is_private=True),
        scope="openid profile",
        redirect_uri=BACK,
        code_challenge_method="S256",
        token_endpoint_auth_method=PrivateKeyJWT(f"{served}/oidc/token/"),
    )
    address, _ = session.create_authorization_url(f"{served}/oidc/authorize/", code_verifier="w" * 50)
    back = browse(as_resident("林晓禾").client, address)
    token = session.fetch_token(f"{served}/oidc/token/", authorization_response=back, code_verifier="w" * 50)
    ring = JsonWebKey.import_key_set(requests.get(f"{served}/oidc/jwks.json", timeout=10).json())
    said = jwt.decode(token["id_token"], ring)
    assert said.header["alg"] == "ES256"
    assert said["acr"] == "urn:liangzhu:acr:2"


SCRIPT = """
import * as client from 'openid-client'
const [issuer, id, secret, redirect, cookie] = process.argv.slice(2)
const config = await client.discovery(new URL(issuer), id, secret, client.ClientSecretPost(secret),
  { execute: [client.allowInsecureRequests] })
client.enableNonRepudiationChecks(config)
const meta = config.serverMetadata()
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedNonce = client.randomNonce(), expectedState = client.randomState()
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: redirect, scope: 'openid profile', code_challenge_method: 'S256',
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  nonce: expectedNonce, state: expectedState, max_age: '3600', acr_values: 'urn:liangzhu:acr:2' })
const sent = await fetch(address, { redirect: 'manual', headers: { cookie: `sessionid=${cookie}` } })
const back = new URL(sent.headers.get('location'))
const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true, maxAge: 3600 }
const tokens = await client.authorizationCodeGrant(config, back, checks)
const claims = tokens.claims()
const about = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const second = await client.refreshTokenGrant(config, tokens.refresh_token)
let replay = ''
try { await client.authorizationCodeGrant(config, back, checks) } catch (error) { replay = error.error }
let after = 0
try { await client.fetchUserInfo(config, second.access_token, claims.sub) } catch (error) { after = error.status ?? error.cause?.status ?? 401 }
const leave = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: redirect })
const left = await fetch(leave, { redirect: 'manual', headers: { cookie: `sessionid=${cookie}` } })
console.log(JSON.stringify({ claims, about, rotated: second.refresh_token !== tokens.refresh_token, replay, after,
  left: left.status, backchannel: meta.backchannel_logout_supported }))
"""


def test_npm_openid_client_signs_staff_in_checks_everything_and_signs_out(
    served, office, officer, root, tmp_path
):
    node, package = shutil.which("node"), root / "node_modules" / "openid-client"
    if not node or not package.exists():
        pytest.skip("node or openid-client is not here")
    program = publish(*office, logout_uris=(BACK,))
    (tmp_path / "node_modules").symlink_to(root / "node_modules")
    script = tmp_path / "client.mjs"
    script.write_text(SCRIPT)
    cookie = officer.client.cookies["sessionid"].value
    done = subprocess.run(
        [node, script, served, program.client_id, program.secret, BACK, cookie],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["about"]["name"] == "李四"
    assert found["claims"]["acr"] == "urn:liangzhu:acr:2"
    assert (found["rotated"], found["replay"], found["after"]) == (True, "invalid_grant", 401)
    assert (found["left"], found["backchannel"]) == (200, True)
