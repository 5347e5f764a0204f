"""Tests of the benchmarks' runner: `.ci/test bench`, or one by one: .venv/bin/python -m pytest Tests/Bench -k name"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Run:
    """One `bench/run` with its results."""

    def __init__(self, words, out, environment, wait=True):
        self.out = out
        command = [sys.executable, str(ROOT / "bench/run"), *words]
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if wait:
            self.wait()

    def wait(self):
        self.said, self.complained = self.process.communicate(timeout=100)
        self.code = self.process.returncode
        return self

    def interrupt_after(self, words):
        """SIGINT as soon as its progress says `words`."""
        for line in self.process.stderr:
            if words in line:
                self.process.send_signal(signal.SIGINT)
                break
        return self.wait()

    @property
    def results(self):
        return json.loads((self.out / "results.json").read_text())

    @property
    def page(self):
        return (self.out / "README.md").read_text()


@pytest.fixture
def run(tmp_path):
    """`run("--smoke")` with our real binaries; writes below the test's own directory."""

    def run(*words, environment=None, wait=True):
        out = tmp_path / "out"
        return Run([*words, "--out", str(out)], out, environment or {}, wait)

    return run


@pytest.fixture
def pretend(run, tmp_path):
    """The same with pretended binaries; `load` changes what the pretended load tells."""

    def pretend(*words, load=None, fails="", wait=True):
        told = tmp_path / "load.json"
        told.write_text(json.dumps({**json.loads((HERE / "load.json").read_text()), **(load or {})}))
        pretended = str(HERE / "pretended.py")
        environment = {name: pretended for name in ("SLUICE_BINARY", "SLUICE_BENCH_BINARY", "FLOOR_RELAY_BINARY")}
        environment.update(PRETENDED_LOAD=str(told), PRETENDED_FAILS=fails)
        return run("--smoke", *words, environment=environment, wait=wait)

    return pretend
