"""Plugins that wait: on the loop's own thread, without any other."""

import os

from harness.backends import Models
from harness.waiting import until


def threads(gateway):
    tasks = f"/proc/{gateway.process.pid}/task"
    return sorted(open(f"{tasks}/{task}/comm").read().strip() for task in os.listdir(tasks))


def test_a_plugin_that_waits_needs_no_thread_beside_its_loop_s(start, backend):
    models = backend(Models)
    gateway = start(models, deployments={"pod": {"services": {"a": models.url + "/"}}})
    until("all threads to have their names", lambda: {"core 0", "joins"} <= set(threads(gateway)))
    before = threads(gateway)
    assert gateway.client().get("/ready").status == 200
    assert gateway.client().get("/api/deployments/pod/health").json()["status"] == "healthy"
    assert threads(gateway) == before
