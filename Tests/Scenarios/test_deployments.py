"""The health of deployments: five states, out of what the services of a deployment answer just now."""

import datetime
import re
import signal

import pytest

from harness.backends import Answers, Models, NeverAnswers
from harness.rows import row
from harness.waiting import until

OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LOADING = "HTTP/1.1 204 No Content\r\n\r\n"
BROKEN = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
NOBODY = "http://127.0.0.1:9/"


@pytest.fixture
def deployed(start, backend):
    """`deployed({"name": raw answer, or a URL, or a kind of backend})`: the health of `pod123` with these services."""

    def deployed(services, **rest):
        urls = {}
        for name, service in services.items():
            if isinstance(service, type):
                service = backend(service).url
            urls[name] = service if service.startswith("http://") else backend(Answers, service).url + "/ping"
        entry = {"services": urls, "probe_seconds": 0.4, **rest}
        return start(backend(Models), deployments={"pod123": entry})

    return deployed


def health(gateway, id_="pod123", **rest):
    return gateway.client(**rest).get(f"/api/deployments/{id_}/health")


@row("MP-39", "MP-41", "MP-42", "MP-47", "MP-48", "MP-49", "MP-50")
def test_a_deployment_whose_services_all_answer_is_healthy(deployed):
    gateway = deployed({"ollama": OK, "webui": OK})
    answer = health(gateway)
    assert answer.status == 200 and answer.header("content-type") == "application/json"
    body = answer.json()
    assert body["status"] == "healthy" and body["services"] == {"ollama": "running", "webui": "running"}
    assert body["deployment_status"] == "running" and isinstance(body["response_time_ms"], int)
    for moment in (body["timestamp"], body["last_checked"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
    assert body["last_checked"] <= body["timestamp"]
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(body["timestamp"].replace("Z", "+00:00"))
    assert abs(age.total_seconds()) < 60


@row("MP-41", "MP-43", "MP-44", "MP-45", "MP-46")
@pytest.mark.parametrize("services, status, states", [
    ({"a": OK, "b": NOBODY}, "degraded", ["running", "stopped"]),
    ({"a": OK, "b": BROKEN}, "degraded", ["running", "stopped"]),
    ({"a": NOBODY, "b": BROKEN}, "unhealthy", ["stopped", "stopped"]),
    ({"a": NeverAnswers}, "unknown", ["unknown"]),
    ({"a": NeverAnswers, "b": NOBODY}, "unknown", ["unknown", "stopped"]),
    ({"a": LOADING, "b": OK}, "starting", ["starting", "running"]),
    ({"a": "no HTTP at all\r\n\r\n"}, "unhealthy", ["stopped"]),
], ids=["one is not there", "one is broken", "none works", "it hangs", "one hangs", "one is loading", "no HTTP"])  # fmt: skip
def test_what_the_services_answer_decides_the_state(deployed, services, status, states):
    body = health(deployed(services), timeout=5).json()
    assert body["status"] == status and list(body["services"].values()) == states


@row("MP-45", "MP-49")
@pytest.mark.parametrize("state, status, service", [("starting", "starting", "starting"), ("stopped", "unhealthy", "stopped")])
def test_a_deployment_that_does_not_run_is_not_probed(deployed, state, status, service):
    body = health(deployed({"a": OK}, state=state)).json()
    assert (body["status"], body["deployment_status"], body["services"]) == (status, state, {"a": service})


@row("MP-40")
def test_the_health_of_a_deployment_needs_a_key(deployed):
    gateway = deployed({"a": OK})
    answer = health(gateway, key=None)
    assert answer.status == 401 and answer.json()["error"]["type"] == "authentication_error"


@row("MP-51")
@pytest.mark.parametrize("path", ["none/health", "pod123", "pod123/", "pod123/healthy", "/health", "a/b/health", "pod123/health/x", "models"])
def test_a_deployment_that_is_not_there_is_a_404(deployed, path):
    answer = deployed({"a": OK}).client().get(f"/api/deployments/{path}")
    assert answer.status == 404 and set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_deployment_can_only_be_read(deployed):
    answer = deployed({"a": OK}).client().request("POST", "/api/deployments/pod123/health", {}, b"").response()
    assert answer.status == 405 and answer.header("allow") == "GET, HEAD"


@row("MP-28", "MP-39")
def test_the_deployment_that_an_answer_names_can_be_asked_for_its_health(start, backend):
    models = backend(Models)
    gateway = start(models, models={"mistral:7b": {"cluster": "local", "deployment": "pod7"}}, clusters={"local": {"api_key": "sk-backend", "headers": {"X-Team": "red"}}})
    answer = gateway.client().chat(target="/api/v1/chat/completions", model="mistral").response().json()
    body = health(gateway, answer["x_modelpilot"]["deployment_id"]).json()
    assert body["status"] == "healthy" and body["services"] == {"local": "running"}
    probe = models.requests[-1]
    assert probe.target == "/v1/models" and probe.header("authorization") == "Bearer sk-backend"
    assert probe.header("x-team") == "red"


@pytest.mark.parametrize("path", ["Qwen/Qwen2.5-7B", "Qwen%2FQwen2.5-7B"])
def test_an_id_may_have_slashes_as_names_of_models_do(start, backend, path):
    gateway = start(backend(Models), models={"Qwen/Qwen2.5-7B": {"cluster": "local"}})
    assert health(gateway, path).json()["deployment_id"] == "Qwen/Qwen2.5-7B"


def test_paths_that_only_begin_like_deployments_are_an_api_s_own(start, backend):
    """Below a prefix `/api` they were taken for deployments, and refused."""
    models = backend(Models)
    gateway = start(models, paths={"prefixes": ["/api"]})
    assert gateway.client().get("/api/deployments-of-mine").status == 200
    assert models.requests[0].target == "/v1/deployments-of-mine"


def test_a_gateway_that_is_open_to_everybody_knocks_at_nobody_s_services(start, backend):
    models = backend(Models)
    gateway = start(models, auth={"keys": None, "open": True})
    assert health(gateway, "m", key=None).status == 404 and not models.requests


def test_a_client_that_leaves_while_services_are_probed_does_no_harm(deployed):
    gateway = deployed({"a": NeverAnswers})
    client = gateway.client()
    client.request("GET", "/api/deployments/pod123/health")
    client.reset()
    assert health(gateway).json()["status"] == "unknown"


def test_a_gateway_that_stops_while_services_are_probed_waits_for_none(start, backend):
    service = backend(NeverAnswers)
    entry = {"services": {"a": service.url}, "probe_seconds": 60}
    gateway = start(backend(Models), deployments={"pod123": entry}, shutdown={"drain_seconds": 0.1})
    client = gateway.client()
    client.request("GET", "/api/deployments/pod123/health")
    until("the probe to be there", lambda: service.connections)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    assert "leaked" not in gateway.text() and "continuation" not in gateway.text()
