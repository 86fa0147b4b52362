"""The provider's rules, claim by claim, against the endpoints themselves; other people's clients: test_oidc_clients.py."""

import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from liangzhu.beams.people.access import actions as access_actions
from liangzhu.beams.people.applications import actions, declared, handlers, people, provider, signing, tokens
from liangzhu.beams.people.applications.models import Notice, SignOn
from liangzhu.beams.people.residents.models import Consent, ResidentSession
from liangzhu.kernel import keyring, keys
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.worker import drain

from .oidc import BACK, asked_for, claims, found, publish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(demo_day):
    declared.forget()
    keys.forget_cached()


@pytest.fixture
def keeper(put, bureau):
    return put("周工", "zhou", bureau, ["applications.keeper"])


@pytest.fixture
def reviewer(put, government):
    return put("吴科", "wu", government, ["applications.reviewer"])


@pytest.fixture
def program(keeper, reviewer):
    return publish(keeper.actor, reviewer.actor)


@pytest.fixture
def su(officer):
    """Somebody of the staff, signed in."""
    return officer.client


def tokens_of(program, browser, **more):
    answer = program.token(code=program.code(browser, **more))
    assert answer.status_code == 200, answer.content
    return answer.json()


class TestRequest:
    def test_an_address_that_is_not_registered_gets_a_page_and_no_redirect(self, program, su):
        answer = program.ask(su, redirect_uri=BACK + "/more")
        assert answer.status_code == 400
        assert "没有登记过" in answer.content.decode()

    def test_an_unknown_and_a_withdrawn_application_get_a_page(self, program, su, keeper):
        assert "没有这个应用" in program.ask(su, client_id="lz-nobody").content.decode()
        actions.withdraw(keeper.actor, application_id=program.row.pk, reason="系统停用")
        answer = program.ask(su)
        assert answer.status_code == 400
        assert "已经撤下" in answer.content.decode()

    @pytest.mark.parametrize(
        ("more", "error"),
        [
            ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unauthorized_client"),
            ({"scope": "profile"}, "invalid_scope"),
            ({"scope": "openid identity"}, "invalid_scope"),
            ({"request": "x.y.z"}, "request_not_supported"),
            ({"request_uri": "https://a.example/r"}, "request_uri_not_supported"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"prompt": "none login"}, "invalid_request"),
        ],
    )
    def test_what_is_wrong_otherwise_goes_back_as_an_error_with_state_and_issuer(
        self, program, su, more, error
    ):
        answer = found(program.ask(su, **more))
        assert (answer["error"], answer["state"], answer["iss"]) == (error, "s-1", provider.issuer())

    def test_a_scope_that_nobody_knows_is_left_out(self, program, su):
        assert tokens_of(program, su, scope="openid profile offline_access")["scope"] == "openid profile"

    def test_a_form_from_another_site_is_asked_again_as_a_link(self, program, su):
        answer = su.post(provider.PATHS["authorization_endpoint"], {"client_id": program.client_id})
        assert asked_for(answer) == (
            provider.PATHS["authorization_endpoint"],
            {"client_id": program.client_id},
        )

    def test_nobody_signed_in_is_sent_to_the_sign_in_of_his_side_and_silently_refused(
        self, keeper, reviewer, client
    ):
        staff = publish(keeper.actor, reviewer.actor, residents=False)
        path, query = asked_for(staff.ask(client))
        assert path == "/account/login/"
        assert query["next"].startswith("/oidc/back/?")
        outside = publish(keeper.actor, reviewer.actor, staff=False, title="诊所备案助手")
        path, query = asked_for(outside.ask(client, acr_values="urn:liangzhu:acr:3"))
        assert (path, query["level"]) == ("/my/sign-in/", "3")
        assert found(staff.ask(client, prompt="none"))["error"] == "login_required"

    def test_where_both_sides_may_one_chooses(self, program, client):
        page = program.ask(client).content.decode()
        assert "群众或企业登录" in page
        assert "工作人员登录" in page

    def test_the_audience_is_held_by_unit_and_role_and_by_whom_one_acts_for(
        self, keeper, reviewer, government, su, as_resident
    ):
        other = publish(keeper.actor, reviewer.actor, residents=False, roles=("registers.officer",))
        answer = other.ask(su)
        assert answer.status_code == 403
        assert "不面向您现在的身份" in answer.content.decode()
        assert found(other.ask(su, prompt="none"))["error"] == "access_denied"
        own = publish(keeper.actor, reviewer.actor, title="统计", residents=False, units=(government.pk,))
        assert "code" in found(own.ask(su))
        firms = publish(
            keeper.actor, reviewer.actor, title="惠企", residents=False, staff=False, enterprises=True
        )
        assert firms.ask(as_resident("林晓禾").client).status_code == 403


class TestTokens:
    def test_the_id_token_says_who_how_when_and_for_whom(self, program, su, officer):
        given = tokens_of(program, su)
        said = claims(given["id_token"])
        assert (said["iss"], said["aud"], said["nonce"]) == (provider.issuer(), program.client_id, "n-1")
        assert said["acr"] == "urn:liangzhu:acr:2"
        assert said["at_hash"] == signing.half_hash(given["access_token"])
        assert said["auth_time"] <= said["iat"] < said["exp"]
        assert officer.username not in json.dumps(said)
        about = program.about(given["access_token"]).json()
        assert about == {"sub": said["sub"], "kind": "staff", "name": "李四"}

    def test_every_sign_in_to_an_application_is_a_leaf(self, program, su):
        before = LogLeaf.objects.filter(action="applications.sign_on").count()
        tokens_of(program, su)
        leaf = LogLeaf.objects.filter(action="applications.sign_on").last()
        assert LogLeaf.objects.filter(action="applications.sign_on").count() == before + 1
        assert leaf.subject == str(SignOn.objects.get().ref)

    def test_subjects_are_pairwise_by_sector_and_steady(self, keeper, reviewer, su):
        one = publish(keeper.actor, reviewer.actor, residents=False)
        two = publish(keeper.actor, reviewer.actor, title="二", residents=False, sector="other.example")
        three = publish(keeper.actor, reviewer.actor, title="三", residents=False, sector="other.example")
        subs = [claims(tokens_of(each, su)["id_token"])["sub"] for each in (one, two, three, one)]
        assert subs[0] == subs[3] != subs[1] == subs[2]

    def test_a_code_used_twice_ends_what_came_of_it(self, program, su):
        code = program.code(su)
        first = program.token(code=code).json()
        again = program.token(code=code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert program.about(first["access_token"]).status_code == 401
        assert program.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
        assert SignOn.objects.get().end_reason == "replayed"

    def test_an_expired_code_opens_nothing_and_ends_what_came_of_it(self, program, su, monkeypatch):
        code = program.code(su)
        first = program.token(code=code).json()
        late = tokens.seconds() + 61
        monkeypatch.setattr(tokens, "seconds", lambda: late)
        assert program.token(code=code).json()["error"] == "invalid_grant"
        assert program.about(first["access_token"]).status_code == 401
        assert program.token(code=program.code(su) + "x").json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("form", "status", "error"),
        [
            ({"code_verifier": "b" * 43}, 400, "invalid_grant"),
            ({"code_verifier": None}, 400, "invalid_request"),
            ({"redirect_uri": BACK + "2"}, 400, "invalid_request"),
            ({"client_secret": "lzs_wrong"}, 401, "invalid_client"),
            ({"client_secret": None}, 401, "invalid_client"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
            ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
            ({"code": "lzc_AAAA"}, 400, "invalid_grant"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(self, program, su, form, status, error):
        answer = program.token(**({"code": program.code(su)} | form))
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer["Cache-Control"] == "no-store"

    def test_a_code_is_for_the_application_that_asked(self, program, keeper, reviewer, su):
        other = publish(keeper.actor, reviewer.actor, title="另一个")
        assert other.token(code=program.code(su)).json()["error"] == "invalid_grant"

    def test_refresh_tokens_rotate_and_an_old_one_ends_the_sign_on(self, program, su):
        first = tokens_of(program, su)
        second = program.refresh(first["refresh_token"]).json()
        assert claims(second["id_token"])["sub"] == claims(first["id_token"])["sub"]
        assert "nonce" not in claims(second["id_token"])
        assert program.about(second["access_token"]).status_code == 200
        assert program.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
        assert program.about(second["access_token"]).status_code == 401

    def test_userinfo_takes_access_tokens_of_ours_only(self, program, su):
        given = tokens_of(program, su)
        for other in (given["refresh_token"], given["id_token"], "lza_AAAA", "lz_" + "a" * 48):
            answer = program.about(other)
            assert answer.status_code == 401
            assert 'error="invalid_token"' in answer["WWW-Authenticate"]
        assert program.machine.get(provider.PATHS["userinfo_endpoint"]).status_code == 401

    def test_another_applications_token_revokes_nothing(self, program, keeper, reviewer, su):
        other = publish(keeper.actor, reviewer.actor, title="另一个")
        given = tokens_of(program, su)
        named = {"client_id": other.client_id, "client_secret": other.secret}
        assert other.post("revocation_endpoint", named | {"token": given["access_token"]}).status_code == 200
        assert other.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
        assert program.about(given["access_token"]).status_code == 200
        named = {"client_id": program.client_id, "client_secret": program.secret}
        assert (
            program.post("revocation_endpoint", named | {"token": given["refresh_token"]}).status_code == 200
        )
        assert program.about(given["access_token"]).status_code == 401

    def test_one_means_of_proof_at_a_time(self, program, su):
        basic = {"HTTP_AUTHORIZATION": "Basic bHo6eA=="}
        form = {"grant_type": "authorization_code", "code": "x", "client_secret": "y"}
        assert program.post("token_endpoint", form, **basic).json()["error"] == "invalid_client"

    def test_an_old_secret_opens_as_long_as_was_said(self, program, keeper, su):
        new = actions.make_secret(keeper.actor, application_id=program.row.pk, hours=1).text
        assert program.token(code=program.code(su)).status_code == 200
        assert program.token(code=program.code(su), client_secret=new).status_code == 200
        program.row.refresh_from_db()
        program.row.old_secret_until -= timedelta(hours=2)
        program.row.save()
        assert program.token(code=program.code(su)).status_code == 401

    def test_keys_rotate_and_what_the_old_one_signed_is_verified_still(self, program, su):
        def check(token):
            ring = jwt.PyJWKSet.from_dict(program.machine.get(provider.PATHS["jwks_uri"]).json())
            key = ring[jwt.get_unverified_header(token)["kid"]]
            return jwt.decode(token, key, ["RS256"], audience=program.client_id)["sub"]

        old = tokens_of(program, su)["id_token"]
        keyring.rotate(SYSTEM, purpose="sign_on_rs")
        keys.forget_cached()
        new = tokens_of(program, su)["id_token"]
        assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
        assert check(old) == check(new)
        assert all("d" not in one for one in signing.jwks()["keys"])


class TestAssertions:
    @pytest.fixture
    def pair(self):
        return ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture
    def signed(self, keeper, reviewer, pair):
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(pair.public_key())) | {"kid": "k1"}
        return publish(
            keeper.actor, reviewer.actor, method="private_key_jwt", jwks=json.dumps({"keys": [public]})
        )

    def assertion(self, program, key, algorithm="ES256", **more):
        moment = tokens.seconds()
        said = {
            "iss": program.client_id,
            "sub": program.client_id,
            "aud": provider.issuer(),
            "exp": moment + 60,
            "jti": "j-1",
        } | more
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, key, algorithm, headers={"kid": "k1"})

    def redeem(self, program, browser, assertion):
        return program.token(
            code=program.code(browser),
            client_secret=None,
            client_assertion=assertion,
            client_assertion_type=provider.ASSERTION,
        )

    def test_a_signed_assertion_opens_once(self, signed, pair, su):
        text = self.assertion(signed, pair)
        assert self.redeem(signed, su, text).status_code == 200
        assert self.redeem(signed, su, text).json()["error"] == "invalid_client"

    @pytest.mark.parametrize(
        "more",
        [
            {"aud": "https://elsewhere.example"},
            {"exp": 1},
            {"exp": 4_000_000_000},
            {"exp": None},
            {"jti": None},
            {"iss": "lz-other"},
            {"sub": "lz-other"},
        ],
    )
    def test_one_that_is_not_for_us_short_and_its_own_opens_nothing(self, signed, pair, su, more):
        assert self.redeem(signed, su, self.assertion(signed, pair, **more)).status_code == 401

    def test_none_a_symmetric_and_a_strange_key_open_nothing(self, signed, pair, su):
        strange = ec.generate_private_key(ec.SECP256R1())
        for text in (
            self.assertion(signed, None, "none"),
            self.assertion(signed, "x" * 40, "HS256"),
            self.assertion(signed, strange),
            "x.y.z",
        ):
            assert self.redeem(signed, su, text).json()["error"] == "invalid_client"

    def test_a_secret_does_not_open_beside_a_key(self, signed, keeper, su):
        assert signed.token(code=signed.code(su), client_secret="").status_code == 401
        with pytest.raises(actions.StepNotAllowed):
            actions.make_secret(keeper.actor, application_id=signed.row.pk)


class TestFreshness:
    def test_prompt_login_and_max_age_ask_for_the_password_again(self, program, su, monkeypatch):
        path, query = asked_for(program.ask(su, prompt="login"))
        assert path == "/account/reauthenticate/"
        assert "lz_since" in query["next"]
        assert asked_for(program.ask(su, max_age="0"))[0] == "/account/reauthenticate/"
        assert "code" in found(program.ask(su, max_age="3600"))
        assert found(program.ask(su, prompt="none", max_age="0"))["error"] == "login_required"

    def test_a_sign_in_since_then_counts_and_one_before_does_not(self, program, su):
        proved = claims(tokens_of(program, su)["id_token"])["auth_time"]
        assert "code" in found(program.ask(su, prompt="login", lz_since=str(proved)))
        later = str(proved + 3600)
        assert asked_for(program.ask(su, prompt="login", lz_since=later))[0] == "/account/reauthenticate/"

    def test_a_resident_is_sent_to_the_province_again(self, program, as_resident):
        lin = as_resident("林晓禾")
        path, query = asked_for(program.ask(lin.client, prompt="login"))
        assert (path, query["again"]) == ("/my/sign-in/", "1")


class TestLevels:
    def test_the_level_asked_for_is_asked_of_the_province_and_stands_in_the_token(self, program, as_resident):
        lin = as_resident("林晓禾", level=2)
        path, query = asked_for(program.ask(lin.client, acr_values="urn:liangzhu:acr:3"))
        assert (path, query["level"]) == ("/my/sign-in/", "3")
        silent = program.ask(lin.client, acr_values="urn:liangzhu:acr:3", prompt="none")
        assert found(silent)["error"] == "interaction_required"
        ResidentSession.objects.filter(pk=lin.session_id).update(assurance=3)
        said = claims(tokens_of(program, lin.client, acr_values="urn:liangzhu:acr:3")["id_token"])
        assert (said["acr"], said["amr"]) == ("urn:liangzhu:acr:3", ["province"])

    def test_the_applications_own_level_holds_whatever_is_asked(self, keeper, reviewer, as_resident, su):
        strict = publish(keeper.actor, reviewer.actor, level=3)
        assert asked_for(strict.ask(as_resident().client))[1]["level"] == "3"
        page = strict.ask(su, acr_values="urn:liangzhu:acr:1")
        assert page.status_code == 403
        assert "第二因素" in page.content.decode()


class TestConsent:
    @pytest.fixture
    def outside(self, keeper, reviewer):
        return publish(
            keeper.actor,
            reviewer.actor,
            government=False,
            scopes={"profile": "称呼您", "identity": "核对参保人"},
        )

    def agree(self, browser, page, **answer):
        return browser.post(page.context["action"], answer or {"agree": "1"})

    def test_a_resident_is_asked_once_and_told_what_and_why(self, outside, as_resident, reads_logged):
        lin = as_resident("林晓禾")
        assert found(outside.ask(lin.client, prompt="none"))["error"] == "consent_required"
        page = outside.ask(lin.client, scope="openid profile identity")
        text = page.content.decode()
        assert "证件类型和号码" in text
        assert "核对参保人" in text
        onward = self.agree(lin.client, page)
        assert "code=" in onward.context["address"]
        with reads_logged():
            given = tokens_of(outside, lin.client, scope="openid profile identity")
            about = outside.about(given["access_token"]).json()
        assert (about["kind"], about["name"]) == ("resident", "林晓禾")
        assert len(about["document_number"]) == 18

    def test_no_goes_back_as_access_denied(self, outside, as_resident):
        lin = as_resident("林晓禾")
        onward = self.agree(lin.client, outside.ask(lin.client), refuse="1")
        assert "error=access_denied" in onward.context["address"]
        assert not Consent.objects.exists()

    def test_a_consent_that_is_taken_back_ends_the_sign_on(self, outside, as_resident):
        lin = as_resident("林晓禾")
        self.agree(lin.client, outside.ask(lin.client))
        given = tokens_of(outside, lin.client)
        page = lin.client.get("/my/consents/").content.decode()
        assert "应用“执法办案系统”" in page
        lin.client.post(f"/my/consents/{Consent.objects.get().pk}/end/")
        drain()
        assert outside.about(given["access_token"]).status_code == 401
        assert outside.ask(lin.client).context["wanted"]

    def test_who_acts_for_a_firm_shows_it(self, keeper, reviewer, as_resident):
        firms = publish(
            keeper.actor,
            reviewer.actor,
            residents=False,
            staff=False,
            enterprises=True,
            scopes={"organisation": "认出企业"},
        )
        lin = as_resident("林晓禾", firm=("91320700MA1NXJ2X4E", "海州晓禾诊所"))
        given = tokens_of(firms, lin.client, scope="openid organisation")
        told = firms.about(given["access_token"]).json()["organisation"]
        assert told == {"name": "海州晓禾诊所", "uscc": "91320700MA1NXJ2X4E", "capacity": "法定代表人"}


class TestEndings:
    def test_a_staff_session_that_ends_anyhow_ends_its_sign_ons(self, program, su, officer, admin):
        given = tokens_of(program, su)
        su.post("/access/logout/")
        assert program.about(given["access_token"]).status_code == 401
        other = officer.client
        given = tokens_of(program, other)
        code = program.code(other)
        access_actions.close_account(admin.actor, account_id=officer.account.pk, reason="离职")
        assert program.about(given["access_token"]).status_code == 401
        assert program.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
        assert program.token(code=code).json()["error"] == "invalid_grant"
        drain()
        assert not SignOn.objects.filter(ended_at=None).exists()

    def test_a_residents_session_that_is_ended_elsewhere_ends_its_sign_ons(self, program, as_resident):
        lin = as_resident("林晓禾")
        given = tokens_of(program, lin.client)
        assert program.about(given["access_token"]).status_code == 200
        lin.client.post(f"/my/sessions/{lin.session_id}/end/")
        assert program.about(given["access_token"]).status_code == 401
        drain()
        assert SignOn.objects.get().end_reason == "session"

    def test_a_withdrawn_application_loses_everything_at_once(self, program, su, keeper):
        given, code = tokens_of(program, su), program.code(su)
        actions.withdraw(keeper.actor, application_id=program.row.pk, reason="停用")
        assert program.about(given["access_token"]).status_code == 401
        assert program.refresh(given["refresh_token"]).status_code == 401
        assert program.token(code=code).status_code == 401

    def test_the_notice_of_the_end_is_signed_and_tried_again(self, keeper, reviewer, su, monkeypatch):
        program = publish(keeper.actor, reviewer.actor, backchannel_uri="http://127.0.0.1:9/gone")
        said = claims(tokens_of(program, su)["id_token"])
        su.post("/access/logout/")
        drain()
        posted, status = [], [503]
        monkeypatch.setattr(
            handlers.neighbours, "call", lambda address, form: posted.append((address, form)) or status[0]
        )
        assert handlers.tell_owed() == 1
        owed = Notice.objects.get()
        assert (owed.attempts, owed.told_at) == (1, None)
        assert "503" in owed.words
        assert handlers.tell_owed() == 0
        Notice.objects.update(try_at=None)
        status[0] = 204
        handlers.tell_owed()
        assert Notice.objects.get().told_at
        address, form = posted[-1]
        assert address == "http://127.0.0.1:9/gone"
        head, body = jwt.get_unverified_header(form["logout_token"]), claims(form["logout_token"])
        assert head["typ"] == "logout+jwt"
        assert (body["sub"], body["sid"], body["aud"]) == (said["sub"], said["sid"], program.client_id)
        assert "http://schemas.openid.net/event/backchannel-logout" in body["events"]
        assert "nonce" not in body
        assert signing.hint(form["logout_token"], provider.issuer()) is None

    def test_an_application_logs_its_user_out_here_and_gets_him_back(self, keeper, reviewer, su):
        gone = "http://127.0.0.1:9/bye"
        program = publish(keeper.actor, reviewer.actor, logout_uris=(gone,))
        given = tokens_of(program, su)
        asked = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": gone, "state": "z"}
        assert su.get("/oidc/logout/", asked | {"post_logout_redirect_uri": gone + "2"}).status_code == 400
        question = su.get("/oidc/logout/", {"client_id": program.client_id})
        assert "同时退出本平台" in question.content.decode()
        stayed = su.post(question.context["action"], {"stay": "1"})
        assert stayed.status_code == 302
        assert "code" in found(program.ask(su, prompt="none"))
        answer = su.get("/oidc/logout/", asked)
        assert answer.context["address"] == f"{gone}?state=z"
        assert found(program.ask(su, prompt="none"))["error"] == "login_required"


def test_the_published_addresses_are_served_and_complete(client):
    found_there = client.get("/.well-known/openid-configuration").json()
    assert found_there == client.get("/.well-known/oauth-authorization-server").json()
    assert found_there["issuer"] == provider.issuer()
    assert found_there["subject_types_supported"] == ["pairwise"]
    assert found_there["code_challenge_methods_supported"] == ["S256"]
    for path in provider.PATHS.values():
        assert client.get(path).status_code != 404, path


def test_means_are_said_in_the_words_of_the_standard():
    assert people.amr("password totp") == ["pwd", "otp", "mfa"]
    assert people.amr("webauthn") == ["hwk", "user", "mfa"]
