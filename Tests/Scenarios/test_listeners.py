"""Items 3 and 16: what is listened on, what is said about it, and what happens when descriptors run out."""

import os
import socket
import stat

import pytest

from harness.backends import Echoes
from harness.client import Cut
from harness.gateway import basic_config, free_port
from harness.waiting import never, until


def test_a_unix_socket_is_served(start, backend, tmp_path):
    path = str(tmp_path / "s.sock")
    gateway = start(backend(Echoes), listeners=[{"address": f"unix:{path}"}])
    assert gateway.client().get("/v1/files").status == 200
    assert stat.S_ISSOCK(os.stat(path).st_mode)


def test_a_unix_socket_is_removed_at_the_end(start, backend, tmp_path):
    path = str(tmp_path / "s.sock")
    gateway = start(backend(Echoes), listeners=[{"address": f"unix:{path}"}])
    gateway.stop()
    assert not os.path.exists(path)


def test_a_stale_unix_socket_is_taken_over(start, backend, tmp_path):
    path = str(tmp_path / "s.sock")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    gateway = start(backend(Echoes), listeners=[{"address": f"unix:{path}"}])
    assert gateway.client().get("/v1/files").status == 200


def test_a_unix_socket_in_use_is_not_stolen(start, backend, tmp_path):
    path = str(tmp_path / "s.sock")
    first = start(backend(Echoes), listeners=[{"address": f"unix:{path}"}])
    second = start(backend(Echoes), listeners=[{"address": f"unix:{path}"}], ready=False)
    assert second.wait() != 0 and path in second.text()
    second.process = None
    assert first.client().get("/v1/files").status == 200


def test_a_file_in_the_socket_s_place_is_not_removed(start, backend, tmp_path):
    path = tmp_path / "precious"
    path.write_text("keep me")
    gateway = start(backend(Echoes), listeners=[{"address": f"unix:{path}"}], ready=False)
    assert gateway.wait() != 0
    gateway.process = None
    assert path.read_text() == "keep me"


def test_a_backend_on_a_unix_socket_is_reached(start, backend, tmp_path):
    echoes = backend(Echoes, path=tmp_path / "b.sock")
    client = start(echoes).client()
    for _ in range(3):
        assert client.chat().response().status == 200
    assert len(echoes.connections) == 1


def test_ipv6_is_served_and_reached(start, backend):
    echoes = backend(Echoes, family="ipv6")
    gateway = start(echoes, listeners=[{"address": f"[::1]:{free_port('::1')}"}])
    answer = gateway.client().get("/v1/files")
    assert answer.status == 200
    headers = dict(answer.json()["headers"])
    assert next(v for k, v in headers.items() if k.lower() == "x-forwarded-for") == "::1"
    assert gateway.logged(path="/v1/files")["client"] == "::1"


def test_several_listeners_serve_the_same(start, backend, tmp_path):
    ports = [free_port(), free_port()]
    path = str(tmp_path / "s.sock")
    listeners = [{"address": f"127.0.0.1:{port}"} for port in ports] + [{"address": f"unix:{path}"}]
    gateway = start(backend(Echoes), listeners=listeners)
    for address in (("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), path):
        assert gateway.client(address=address).get("/v1/files").status == 200


def test_a_backend_by_name_is_resolved(start, backend):
    echoes = backend(Echoes)
    gateway = start(f"http://localhost:{echoes.port}")
    assert gateway.client().chat().response().status == 200


def test_a_port_in_use_is_told_and_ends_it(start, backend):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        gateway = start(backend(Echoes), listeners=[{"address": address}], ready=False)
        assert gateway.wait() != 0
        gateway.process = None
        assert address in gateway.text()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_every_worker_takes_connections(start, backend, workers):
    gateway = start(backend(Echoes), workers=workers)
    for _ in range(40):
        assert gateway.client().get("/v1/files").status == 200
    threads = len(os.listdir(f"/proc/{gateway.process.pid}/task"))
    assert threads >= workers


def test_the_banner_says_what_is_served(start, backend):
    echoes = backend(Echoes)
    gateway = start(echoes, limits={"per_ip": {"requests": 77, "seconds": 60}})
    gateway.client().get("/health")
    banner = "\n".join(gateway.errors)
    host, port = gateway.address
    for word in (f"{host}:{port}", "m", echoes.authority, "77"):
        assert word in banner, banner
    assert gateway.output == [] or all(line.startswith("{") for line in gateway.output), "stdout is for the access log"


def test_descriptors_used_up_pause_the_accepting_and_lose_nobody(start, backend):
    gateway = start(backend(Echoes), descriptors=64)
    gateway.client().get("/v1/files")
    flood = [gateway.client(timeout=10) for _ in range(150)]
    # Those who got in are served while the others wait; each that leaves makes room.
    served = 0
    pending = list(flood)
    for client in pending:
        client.request("GET", "/health")
    while pending:
        client = pending.pop(0)
        assert client.response().status == 200
        client.close()
        served += 1
    assert served == 150
    assert gateway.client().get("/v1/files").status == 200


def test_descriptors_used_up_cost_no_processor_time(start, backend):
    gateway = start(backend(Echoes), descriptors=64)
    flood = [gateway.client() for _ in range(150)]

    def used():
        fields = open(f"/proc/{gateway.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    never("the gateway to spin", lambda: used() - before > 0.4, 1.0)
    for client in flood:
        client.close()
    until("the gateway to serve again", lambda: gateway.client().get("/health").status == 200)


def test_more_clients_than_allowed_are_turned_away_and_the_others_keep_theirs(start, backend):
    gateway = start(backend(Echoes), client={"connections_max": 12})
    clients = [gateway.client() for _ in range(10)]
    for client in clients:
        assert client.get("/health").status == 200
    turned_away = 0
    for _ in range(6):
        extra = gateway.client(timeout=0.5)
        try:
            extra.try_send(extra.head("GET", "/health"))
            turned_away += extra.response().status == 503
        except (Cut, TimeoutError):
            turned_away += 1
        clients.append(extra)
    assert turned_away >= 4
    for client in clients[:10]:
        assert client.get("/health").status == 200
    for client in clients:
        client.close()
    until("room for another", lambda: gateway.client().get("/health").status == 200)


def test_the_configuration_of_these_tests_is_the_smallest_useful_one_and_more(start, backend):
    config = basic_config(free_port(), backend(Echoes))
    small = {key: config[key] for key in ("listeners", "auth", "clusters", "default_cluster")}
    gateway = start(config=small)
    assert gateway.client().chat().response().status == 200
