"""One measurement: a fresh mock, a fresh proxy, one run of the load, and everything ended again."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

from . import figures, scenarios
from .peer import KEY, Start
from .processes import Failed, Process, free_port
from .summary import coarse
from .words import fit

READY_BODY = b'{"messages":[{"role":"user","content":"Hello"}],"model":"mock"}'

# Histograms that are drawn.
PLOTTED = ("latency_us", "event_delay_us")


class Laboratory:
    """What all measurements of a run share."""

    def __init__(self, bench, ready, cores, descriptors, counter):
        self.bench = bench
        self.ready = ready  # by the peer's name
        self.cores = cores
        self.descriptors = descriptors
        self.counter = counter
        self.gone = {}  # why a peer could not be started, twice: it is not tried again

    def measure(self, peer, scenario):
        """The measurement as the results keep it. A failure is told in it, not raised."""
        connections = scenario.connections_for(peer, self.descriptors)
        record = {"connections": connections, "ok": False}
        if peer.name in self.gone:
            return {**record, "failed": self.gone[peer.name]}
        directory = Path(tempfile.mkdtemp(prefix="sluice-bench-"))
        try:
            record.update(self.within(directory, peer, replace(scenario, connections=connections)))
        except Failed as failure:
            record["failed"] = self.words(failure, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        return record

    def words(self, failure, directory):
        """A failure without this machine's paths."""
        return fit(str(failure), DIR=directory, REPOSITORY=self.bench.root)

    def within(self, directory, peer, scenario):
        many = scenario.workers == "all"
        proxy_cores, load_cores = (self.cores.all,) * 2 if many else (self.cores.proxy, self.cores.load)
        workers = len(self.cores.all) if many else 1

        def mock_at(port):
            command = [self.bench.tools.bench, "mock", *scenarios.mock_arguments(scenario, port)]
            return Process(command, load_cores, directory, name="mock")

        def proxy_at(port):
            ready, start = self.ready[peer.name], Start(directory, port, backend, workers, self.descriptors)
            command = peer.command(ready, start, self.bench.folder, scenario.values.get(peer.name))
            return Process(command, proxy_cores, directory, ready.environment, peer.name)

        with started(mock_at, "the mock to answer", 10) as (mock, backend), contextlib.ExitStack() as stack:
            if peer.name == "direct":
                return self.load(directory, scenario, backend, mock, [], load_cores)
            try:
                proxy, port = stack.enter_context(started(proxy_at, "an answer through it", peer.start_seconds))
            except Failed as failure:
                self.gone[peer.name] = self.words(failure, directory)
                raise
            return self.load(directory, scenario, port, mock, proxy.pids(), load_cores)

    def load(self, directory, scenario, port, mock, pids, cores):
        counting = scenario.counts_syscalls and self.counter.program is not None
        if counting and self.counter.how == "strace":
            scenario = replace(scenario, warmup=0)
        words = scenarios.load_arguments(
            scenario, scenario.connections, f"http://127.0.0.1:{port}/v1", KEY, [*pids, mock.pid]
        )
        bound = scenario.seconds + scenario.warmup + 60

        def run():
            return self.run([self.bench.tools.bench, "load", *words], cores, bound)

        calls = None
        if counting:
            result, calls = self.counter.around(pids, directory, scenario.seconds, run)
        else:
            result = run()
        return {
            "ok": bool(result.get("ok")),
            "figures": figures.figures(scenario, result, pids, mock.pid, calls),
            "load": trimmed(result, scenario.keeps_histograms),
            **({"complaint": result["complaint"]} if result.get("complaint") else {}),
        }

    @staticmethod
    def run(command, cores, seconds):
        """The load generator's JSON."""

        def prepare():
            os.sched_setaffinity(0, set(cores))

        try:
            done = subprocess.run(
                [str(word) for word in command], capture_output=True, text=True, timeout=seconds, preexec_fn=prepare,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed(f"the load did not end within {seconds:.0f} s") from None
        try:
            return json.loads(done.stdout)
        except ValueError:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise Failed(f"the load ended with {done.returncode}: {said}") from None


@contextlib.contextmanager
def started(process_at, what, seconds):
    """A process that answers, and its port. That may have been taken: a failed start is tried once more, on another."""
    for is_last in (False, True):
        port = free_port()
        with process_at(port) as process:
            try:
                process.until(lambda: answers(port), what, seconds)
            except Failed:
                if is_last:
                    raise
                continue
            yield process, port
            return


def trimmed(result, keeps_histograms):
    """The load's own words as the results keep them: no addresses, histograms only where a plot wants them."""
    kept = {name: value for name, value in result.items() if name not in ("url", "histograms")}
    if keeps_histograms:
        found = result.get("histograms") or {}
        kept["histograms"] = {name: coarse(found[name]) for name in PLOTTED if found.get(name)}
    return kept


def answers(port):
    """Whether a chat completion comes back from `port`."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions", READY_BODY,
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Connection": "close"},
    )  # fmt: skip
    try:
        # No proxy from the environment: these are our own addresses.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            answer.read()
            return answer.status == 200
    except (OSError, urllib.error.URLError, ValueError):
        return False
