"""JSON Web Tokens as keys: who is let in by them, where their keys come from, and what a hostile one may cost."""

import json
import signal
import time

import pytest

from harness.backends import Echoes, Models
from harness.client import assert_envelope
from harness.gateway import KEY, basic_config, free_port
from harness.tokens import SECRET, Key, KeyServer, encoded, hs256
from harness.waiting import until


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def elliptic(directory):
    return Key(directory, "e")


@pytest.fixture(scope="module")
def rsa(directory):
    return Key(directory, "r", "RS256")


@pytest.fixture
def run(start, backend):
    """`run(jwt={...})`: a gateway that believes these tokens, and no key unless one is given."""

    def run(keys=None, kind=Models, **jwt):
        return start(backend(kind), auth={"keys": keys, "jwt": jwt})

    return run


def ask(gateway, token, header="Authorization", method="GET", path="/v1/models"):
    value = f"Bearer {token}" if header == "Authorization" else token
    return gateway.client(key=None).request(method, path, {header: value}).response()


def refused(gateway, token, why=None):
    answer = ask(gateway, token)
    assert_envelope(answer, 401, "invalid_request_error", "invalid_api_key", message="Incorrect API key provided")
    assert len(token) < 12 or token.encode() not in answer.body
    if why:
        record = gateway.logged(status=401, id=answer.header("x-request-id"))
        assert why in record["detail"], record
        assert token.split(".")[-1] not in str(record) or token.endswith(".")
    return answer


# Who is let in


@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_a_token_signed_with_the_secret_is_let_in_and_named_in_the_log(run, header):
    gateway = run(secret=SECRET)
    assert ask(gateway, hs256(), header).status == 200
    assert gateway.logged(path="/v1/models")["key"] == "alice"


@pytest.mark.parametrize("name", ["elliptic", "rsa"])
@pytest.mark.parametrize("source", ["public_key_file", "jwks_file", "jwks_url"])
def test_a_token_signed_with_a_private_key_is_let_in(run, backend, request, directory, name, source):
    key = request.getfixturevalue(name)
    if source == "public_key_file":
        gateway = run(public_key_file=str(key.public))
    elif source == "jwks_file":
        file = directory / f"{name}.json"
        file.write_text(json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}, key.member()]}))
        gateway = run(jwks_file=str(file))
    else:
        gateway = run(jwks_url=backend(KeyServer, key).url + "/keys")
    for _ in range(3):
        assert ask(gateway, key.token()).status == 200
    refused(gateway, key.token()[:-4] + "AAAA")


def test_what_is_wrong_with_a_token_is_told_to_the_operator_alone(run, elliptic):
    gateway = run(secret=SECRET, issuer="https://login.example", audience="models", leeway_seconds=0)
    good = {"iss": "https://login.example", "aud": ["models", "x"]}
    assert ask(gateway, hs256(**good)).status == 200
    refused(gateway, hs256(**{**good, "exp": 1_000_000_000}), "expired")
    refused(gateway, hs256(**{**good, "exp": None}), "claim \"exp\": missing")
    refused(gateway, hs256(**{**good, "nbf": 4_000_000_000}), "not valid yet")
    refused(gateway, hs256(**{**good, "iss": "https://login.example/"}), "claim \"iss\"")
    refused(gateway, hs256(**{**good, "aud": "model"}), "claim \"aud\"")
    refused(gateway, hs256(**{**good, "exp": "4000000000"}), "claim \"exp\": no number")
    refused(gateway, hs256(**good, secret=SECRET + "x"), "signature")
    refused(gateway, elliptic.token(**good), "algorithm \"ES256\"")


def test_a_token_without_an_end_is_let_in_where_that_is_allowed(run):
    assert ask(run(secret=SECRET, require_exp=False), hs256(exp=None)).status == 200


def test_a_public_key_is_never_a_secret(run, rsa):
    gateway = run(public_key_file=str(rsa.public))
    pem = rsa.public.read_bytes()
    for secret in [pem, pem.strip(), pem.decode().replace("\n", "\r\n").encode()]:
        refused(gateway, hs256(secret), "algorithm \"HS256\"")
        refused(gateway, hs256(secret, header={"alg": "RS256"}), "signature")


def test_a_token_that_says_it_needs_no_signature_is_refused(run):
    gateway = run(secret=SECRET)
    body = hs256().split(".")[1]
    for name in ["none", "None", "NONE"]:
        refused(gateway, f"{encoded({'alg': name})}.{body}.", "algorithm")
    refused(gateway, f"{hs256().rpartition('.')[0]}.", "signature")


def test_a_key_that_a_token_brings_along_is_not_used(run, backend, elliptic, directory):
    mine, server = Key(directory, "e"), backend(KeyServer, elliptic)
    elsewhere = backend(KeyServer, mine)
    gateway = run(jwks_url=server.url)
    refused(gateway, mine.token(header={"jwk": mine.member(), "jku": elsewhere.url, "x5u": elsewhere.url}), "signature")
    assert not elsewhere.connections


HOSTILE = {
    "nested": "eyJ4Ijo" + encoded('{"alg":"HS256","x":' + "[" * 8000)[3:] + ".e30.AAAA",
    "nested claims": encoded({"alg": "HS256"}) + "." + encoded('{"a":' * 2000) + ".AAAA",
    "a huge number": encoded('{"alg":"HS256","kid":1e400}') + ".e30.AAAA",
    "binary": encoded(bytes(range(256)) * 8) + ".e30.AAAA",
    "a brace of noise": encoded(b"{" + bytes(range(256)) * 8) + "." + encoded(bytes(range(256))) + ".AAAA",
    "sixteen KiB": encoded({"alg": "HS256"}) + ".e30." + "A" * (16_384 - 27),
    "more than that": encoded({"alg": "HS256"}) + ".e30." + "A" * 20_000,
    "an id of noise": encoded({"alg": "HS256", "kid": "\x00\x1b\n\"" * 50}) + ".e30.AAAA",
    "a member twice": encoded('{"alg":"none","alg":"HS256"}') + ".e30.AAAA",
    "parts of nothing": "eyJ..",
    "one character": "e",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_token_at_all_makes_it_crash(run, name):
    gateway = run(secret=SECRET)
    refused(gateway, HOSTILE[name])
    assert ask(gateway, hs256()).status == 200


def test_claims_of_any_type_are_read_or_refused_and_never_trapped_on(run):
    gateway = run(secret=SECRET)
    for value in [1e300, -1e300, 9223372036854775807, 1e-300, True, [], {}, [[[]]], "x" * 5000, [1, "a"], {"a": {"b": None}}]:
        for name in ["sub", "exp", "nbf", "scope", "models", "account", "other"]:
            assert ask(gateway, hs256(**{name: value})).status in (200, 401, 403)


def test_a_token_cut_anywhere_is_refused(run):
    gateway, token = run(secret=SECRET), hs256()
    for at in range(1, len(token), 7):
        refused(gateway, token[:at])


# What a holder may do


def test_permissions_are_those_of_the_scope(run):
    gateway = run(secret=SECRET)
    for scope, looks, works in [(None, 200, 200), ("read", 200, 403), (["read", "proxy"], 200, 200), ("openid", 403, 403), ("proxy", 403, 403)]:
        token = hs256(scope=scope)
        assert ask(gateway, token).status == looks
        assert gateway.client(key=token).chat().response().status == works


def test_models_are_those_of_the_token_and_others_are_not_there(run):
    gateway = run(secret=SECRET)
    for models, status in [(["m"], 200), (["other"], 404), ([], 404)]:
        assert gateway.client(key=hs256(models=models)).chat().response().status == status
    assert [m["id"] for m in ask(gateway, hs256(models=["other"])).json()["data"]] == []


def test_claims_may_have_other_names(run):
    gateway = run(secret=SECRET, claims={"name": "email", "permissions": "https://x/roles"})
    assert ask(gateway, hs256(email="a@b", **{"https://x/roles": ["read"]})).status == 200
    assert gateway.logged(path="/v1/models")["key"] == "a@b"
    refused(gateway, hs256(), 'claim "email"')


def test_a_client_s_token_does_not_reach_the_backend(run):
    token = hs256()
    answer = ask(run(secret=SECRET, kind=Echoes), token, path="/v1/files")
    assert answer.status == 200 and token.encode() not in answer.body


# Beside other credentials


def test_tokens_and_keys_are_good_beside_each_other_and_one_good_one_is_enough(run):
    gateway = run(keys=[{"name": "tests", "value": KEY}], secret=SECRET)
    token, wrong = hs256(), hs256(secret="x" * 32)
    assert gateway.client().get("/v1/models").status == 200
    assert ask(gateway, token).status == 200
    for bearer, key in [(token, "sk-wrong"), ("sk-wrong", token), (wrong, token), (token, wrong), (wrong, KEY), (KEY, wrong)]:
        for _ in range(2):
            assert gateway.client(key=None).get("/v1/models", {"Authorization": f"Bearer {bearer}", "x-api-key": key}).status == 200
    assert gateway.client(key=None).get("/v1/models", {"Authorization": f"Bearer {wrong}", "x-api-key": "sk-wrong"}).status == 401
    assert gateway.client(key=None).get("/v1/models").status == 401
    refused(gateway, "sk-wrong")


# Time, and reload


def test_a_token_is_let_in_until_it_ends_and_not_because_it_was_before(run):
    gateway, end = run(secret=SECRET, leeway_seconds=0), int(time.time()) + 2
    token = hs256(exp=end)
    assert ask(gateway, token).status == 200
    until("the token to be refused", lambda: ask(gateway, token).status == 401, seconds=10)
    assert time.time() >= end
    refused(gateway, token, "expired")


def reload(gateway, **jwt):
    before = len(gateway.errors)
    gateway.config["auth"]["jwt"] = jwt
    gateway.write()
    gateway.signal(signal.SIGHUP)
    return until("the reload", lambda: next((line for line in gateway.errors[before:] if "sluice: reload" in line), None))


def test_a_reload_with_another_secret_refuses_what_the_old_one_signed(run):
    gateway, old = run(secret=SECRET), hs256()
    assert ask(gateway, old).status == 200
    assert "reloaded" in reload(gateway, secret="another-secret-of-thirty-two-bytes")
    refused(gateway, old, "signature")
    assert ask(gateway, hs256("another-secret-of-thirty-two-bytes")).status == 200


def test_a_reload_reads_the_file_of_keys_again_and_a_broken_one_changes_nothing(run, directory, elliptic):
    file, new = directory / "reloaded.json", Key(directory, "n")
    file.write_text(json.dumps({"keys": [elliptic.member()]}))
    gateway, old = run(jwks_file=str(file)), elliptic.token()
    assert ask(gateway, old).status == 200
    file.write_text("{")
    assert "refused" in reload(gateway, jwks_file=str(file))
    assert ask(gateway, old).status == 200
    file.write_text(json.dumps({"keys": [new.member()]}))
    assert "reloaded" in reload(gateway, jwks_file=str(file))
    refused(gateway, old, 'no key "e"')
    assert ask(gateway, new.token()).status == 200


def test_a_reload_does_not_need_the_key_server(run, backend, elliptic):
    server = backend(KeyServer, elliptic)
    gateway = run(jwks_url=server.url)
    assert ask(gateway, elliptic.token()).status == 200
    server.stop()
    assert "reloaded" in reload(gateway, jwks_url=server.url, issuer="https://login.example")
    assert ask(gateway, elliptic.token(iss="https://login.example")).status == 200
    refused(gateway, elliptic.token(), 'claim "iss"')


# The key server


def test_a_set_is_asked_for_once_and_not_for_each_token(run, backend, elliptic, rsa):
    server = backend(KeyServer, elliptic, rsa)
    gateway = run(jwks_url=server.url + "/keys")
    assert not server.requests, "nobody needs it at the start"
    for _ in range(5):
        assert ask(gateway, elliptic.token()).status == 200
        assert ask(gateway, rsa.token()).status == 200
    assert [request.target for request in server.requests] == ["/keys"]


def test_clients_that_come_together_wait_for_one_fetch(run, backend, elliptic):
    server = backend(KeyServer, elliptic)
    server.holding = True
    gateway = run(jwks_url=server.url)
    clients = [gateway.client(key=elliptic.token()).request("GET", "/v1/models") for _ in range(10)]
    server.saw()
    server.release()
    assert [client.response().status for client in clients] == [200] * 10
    assert len(server.requests) == 1


def test_a_new_key_is_known_at_its_first_token_and_an_old_one_is_gone(run, backend, directory, elliptic):
    server, new = backend(KeyServer, elliptic), Key(directory, "new")
    gateway, old = run(jwks_url=server.url), elliptic.token()
    assert ask(gateway, old).status == 200
    server.keys = [new]
    assert ask(gateway, new.token()).status == 200
    refused(gateway, old, 'no key "e"')
    assert len(server.requests) == 2


def test_random_key_ids_do_not_make_it_ask_each_time(run, backend, elliptic):
    server = backend(KeyServer, elliptic)
    gateway = run(jwks_url=server.url)
    for number in range(50):
        refused(gateway, elliptic.token(header={"kid": f"random-{number}"}))
    assert ask(gateway, elliptic.token()).status == 200
    assert len(server.requests) <= 3


def test_wrong_signatures_do_not_make_it_ask_each_time(run, backend, elliptic, directory):
    server, other = backend(KeyServer, elliptic), Key(directory, "e")
    gateway = run(jwks_url=server.url)
    for _ in range(20):
        refused(gateway, other.token(), "signature")
    assert len(server.requests) <= 3


def unavailable(gateway, token):
    answer = ask(gateway, token)
    if answer.status == 503:
        assert answer.json()["error"]["code"] == "auth_unavailable"
    return answer.status == 503


def test_without_a_key_server_tokens_are_no_verdict_and_once_it_is_there_they_are(run, backend, elliptic):
    port = free_port()
    gateway = run(keys=[{"name": "tests", "value": KEY}], jwks_url=f"http://127.0.0.1:{port}/")
    assert unavailable(gateway, elliptic.token())
    assert "connection refused" in gateway.logged(status=503)["detail"]
    assert gateway.client().get("/v1/models").status == 200, "keys of the file need nobody"
    refused(gateway, "sk-wrong")
    backend(KeyServer, elliptic, port=port)
    until("the token to be let in", lambda: ask(gateway, elliptic.token()).status == 200)


def test_when_the_key_server_goes_its_keys_are_used_on_for_a_while(run, backend, elliptic):
    server = backend(KeyServer, elliptic)
    gateway = run(jwks_url=server.url, refresh_seconds=0.2, stale_seconds=1.5)
    token = elliptic.token()
    assert ask(gateway, token).status == 200
    server.stop()
    assert ask(gateway, elliptic.token()).status == 200
    until("the set to end", lambda: unavailable(gateway, elliptic.token()))
    assert unavailable(gateway, token), "what was verified with it ends with it"


def test_a_set_is_asked_for_again_in_time_and_a_key_that_was_taken_out_is_gone(run, backend, directory, elliptic):
    server, new = backend(KeyServer, elliptic), Key(directory, "new")
    gateway, token = run(jwks_url=server.url, refresh_seconds=0.3), elliptic.token()
    assert ask(gateway, token).status == 200
    server.keys = [new]
    until("the old token to be refused", lambda: ask(gateway, token).status == 401)


GARBAGE = {
    "html": (200, b"<html>"),
    "nothing": (200, b""),
    "an error": (500, b'{"keys":[]}'),
    "a redirect": (302, b""),
    "no keys": (200, b'{"keys":[]}'),
    "keys of other kinds": (200, b'{"keys":[{"kty":"oct","k":"YS1zZWNyZXQ"},{"kty":"OKP"},null,1]}'),
    "nested": (200, b"[" * 100_000),
    "huge": (200, b'{"keys":[' + b" " * 2_000_000 + b"]}"),
    "noise": (200, bytes(range(256)) * 100),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_a_key_server_that_sends_no_keys_lets_nobody_in_and_does_not_take_the_good_ones_away(run, backend, elliptic, name):
    server = backend(KeyServer, elliptic)
    server.status, server.body = GARBAGE[name]
    gateway = run(jwks_url=server.url, refresh_seconds=0.1)
    assert unavailable(gateway, elliptic.token())
    server.status, server.body = 200, None
    until("the token to be let in", lambda: ask(gateway, elliptic.token()).status == 200)
    server.status, server.body = GARBAGE[name]
    asked = len(server.requests)
    until("the set to be asked for again", lambda: ask(gateway, elliptic.token()).status == 200 and len(server.requests) > asked)
    assert ask(gateway, elliptic.token()).status == 200


def test_a_slow_key_server_holds_up_tokens_alone_and_a_client_that_leaves_meanwhile_hurts_nobody(run, backend, elliptic):
    server = backend(KeyServer, elliptic)
    server.holding = True
    gateway = run(keys=[{"name": "tests", "value": KEY}], jwks_url=server.url)
    leaver = gateway.client(key=elliptic.token()).request("GET", "/v1/models")
    server.saw()
    waiter = gateway.client(key=elliptic.token()).request("GET", "/v1/models")
    assert gateway.client().get("/v1/models").status == 200
    leaver.reset()
    gateway.logged(outcome="client_left")
    server.release()
    assert waiter.response().status == 200
    assert len(server.requests) == 1


def test_a_key_server_is_verified_over_tls(start, backend, certificates, elliptic):
    def https(name):
        return backend(KeyServer, elliptic, tls=certificates.server_context(name)).url

    for name, status in [("good", 200), ("elsewhere", 503), ("alone", 503)]:
        config = basic_config(free_port(), backend(Models), auth={"keys": None, "jwt": {"jwks_url": https(name)}})
        gateway = start(config=config, environment={"SSL_CERT_FILE": str(certificates.authority)})
        assert ask(gateway, elliptic.token()).status == status, name


# What the operator sees


def test_the_banner_names_the_issuer_and_nothing_shows_the_secret(run):
    gateway = run(secret=SECRET, issuer="https://login.example")
    until("the banner", lambda: any("tokens of https://login.example" in line for line in gateway.errors))
    ask(gateway, hs256(iss="https://login.example"))
    gateway.logged(path="/v1/models")
    assert SECRET not in gateway.text()


def test_an_upload_with_a_wrong_token_is_not_asked_for_its_body(run):
    client = run(secret=SECRET).client(key=hs256(secret="x" * 32))
    client.send(client.head("POST", "/v1/files", {"Content-Type": "application/octet-stream", "Expect": "100-continue"}, 1000))
    assert client.response_head().status == 401


def test_many_clients_with_many_tokens_on_several_threads_are_all_let_in(start, backend, elliptic, rsa):
    server = backend(KeyServer, elliptic, rsa)
    gateway = start(backend(Models), workers=4, auth={"keys": None, "jwt": {"jwks_url": server.url}})
    tokens = [key.token(sub=f"{key.id}-{n}") for n in range(5) for key in (elliptic, rsa)]
    clients = [gateway.client(key=token).request("GET", "/v1/models") for token in tokens for _ in range(6)]
    assert {client.response().status for client in clients} == {200}
    assert len(server.requests) == 1
