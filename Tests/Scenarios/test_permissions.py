"""What a key may do: look, or have backends work as well."""

import pytest

from harness.backends import Models
from harness.rows import row

KEYS = {"reader": ["read"], "proxy": ["proxy"], "both": ["read", "proxy"], "usual": None}
PATHS = {"prefixes": ["/v1", "/api/v1", {"path": "/pllm/v1", "dialect": "pllm"}, {"path": "/gw/v1", "dialect": "gateway"}]}


@pytest.fixture
def gateway(start, backend):
    keys = []
    for name, permissions in KEYS.items():
        keys.append({"name": name, "value": f"key-of-{name}-0123456789", **({"permissions": permissions} if permissions else {})})
    gateway = start(backend(Models), auth={"keys": keys}, paths=PATHS, deployments={"pod": {}})
    gateway.of = lambda name: gateway.client(key=f"key-of-{name}-0123456789")
    return gateway


@row("MP-05", "MP-06", "PLLM-07", "PLLM-50")
@pytest.mark.parametrize("prefix, type_", [("/v1", "permission_error"), ("/api/v1", "permission_error"), ("/pllm/v1", "permission_error"), ("/gw/v1", "permission_denied")])
@pytest.mark.parametrize("name, missing", [("reader", "proxy"), ("proxy", "read")])
def test_a_chat_needs_both_permissions(gateway, prefix, type_, name, missing):
    answer = gateway.of(name).chat(target=prefix + "/chat/completions").response()
    assert answer.status == 403 and answer.json()["error"]["type"] == type_
    assert f"'{missing}'" in answer.json()["error"]["message"]


@row("MP-06", "MP-40")
@pytest.mark.parametrize("name", ["both", "usual"])
def test_a_key_with_both_may_do_all(gateway, name):
    assert gateway.of(name).chat().response().status == 200
    assert gateway.of(name).get("/v1/models").status == 200


@row("MP-40")
@pytest.mark.parametrize("path", ["/v1/models", "/api/v1/models/m", "/v1/admin/models/stats", "/api/deployments/pod/health"])
def test_a_reader_may_look(gateway, path):
    assert gateway.of("reader").get(path).status == 200
    assert gateway.of("proxy").get(path).status == 403
