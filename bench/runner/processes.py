"""Starts a process on its cores, knows all that it started in turn, and ends exactly those.

Children die with us, even when we are killed; their output goes to a file whose end is shown when something fails.
"""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A process did not do what it was started for."""


def free_port(host="127.0.0.1"):
    """A port nobody listens on, below those of outgoing connections, which we use up by the thousand."""
    for _ in range(200):
        port = random.randrange(10_000, 32_000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue
    raise Failed("no free port from 10000 to 31999")


def parents():
    """The parent of every process that lives."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = Path(f"/proc/{name}/stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            found[int(name)] = int(parent)
    return found


def descendants(pid):
    """`pid` and all below it."""
    table = parents()
    found, next_ones = [], [pid]
    while next_ones:
        found += next_ones
        next_ones = [child for child, parent in table.items() if parent in next_ones]
    return found


class Process:
    """One started program; use it in a `with` statement."""

    def __init__(self, command, cores, directory, environment=None, name=None):
        self.command = [str(word) for word in command]
        self.cores = cores
        self.name = name or Path(self.command[0]).name
        self.output = Path(directory) / f"{self.name}.out"
        self.environment = {**os.environ, **(environment or {})}
        self.directory = directory
        self.process = None

    def __enter__(self):
        cores = set(self.cores)
        parent = os.getpid()

        def prepare():
            os.sched_setaffinity(0, cores)
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(self.output, "wb") as output:
            try:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    env=self.environment, cwd=self.directory, preexec_fn=prepare,
                )  # fmt: skip
            except OSError as error:
                raise Failed(f"{self.name} could not be started: {error.strerror}") from None
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def pids(self):
        return descendants(self.pid)

    def text(self, lines=3):
        try:
            written = self.output.read_text(errors="replace").strip().splitlines()
        except OSError:
            written = []
        return " / ".join(written[-lines:]) or "it said nothing"

    def until(self, condition, what, seconds):
        """Waits for `condition()`; fails when the process ends, or time does."""
        deadline = time.monotonic() + seconds
        while not condition():
            code = self.process.poll()
            if code is not None:
                raise Failed(f"{self.name} ended with {code}: {self.text()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name}: waited {seconds:g} s for {what}: {self.text()}")
            time.sleep(0.01)

    def stop(self, patience=3.0):
        """SIGTERM, then SIGKILL, for this process and everything below it."""
        if self.process is None:
            return
        known = self.pids() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                known = list(dict.fromkeys(known + self.pids()))
                self.process.kill()
                self.process.wait()
        left = [pid for pid in known if pid != self.pid]
        deadline = time.monotonic() + patience
        while left and time.monotonic() < deadline:
            alive = set(parents())
            left = [pid for pid in left if pid in alive]
            if left:
                time.sleep(0.01)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
