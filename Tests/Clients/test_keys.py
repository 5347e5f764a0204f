"""The real openai package with keys of a store, which it makes and revokes itself: undocumented paths are its own feature."""

import openai
import pytest

from harness.gateway import basic_config, free_port
from harness.rows import row

BOSS = "sk-tests-of-the-boss-0123456789"


@pytest.fixture
def gateway(start, tmp_path):
    backend = free_port()
    boss = {"name": "boss", "value": BOSS, "permissions": ["read", "proxy", "admin"]}
    return start(
        config=basic_config(
            free_port(),
            f"http://127.0.0.1:{backend}",
            auth={"keys": [boss], "store": {"path": str(tmp_path / "keys.db")}},
            demo_backend={"address": f"127.0.0.1:{backend}", "models": ["m"], "word_milliseconds": 1, "first_word_milliseconds": 1},
        )
    )


def client_of(gateway, key, path="/v1"):
    return openai.OpenAI(base_url=gateway.origin + path, api_key=key, timeout=20, max_retries=0)


@row("MP-03", "MP-08")
@pytest.mark.parametrize("path", ["/v1", "/api/v1"])
def test_the_library_makes_a_key_chats_with_it_and_revokes_it(gateway, path):
    with client_of(gateway, BOSS, path) as boss:
        made = boss.post("/admin/keys", body={"name": "alice", "permissions": ["read", "proxy"]}, cast_to=dict)
        with client_of(gateway, made["key"], path) as alice:
            answer = alice.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
            assert answer.choices[0].message.content
            with pytest.raises(openai.PermissionDeniedError):
                alice.get("/admin/keys", cast_to=dict)
            listed = boss.get("/admin/keys", cast_to=dict)["data"]
            assert [key["id"] for key in listed] == [made["id"]] and "key" not in listed[0]
            assert boss.delete(f"/admin/keys/{made['id']}", cast_to=dict)["status"] == "revoked"
            with pytest.raises(openai.AuthenticationError):
                alice.models.list()


def test_the_library_reads_what_is_wrong(gateway):
    with client_of(gateway, BOSS) as boss:
        with pytest.raises(openai.BadRequestError) as caught:
            boss.post("/admin/keys", body={"name": "alice", "permissions": ["root"]}, cast_to=dict)
        assert caught.value.param == "permissions"
        with pytest.raises(openai.NotFoundError) as caught:
            boss.delete("/admin/keys/key_nobody", cast_to=dict)
        assert caught.value.code == "key_not_found"
