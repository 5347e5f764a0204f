"""Keys that are made, rotated and revoked while the gateway runs, by the command line and through its own API."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from harness.backends import Echoes
from harness.client import assert_envelope
from harness.gateway import KEY, binary
from harness.keys import PREFIX, KeyStore
from harness.rows import row
from harness.waiting import until

ADMIN = "sk-tests-of-the-admin-0123456789"
KEYS = [{"name": "tests", "value": KEY}, {"name": "boss", "value": ADMIN, "permissions": ["read", "proxy", "admin"]}]


@pytest.fixture
def store(tmp_path):
    return KeyStore(tmp_path / "keys.db")


@pytest.fixture
def gateway(start, backend, store):
    """One with four workers, a store, and two keys of its file, one of which may manage keys."""
    return start(backend(Echoes), workers=4, auth={"keys": KEYS, "store": {"path": str(store.path)}})


def admin(gateway, method, path, body=None, key=ADMIN, prefix="/v1", **rest):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    return gateway.client(key=key).request(method, f"{prefix}/admin{path}", headers, body, **rest).response()


def made(gateway, **members):
    answer = admin(gateway, "POST", "/keys", {"name": "made", **members})
    assert answer.status == 201, answer
    return answer.json()


def status(gateway, key, target="/v1/files"):
    return gateway.client(key=key).get(target).status


# Making and using


@row("MP-03", "MP-08")
def test_a_key_of_the_command_line_works_at_once_in_a_gateway_that_runs(gateway, store):
    key = store.good("create", "--name", "alice").strip()
    assert re.fullmatch(r"mp_live_[A-Za-z0-9]{40}", key)
    assert status(gateway, key) == 200
    assert gateway.client(key=None).get("/v1/files", {"x-api-key": key}).status == 200
    assert gateway.logged(key="alice", path="/v1/files")["status"] == 200


@row("MP-03", "MP-08")
def test_a_key_of_the_api_works_at_once(gateway, store):
    key = made(gateway, name="bob")
    assert key["object"] == "key" and key["key"].startswith(PREFIX) and key["hint"] == key["key"][:12]
    assert status(gateway, key["key"]) == 200
    assert [one["id"] for one in store.list()] == [key["id"]]


def test_keys_of_the_file_are_good_beside_those_of_the_store(gateway, store):
    key = store.create("alice")["key"]
    client = gateway.client(key=None)
    for one in (KEY, key, ADMIN):
        assert client.get("/v1/files", {"Authorization": f"Bearer {one}"}).status == 200


@pytest.mark.parametrize("key", [PREFIX, PREFIX + "x" * 40, PREFIX + "x" * 41, PREFIX + "x" * 4000, "mp_live_' OR 1=1 --", "mp_sess_" + "x" * 40])
def test_what_only_looks_like_a_key_is_refused_as_a_wrong_one(gateway, store, key):
    store.create("alice")
    for field in ({"Authorization": f"Bearer {key}"}, {"x-api-key": key}):
        answer = gateway.client(key=None).get("/v1/files", field)
        assert_envelope(answer, 401, "invalid_request_error", "invalid_api_key")


@row("MP-08")
def test_what_a_key_may_do_is_kept_and_told(gateway, store):
    end = int(time.time()) + 3600
    arguments = ["--permission", "read", "--model", "mistral:7b", "--model", "m", "--account", "free", "--expires", "1h"]
    one = store.create("alice", *arguments)
    two = made(gateway, name="bob", permissions=["read"], models=["mistral:7b", "m"], account="free", expires_at=end)
    for key in (one, two):
        assert key["permissions"] == ["read"] and key["models"] == ["mistral:7b", "m"] and key["account"] == "free"
        assert abs(key["expires_at"] - end) <= 5 and key["status"] == "active" and key["revoked_at"] is None
        assert gateway.client(key=key["key"]).get("/v1/models").status == 200
        assert gateway.client(key=key["key"]).chat().response().status == 403
    listed = admin(gateway, "GET", "/keys").json()
    assert listed["object"] == "list"
    assert listed["data"] == [{name: value for name, value in key.items() if name != "key"} for key in (one, two)]
    assert store.list() == listed["data"]


def test_a_key_is_refused_from_the_second_on_at_which_it_expires(gateway):
    key = made(gateway, expires_at=int(time.time()) + 2)["key"]
    client = gateway.client(key=key)
    assert client.get("/v1/files").status == 200
    answer = until("the key to expire", lambda: (one := client.get("/v1/files")).status == 401 and one)
    assert_envelope(answer, 401, "invalid_request_error", "api_key_expired")
    assert admin(gateway, "GET", "/keys").json()["data"][0]["status"] == "expired"


# A secret is shown once


@row("MP-04")
def test_a_secret_is_nowhere_but_in_the_answer_that_showed_it(gateway, store):
    secrets = [store.create("alice")["key"], made(gateway, name="bob")["key"]]
    secrets.append(store.rotate("alice", "--grace", "1h")["key"])
    begun = admin(gateway, "POST", "/sessions")
    secrets.append(re.match(r"sluice_session=([^;]+)", begun.header("set-cookie"))[1])
    for secret in secrets[:3]:
        assert status(gateway, secret) == 200
        assert status(gateway, secret[:-1] + "-") == 401
    said = [store.good("list"), store.good("list", "--json"), admin(gateway, "GET", "/keys").body.decode()]
    gateway.stop()
    said += ["\n".join(gateway.output), "\n".join(gateway.errors)]
    assert len(gateway.output) > 8
    found = [file.read_bytes() for file in store.files()] + [text.encode() for text in said]
    for secret in secrets:
        for data in found:
            assert secret.encode() not in data and secret[12:].encode() not in data


def test_the_store_is_nobody_else_s_to_read(gateway, store):
    store.create("alice")
    assert [oct(file.stat().st_mode & 0o777) for file in store.files()] == ["0o600"] * 3


def test_a_key_alone_is_on_standard_output(store):
    done = store.run("create", "--name", "alice")
    assert re.fullmatch(r"mp_live_[A-Za-z0-9]{40}\n", done.stdout)
    assert "alice" in done.stderr and "once" in done.stderr and done.stdout.strip() not in done.stderr


# Revoking


@row("MP-08")
@pytest.mark.parametrize("way", ["command line", "api", "another gateway"])
def test_a_revoked_key_is_refused_at_its_very_next_request_on_every_core(start, backend, gateway, store, way):
    other = start(backend(Echoes), auth={"keys": KEYS, "store": {"path": str(store.path)}}) if way == "another gateway" else gateway
    for _ in range(5):
        key = store.create("alice")
        # With four workers, that all of 24 connections are another one's is as likely as being struck by lightning.
        clients = [gateway.client(key=key["key"]) for _ in range(24)]
        for client in clients * 2:
            assert client.get("/v1/files").status == 200
        if way == "command line":
            store.revoke(key["id"])
        else:
            assert admin(other, "DELETE", f"/keys/{key['id']}").json()["status"] == "revoked"
        for client in clients:
            assert_envelope(client.get("/v1/files"), 401, "invalid_request_error", "invalid_api_key")
        for client in clients:
            client.close()


def test_keys_that_were_not_revoked_go_on(gateway, store):
    kept, gone = gateway.client(key=store.create("kept")["key"]), store.create("gone")
    assert kept.get("/v1/files").status == 200
    store.revoke("gone")
    assert kept.get("/v1/files").status == 200 and status(gateway, gone["key"]) == 401


# Rotating


@pytest.mark.parametrize("way", ["command line", "api"])
def test_a_rotated_key_s_old_secret_is_good_for_its_grace_and_no_longer(gateway, store, way):
    def rotate(key, grace):
        if way == "command line":
            return store.rotate(key["id"], "--grace", f"{grace}s") if grace else store.rotate(key["id"])
        answer = admin(gateway, "POST", f"/keys/{key['id']}/rotate", {"grace_seconds": grace} if grace else None)
        assert answer.status == 200, answer
        return answer.json()

    one = store.create("alice", "--model", "m")
    assert status(gateway, one["key"]) == 200
    two = rotate(one, 0)
    assert (two["id"], two["models"]) == (one["id"], ["m"]) and two["key"] != one["key"]
    assert status(gateway, one["key"]) == 401 and status(gateway, two["key"]) == 200
    three = rotate(two, 2)
    client = gateway.client(key=two["key"])
    assert client.get("/v1/files").status == 200 and status(gateway, three["key"]) == 200
    until("the grace to end", lambda: client.get("/v1/files").status == 401)
    assert status(gateway, three["key"]) == 200


# The API


@pytest.mark.parametrize("prefix, type_", [("/v1", "permission_error"), ("/api/v1", "permission_error")])
@pytest.mark.parametrize("method, path", [("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/key_x"), ("POST", "/keys/key_x/rotate"), ("POST", "/sessions"), ("DELETE", "/sessions")])
def test_whoever_may_not_manage_keys_gets_a_403(gateway, store, prefix, type_, method, path):
    for key in (KEY, store.create("alice")["key"]):
        answer = admin(gateway, method, path, key=key, prefix=prefix)
        assert answer.status == 403 and answer.json()["error"]["type"] == type_ and "'admin'" in answer.json()["error"]["message"]
    assert admin(gateway, method, path, key=None, prefix=prefix).status == 401
    assert admin(gateway, method, path, key="sk-wrong", prefix=prefix).status == 401


BOSS = ("--permission", "read", "--permission", "proxy", "--permission", "admin")


def admitted(client, target, shown, length):
    """Sends the head of a POST, and returns when its body is asked for: whoever shows this was let in."""
    client.send(client.head("POST", target, {"Content-Type": "application/json", "Expect": "100-continue", **shown}, length))
    assert client.take_through(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")


@pytest.mark.parametrize("who", ["key", "session", "rotated"])
@pytest.mark.parametrize("path", ["/keys", "/keys/{}/rotate", "/sessions"])
def test_a_key_that_is_revoked_while_its_body_comes_changes_nothing(gateway, store, who, path):
    boss, other = store.create("boss", *BOSS), store.create("other")
    shown = {"Cookie": begin(gateway, boss["key"])} if who == "session" else {"x-api-key": boss["key"]}
    client = gateway.client(key=None)
    body = b'{"name":"late","permissions":["admin"]}' if path == "/keys" else b"{}"
    admitted(client, f"/v1/admin{path.format(other['id'])}", shown, len(body))
    client.send(body[:-1])
    store.good("rotate" if who == "rotated" else "revoke", boss["id"])
    client.send(body[-1:])
    answer = client.response()
    assert answer.status == 403 and "'admin'" in answer.json()["error"]["message"], answer
    assert [key["name"] for key in store.list()] == ["boss", "other"] and status(gateway, other["key"]) == 200


def test_a_key_that_is_revoked_while_its_change_waits_for_the_store_changes_nothing(gateway, store, hold):
    boss, other = store.create("boss", *BOSS), store.create("other")
    held = hold()
    client = gateway.client(key=None)
    admitted(client, f"/v1/admin/keys/{other['id']}/rotate", {"x-api-key": boss["key"]}, 2)
    client.send(b"{}")
    held.execute("UPDATE keys SET revoked_at = 1 WHERE id = ?", [boss["id"]])
    held.execute("COMMIT")
    assert client.response().status == 403
    assert [key["status"] for key in store.list()] == ["revoked", "active"] and status(gateway, other["key"]) == 200


@pytest.mark.parametrize("shown", ["key", "session"])
def test_a_key_of_the_file_that_is_removed_while_its_body_comes_changes_nothing(gateway, store, shown):
    fields = {"Cookie": begin(gateway)} if shown == "session" else {"x-api-key": ADMIN}
    client = gateway.client(key=None)
    admitted(client, "/v1/admin/keys", fields, 15)
    client.send(b'{"name":')
    gateway.write(gateway.config | {"auth": gateway.config["auth"] | {"keys": KEYS[:1]}})
    gateway.signal(signal.SIGHUP)
    until("the reload", lambda: "reloaded" in gateway.text())
    client.send(b'"late"}')
    assert client.response().status == 403 and store.list() == []


def test_a_key_of_the_store_may_manage_keys_where_it_has_the_permission(gateway, store):
    boss = store.create("boss", "--permission", "read", "--permission", "proxy", "--permission", "admin")["key"]
    answer = admin(gateway, "GET", "/keys", key=boss)
    assert answer.status == 200 and answer.header("cache-control") == "no-store"
    assert admin(gateway, "POST", "/keys", {"name": "new"}, key=boss).header("cache-control") == "no-store"
    only = store.create("only", "--permission", "admin")["key"]
    assert admin(gateway, "GET", "/keys", key=only).status == 403


@pytest.mark.parametrize(
    "body, param",
    [({}, "name"), ({"name": ""}, "name"), ({"name": "x", "permissions": ["root"]}, "permissions"), ({"name": "x", "models": []}, "models"), ({"name": "x", "expires_at": 1}, "expires_at"), ({"name": "x", "expires": 1}, "expires"), ([], None), (b"{", None), (b"\xff\xfe", None), (b"[" * 60_000, None)],
)
@pytest.mark.parametrize("type_", ["application/json", "Application/JSON ; charset=utf-8"])
def test_a_bad_request_is_a_400_and_makes_nothing(gateway, store, body, param, type_):
    answer = gateway.client(key=ADMIN).request("POST", "/v1/admin/keys", {"Content-Type": type_}, body).response()
    assert answer.status == 400 and answer.json()["error"]["param"] == param, answer
    assert store.list() == []


def test_a_body_of_any_framing_is_read_and_a_large_one_refused(gateway, store):
    client = gateway.client(key=ADMIN)
    head = client.head("POST", "/v1/admin/keys", {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    client.send(head + b'8\r\n{"name":\r\n9\r\n"chunked"\r\n1\r\n}\r\n0\r\n\r\n')
    assert client.response().status == 201
    client.send(client.head("POST", "/v1/admin/keys", {"Content-Type": "application/json"}, 17))
    client.send(b'{"name":')
    client.send(b'"split!"}')
    assert client.response().status == 201
    assert [key["name"] for key in store.list()] == ["chunked", "split!"]
    for size in (70_000, 300_000):
        answer = admin(gateway, "POST", "/keys", b'{"name":"' + b"x" * size + b'"}')
        assert answer.status == 413, answer
    assert len(store.list()) == 2


@pytest.mark.parametrize("type_", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("is_chunked", [True, False])
@pytest.mark.parametrize("path", ["/keys", "/keys/key_x/rotate", "/sessions"])
def test_a_body_that_does_not_say_that_it_is_json_is_a_415(gateway, store, path, is_chunked, type_):
    client, fields = gateway.client(key=ADMIN), {"Content-Type": type_} if type_ else {}
    if is_chunked:
        client.send(client.head("POST", f"/v1/admin{path}", fields | {"Transfer-Encoding": "chunked"}) + b'c\r\n{"name":"a"}\r\n0\r\n\r\n')
    else:
        client.request("POST", f"/v1/admin{path}", fields, b'{"name":"a"}')
    answer = client.response()
    assert answer.status == 415 and answer.json()["error"]["code"] == "unsupported_media_type", answer
    assert store.list() == [] and admin(gateway, "GET", "/keys").status == 200


@pytest.mark.parametrize("method, path, status_", [("PUT", "/keys", 405), ("GET", "/keys/key_x", 405), ("GET", "/sessions", 405), ("GET", "/keys/key_x/rotate", 405), ("GET", "/keys/", 404), ("POST", "/keys/key_x/else", 404), ("GET", "/sessions/x", 404), ("DELETE", "/keys/key_x", 404), ("POST", "/keys/key_x/rotate", 404)])
def test_what_is_below_these_paths_and_means_nothing_reaches_no_backend(start, backend, store, method, path, status_):
    echoes = backend(Echoes)
    gateway = start(echoes, auth={"keys": KEYS, "store": {"path": str(store.path)}})
    answer = admin(gateway, method, path)
    assert answer.status == status_, answer
    if status_ == 405:
        assert answer.header("allow")
    assert not echoes.connections


@pytest.mark.parametrize("auth", [{"keys": KEYS}, {"open": True, "keys": None}])
def test_without_a_store_there_are_no_such_paths_and_no_backend_is_asked(start, backend, auth):
    echoes = backend(Echoes)
    gateway = start(echoes, auth=auth)
    for prefix in ("/v1", "/api/v1"):
        for method, path in (("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/key_x"), ("POST", "/keys/key_x/rotate"), ("POST", "/sessions"), ("PUT", "/sessions/x")):
            answer = admin(gateway, method, path, prefix=prefix, body={"name": "x"} if method == "POST" else None)
            assert answer.status == 404, answer
    assert not echoes.connections
    # A cookie that is left from when there was one.
    session = "sluice_session=mp_sess_" + "x" * 40
    for cookies, passes in ([session], False), (["a=b; " + session], False), (["a=b", session], False), (["a=b"], True), (["a=b", "c=d"], True):
        seen = gateway.client(key=ADMIN).get("/v1/files", [("Cookie", one) for one in cookies]).json()["headers"]
        assert any(name.lower() == "cookie" for name, _ in seen) == passes and "mp_sess_" not in json.dumps(seen)
    if "open" not in auth:
        assert gateway.client(key=None).get("/v1/models", {"Cookie": session}).status == 401


# Sessions


def begin(gateway, key=ADMIN, **rest):
    answer = gateway.client(key=key).request("POST", "/v1/admin/sessions", **rest).response()
    assert answer.status == 201, answer
    cookie = answer.header("set-cookie")
    assert re.fullmatch(r"sluice_session=mp_sess_[A-Za-z0-9]{40}; HttpOnly; SameSite=Strict; Path=/; Max-Age=\d+(; Secure)?", cookie)
    return cookie.split(";")[0]


def visit(gateway, cookie, target="/v1/files", **rest):
    return gateway.client(key=None).get(target, {"Cookie": f"theme=dark; {cookie}"}, **rest).status


@row("MP-07")
@pytest.mark.parametrize("of", ["the file", "the store"])
def test_whoever_has_a_session_needs_no_key_and_is_refused_nothing(gateway, store, of):
    boss = ADMIN if of == "the file" else store.create("boss", "--permission", "read", "--permission", "proxy", "--permission", "admin")["key"]
    cookie = begin(gateway, boss)
    client = gateway.client(key=None)
    assert client.chat({"Cookie": cookie}).response().status == 200
    for target in ("/v1/files", "/v1/admin/keys", "/api/v1/models"):
        assert visit(gateway, cookie, target) == 200
    assert client.request("POST", "/v1/admin/keys", {"Cookie": cookie, "Content-Type": "application/json"}, {"name": "new"}).response().status == 201
    assert client.get("/v1/files").status == 401
    assert gateway.logged(key="boss", path="/api/v1/models")["status"] == 200
    assert visit(gateway, cookie[:-1] + "-") == 401 and visit(gateway, "sluice_session=mp_sess_") == 401


@pytest.mark.parametrize("of", ["the file", "the store"])
def test_a_session_is_its_key_in_all_that_limits_it(start, backend, store, of):
    keys = [KEYS[0], KEYS[1] | {"models": ["m"], "account": "free"}]
    rules = {"each": {"of": "key", "requests": 4, "seconds": 3600, "routes": ["/files"]}, "free": {"of": "all", "requests": 1, "seconds": 3600, "accounts": ["free"], "routes": ["/batches"]}}
    gateway = start(backend(Echoes), auth={"keys": keys, "store": {"path": str(store.path)}}, limits={"rules": rules})
    boss = ADMIN if of == "the file" else store.create("boss", *BOSS, "--model", "m", "--account", "free")["key"]
    cookie = begin(gateway, boss)
    chat = lambda model: gateway.client(key=None).request("POST", "/v1/chat/completions", {"Cookie": cookie, "Content-Type": "application/json"}, {"model": model, "messages": []}).response()
    assert chat("other").status in (403, 404) and chat("m").status == 200
    assert [status(gateway, boss), visit(gateway, cookie), visit(gateway, begin(gateway, boss)), status(gateway, boss)] == [200] * 4
    assert status(gateway, boss) == 429 and visit(gateway, cookie) == 429 and visit(gateway, begin(gateway, boss)) == 429
    assert visit(gateway, cookie, "/v1/batches") == 200 and status(gateway, boss, "/v1/batches") == 429


def test_a_key_has_a_hundred_sessions_at_most_and_the_oldest_ends(gateway, store):
    boss = store.create("boss", *BOSS)["key"]
    of_the_file, cookies = begin(gateway), [begin(gateway, boss) for _ in range(102)]
    assert [visit(gateway, cookie) for cookie in cookies[:3]] == [401, 401, 200]
    assert visit(gateway, cookies[-1]) == 200 and visit(gateway, of_the_file) == 200


def test_a_session_ends_when_it_is_ended(gateway):
    one, two = begin(gateway), begin(gateway)
    answer = gateway.client(key=None).request("DELETE", "/v1/admin/sessions", {"Cookie": one}).response()
    assert answer.status == 200 and answer.header("set-cookie").startswith("sluice_session=;") and "Max-Age=0" in answer.header("set-cookie")
    assert visit(gateway, one) == 401 and visit(gateway, two) == 200
    # Its key ends them all.
    assert admin(gateway, "DELETE", "/sessions").status == 200
    assert visit(gateway, two) == 401


@pytest.mark.parametrize("deed", ["revoke", "rotate"])
def test_a_session_ends_with_the_key_that_it_began_with(gateway, store, deed):
    boss = store.create("boss", "--permission", "read", "--permission", "proxy", "--permission", "admin")
    cookie = begin(gateway, boss["key"])
    assert visit(gateway, cookie) == 200
    store.good(deed, boss["id"])
    assert visit(gateway, cookie) == 401


def test_a_session_lasts_no_longer_than_its_key(gateway, store):
    boss = store.create("boss", "--permission", "read", "--permission", "proxy", "--permission", "admin", "--expires", "2s")
    cookie = begin(gateway, boss["key"])
    assert visit(gateway, cookie) == 200
    until("the session to end", lambda: visit(gateway, cookie) == 401)


def test_a_session_of_a_key_of_the_file_ends_when_the_file_has_it_no_more(gateway):
    cookie = begin(gateway)
    assert visit(gateway, cookie) == 200
    config = gateway.config | {"auth": gateway.config["auth"] | {"keys": KEYS[:1]}}
    # A reload that is refused, for whatever reason, changes nothing.
    gateway.write(config | {"listeners": [*config["listeners"], {"address": "192.0.2.1:80"}]})
    gateway.signal(signal.SIGHUP)
    until("the refusal", lambda: "refused" in gateway.text())
    assert visit(gateway, cookie) == 200
    gateway.write(config)
    gateway.signal(signal.SIGHUP)
    until("the reload", lambda: "reloaded" in gateway.text())
    assert visit(gateway, cookie) == 401


def test_a_session_is_no_key_and_begins_no_other(gateway, store):
    cookie = begin(gateway)
    secret = cookie.split("=")[1]
    assert status(gateway, secret) == 401
    answer = gateway.client(key=None).request("POST", "/v1/admin/sessions", {"Cookie": cookie}).response()
    assert answer.status == 403 and answer.json()["error"]["code"] == "session_needs_key"
    assert store.list() == []


def test_no_backend_sees_a_session_s_cookie_and_other_cookies_pass(gateway):
    cookie = begin(gateway)
    for key, field, passes in ((None, cookie, False), (KEY, f"a=b; {cookie}", False), (KEY, "a=b", True)):
        seen = gateway.client(key=key).get("/v1/files", {"Cookie": field}).json()["headers"]
        assert any(name.lower() == "cookie" for name, _ in seen) == passes
        assert "mp_sess_" not in json.dumps(seen)


def test_a_cookie_is_for_tls_alone_where_tls_is_spoken(start, backend, store, certificates):
    auth = {"keys": KEYS, "store": {"path": str(store.path)}}
    gateway = start(backend(Echoes), auth=auth, client={"trusted_proxies": ["127.0.0.1"]})
    for scheme, is_secure in (("https", True), ("http", False), (None, False)):
        fields = {"X-Forwarded-Proto": scheme} if scheme else {}
        answer = gateway.client(key=ADMIN).request("POST", "/v1/admin/sessions", fields).response()
        assert answer.header("set-cookie").endswith("; Secure") == is_secure
    distrustful = start(backend(Echoes), auth=auth)
    answer = distrustful.client(key=ADMIN).request("POST", "/v1/admin/sessions", {"X-Forwarded-Proto": "https"}).response()
    assert not answer.header("set-cookie").endswith("; Secure")


# What happens to the store


@pytest.fixture
def hold(store):
    """`hold(how)` is another program that has begun a transaction, until it is closed."""
    held = []

    def hold(how="IMMEDIATE"):
        connection = sqlite3.connect(store.path, isolation_level=None)
        connection.execute(f"BEGIN {how}")
        held.append(connection)
        return connection

    yield hold
    for connection in held:
        connection.close()


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_while_another_program_writes_keys_are_read_and_changes_wait(gateway, store, hold, how):
    key = store.create("alice")
    other = hold(how)
    assert status(gateway, key["key"]) == 200
    refused = store.run("create", "--name", "bob")
    assert refused.returncode == 69 and refused.stdout == "" and "locked by another process" in refused.stderr
    answer = admin(gateway, "POST", "/keys", {"name": "bob"})
    assert answer.status == 503 and answer.json()["error"]["code"] == "key_store_unavailable"
    assert status(gateway, key["key"]) == 200
    other.execute("ROLLBACK")
    assert made(gateway, name="bob")["name"] == "bob" and [one["name"] for one in store.list()] == ["alice", "bob"]


def test_a_change_whose_client_was_told_that_it_failed_is_never_done(gateway, store, hold):
    other, clients = hold(), [gateway.client(key=ADMIN, timeout=30) for _ in range(5)]
    for index, client in enumerate(clients):
        client.request("POST", "/v1/admin/keys", {"Content-Type": "application/json"}, {"name": f"key {index}"})
    assert [client.response().status for client in clients] == [503] * 5
    other.execute("ROLLBACK")
    assert made(gateway, name="last")["name"] == "last"
    assert [key["name"] for key in store.list()] == ["last"]


def test_a_change_whose_client_has_gone_is_not_done(gateway, store, hold):
    other, client = hold(), gateway.client(key=ADMIN)
    client.request("POST", "/v1/admin/keys", {"Content-Type": "application/json"}, {"name": "gone"})
    time.sleep(0.3)
    client.close()
    gateway.logged(path="/v1/admin/keys", outcome="client_left")
    other.execute("ROLLBACK")
    assert made(gateway, name="last")["name"] == "last" and [key["name"] for key in store.list()] == ["last"]


def lines_about_the_store(gateway):
    return [line for line in gateway.errors if "auth.store" in line]


@pytest.mark.parametrize("damage", ["deleted", "nonsense in its place", "overwritten"])
def test_a_store_that_goes_away_is_told_once_lets_nobody_in_and_comes_back(gateway, store, damage, tmp_path):
    key = store.create("alice")
    client = gateway.client(key=key["key"])
    assert client.get("/v1/files").status == 200
    backup = tmp_path / "backup.db"
    with sqlite3.connect(store.path) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close(), target.close()
    if damage == "overwritten":
        with sqlite3.connect(store.path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        store.path.write_bytes(b"nonsense" * 1000)
        # What is remembered is of the store as it was; a key that must be looked for finds out.
        assert status(gateway, PREFIX + "x" * 40) == 503
    else:
        store.remove()
        if damage != "deleted":
            store.path.write_bytes(b"nonsense" * 1000)
    answer = until("the store to be missed", lambda: (one := client.get("/v1/files")).status == 503 and one)
    assert_envelope(answer, 503, "service_unavailable_error", "auth_unavailable")
    for _ in range(20):
        assert client.get("/v1/files").status == 503
        assert status(gateway, KEY) == 200
    assert admin(gateway, "GET", "/keys").status == 503
    assert len(lines_about_the_store(gateway)) == 1, gateway.errors
    store.remove()
    backup.rename(store.path)
    until("the store to be used again", lambda: client.get("/v1/files").status == 200)
    said = until("the line about it", lambda: "usable again" in (lines := lines_about_the_store(gateway))[-1] and lines)
    assert len(said) <= 3, said
    store.revoke(key["id"])
    assert client.get("/v1/files").status == 401


def test_an_index_that_is_cut_kills_nobody_who_looks_a_second_later(gateway, store):
    key = store.create("alice")
    client = gateway.client(key=key["key"])
    for _ in range(2):
        assert client.get("/v1/files").status == 200
        time.sleep(1.2)
        os.truncate(f"{store.path}-shm", 0)
        until("the store to be used again", lambda: client.get("/v1/files").status == 200)
    assert gateway.process.poll() is None
    store.revoke(key["id"])
    assert client.get("/v1/files").status == 401
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_another_store_in_its_place_counts_within_a_second_or_so(gateway, store, tmp_path):
    old = store.create("alice")
    client = gateway.client(key=old["key"])
    assert client.get("/v1/files").status == 200
    other = KeyStore(tmp_path / "other.db")
    new = other.create("bob")
    store.remove()
    other.path.rename(store.path)
    until("the old store's key to be refused", lambda: client.get("/v1/files").status == 401)
    assert status(gateway, new["key"]) == 200


def test_a_reload_keeps_the_store_and_another_path_opens_another(gateway, store, tmp_path):
    one, other = store.create("alice"), KeyStore(tmp_path / "other.db")
    two = other.create("bob")
    said = 0

    def reload(path, word):
        nonlocal said
        gateway.write(gateway.config | {"auth": {"keys": KEYS, "store": {"path": str(path)}}})
        gateway.signal(signal.SIGHUP)
        said += 1
        until("the reload", lambda: len([line for line in gateway.errors if "reloaded" in line or "refused" in line]) == said)
        assert word in gateway.errors[-1], gateway.errors

    assert status(gateway, one["key"]) == 200
    reload(store.path, "reloaded")
    assert status(gateway, one["key"]) == 200
    reload(tmp_path, "refused")
    assert status(gateway, one["key"]) == 200
    reload(other.path, "reloaded")
    assert status(gateway, one["key"]) == 401 and status(gateway, two["key"]) == 200
    reload(store.path, "reloaded")
    assert status(gateway, one["key"]) == 200 and status(gateway, two["key"]) == 401


def test_the_store_is_made_at_the_start_and_an_unusable_one_ends_it(start, backend, store, tmp_path):
    gateway = start(backend(Echoes), auth={"keys": None, "store": {"path": str(store.path)}})
    assert store.list() == [] and oct(store.path.stat().st_mode & 0o777) == "0o600"
    assert str(store.path) in gateway.text()
    (tmp_path / "nonsense.db").write_bytes(b"nonsense" * 100)
    for path, words in ((tmp_path, "found a directory"), (tmp_path / "none" / "k.db", "does not exist"), (tmp_path / "nonsense.db", "not a database")):
        refused = subprocess.run(
            [binary(), "run", "--config", "/dev/stdin"],
            input=json.dumps(gateway.config | {"auth": {"store": {"path": str(path)}}, "listeners": [{"address": "127.0.0.1:0"}]}),
            capture_output=True, text=True, timeout=20,
        )
        assert refused.returncode == 69 and "auth.store" in refused.stderr and words in refused.stderr, refused


# The command line


def test_list_is_a_table_that_people_read(store):
    store.create("alice", "--expires", "30d")
    gone = store.create("bob", "--permission", "admin", "--model", "m")
    store.revoke("bob")
    head, one, two = store.good("list").splitlines()
    assert head.split() == ["ID", "NAME", "KEY", "STATE", "PERMISSIONS", "MODELS", "ACCOUNT", "CREATED", "EXPIRES"]
    assert one.split()[1] == "alice" and one.split()[3:6] == ["active", "read,proxy", "all"]
    assert two.split()[:6] == [gone["id"], "bob", gone["hint"] + "...", "revoked", "admin", "m"]


def test_the_store_of_a_configuration_is_found(store, tmp_path):
    config = {"listeners": [{"address": "127.0.0.1:0"}], "auth": {"store": {"path": str(store.path)}}, "clusters": {"c": {"endpoints": ["http://127.0.0.1:1"]}}, "default_cluster": "c"}
    file = tmp_path / "sluice.yaml"

    def create():
        file.write_text(json.dumps(config))
        return subprocess.run([binary(), "keys", "create", "--name", "alice", "--config", str(file)], capture_output=True, text=True, timeout=20)

    assert create().returncode == 0 and [key["name"] for key in store.list()] == ["alice"]
    config["auth"] = {"open": True}
    refused = create()
    assert refused.returncode == 78 and "auth.store: missing" in refused.stderr
    config["nonsense"] = 1
    assert create().returncode == 78


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["create", "--name", ""], 65, "--name"), (["create", "--name", "a\nb"], 65, "--name"), (["create"], 64, "--name"),
        (["create", "--name", "a", "--permission", "root"], 65, "root"), (["create", "--name", "a", "--expires", "soon"], 65, "soon"),
        (["create", "--name", "a", "--expires", "2027-02-29"], 65, "2027-02-29"), (["create", "--name", "a", "--expires", "2001-01-01"], 65, "future"),
        (["create", "--name", "a", "--expires", "99999999999999999999d"], 65, "99999999999999999999d"),
        (["revoke", "nobody"], 65, "nobody"), (["rotate", "nobody"], 65, "nobody"), (["rotate", "there", "--grace", "forever"], 65, "forever"),
        (["rotate", "there", "--grace", "-1h"], 64, "grace"), (["revoke"], 64, "key"), (["list", "--config", "x.yaml"], 64, "either"),
    ],
)
def test_a_wrong_argument_is_told_and_changes_nothing(store, arguments, code, words):
    there = store.create("there")
    done = store.run(*arguments)
    assert done.returncode == code and words in done.stderr and done.stdout == "", done
    assert store.list() == [{name: value for name, value in there.items() if name != "key"}]


@pytest.mark.parametrize("day, seconds", [("2027-01-31", 1801353600), ("2028-02-29", 1835395200), ("2100-03-01", 4107542400), ("9999-12-31", 253402214400)])
def test_a_day_is_its_first_moment_in_utc(store, day, seconds):
    assert store.create("alice", "--expires", day)["expires_at"] == seconds


def test_where_there_is_no_store_nothing_is_listed_revoked_or_made(store):
    for arguments in (["list"], ["revoke", "x"], ["rotate", "x"]):
        done = store.run(*arguments)
        assert done.returncode == 69 and "no such file" in done.stderr and store.files() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_store_that_may_not_be_written_to_is_told(store, tmp_path):
    store.create("alice")
    for one in (tmp_path, *tmp_path.parents):
        if not one.stat().st_mode & 0o001:
            os.chmod(one, one.stat().st_mode & 0o777 | 0o011)
    try:
        denied = store.run("list", user=65534)
    except PermissionError:
        pytest.skip("the binary is where nobody else can run it")
    assert denied.returncode == 69 and "permission denied" in denied.stderr, denied
    os.chmod(store.path, 0o666)
    denied = store.run("create", "--name", "bob", user=65534)
    assert denied.returncode == 69 and denied.stdout == "", denied
    assert [key["name"] for key in store.list()] == ["alice"]


# Killed at any moment


def test_every_key_that_was_printed_works_whenever_its_command_was_killed(gateway, store):
    printed, silent = [], 0
    began = time.monotonic()
    store.create("first")
    usual = time.monotonic() - began
    for index in range(60):
        process = subprocess.Popen(store.command("create", "--name", f"key {index}"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            # From before its first instruction to after its end, in equal steps.
            process.wait(usual * 1.2 * index / 60)
        except subprocess.TimeoutExpired:
            process.kill()
        out = process.communicate()[0].decode()
        assert out == "" or re.fullmatch(r"mp_live_[A-Za-z0-9]{40}\n", out)
        printed += [out.strip()] if out else []
        silent += not out
    for key in printed:
        assert status(gateway, key) == 200
    assert printed and silent, f"{len(printed)} printed, {silent} killed before"
    assert len(printed) < len(store.list()) <= 61
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_store_whose_maker_was_killed_is_whole_or_not_there(tmp_path):
    for index in range(30):
        store = KeyStore(tmp_path / f"{index}.db")
        process = subprocess.Popen(store.command("create", "--name", "a"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            process.wait(0.1 * index / 30)
        except subprocess.TimeoutExpired:
            process.kill()
        out = process.communicate()[0]
        assert store.create("b")["name"] == "b"
        assert len(store.list()) >= (2 if out else 1)


def test_a_gateway_that_was_killed_finds_its_keys_and_its_revocations_again(start, backend, store):
    config = {"auth": {"keys": KEYS, "store": {"path": str(store.path)}}}
    gateway = start(backend(Echoes), **config)
    kept, gone = made(gateway, name="kept"), made(gateway, name="gone")
    assert admin(gateway, "DELETE", f"/keys/{gone['id']}").status == 200
    gateway.process.kill()
    gateway.process.wait()
    gateway.process = None
    again = start(backend(Echoes), **config)
    assert status(again, kept["key"]) == 200 and status(again, gone["key"]) == 401
    assert made(again, name="more")["name"] == "more"
