"""Counts a proxy's system calls while a load runs, in a run of its own whose times are never used.

perf counts in the kernel, ten times a second, and hardly disturbs: only intervals well within the load's window are
taken. Where it may not, strace counts everything from the first connection on; it slows the proxy down, and a
connection's beginning is in its sum. Such figures are shown, and no goal is judged by them.
"""

import re
import signal
import subprocess
import time
from pathlib import Path

from .install import Skip, on_path, run

EVENT = "raw_syscalls:sys_enter"
INTERVAL_MS = 100


def perf_works():
    perf = on_path("perf")
    if perf is None:
        return False
    done = run([perf, "stat", "-x", ",", "-e", EVENT, "true"])
    return done.returncode == 0 and done.stderr.strip().split(",")[0].isdigit()


class Counter:
    """`program` is perf or strace; None counts nothing, because of `reason`."""

    def __init__(self, installer, works=perf_works):
        self.program, self.how, self.reason = None, "nothing", None
        self.environment = None
        if works():
            self.program, self.how = on_path("perf"), "perf"
            return
        try:
            self.program = installer.debian("strace")
            self.how = "strace"
        except Skip as skip:
            self.reason = f"system calls are not counted: perf may not, and {skip}"

    def command(self, pids, output):
        if self.how == "perf":
            listed = ",".join(str(pid) for pid in pids)
            return [self.program, "stat", "-x", ",", "-I", INTERVAL_MS, "-e", EVENT, "-o", output, "-p", listed]
        return [self.program, "-f", "-c", "-o", output, *(word for pid in pids for word in ("-p", pid))]

    def around(self, pids, directory, window_seconds, load):
        """Runs `load` and returns what it returns, and the proxy's system calls a second in its counted window."""
        output = Path(directory) / "syscalls"
        errors = Path(directory) / "syscalls.err"
        with open(errors, "wb") as stream:
            counter = subprocess.Popen(
                [str(word) for word in self.command(pids, output)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream,
            )  # fmt: skip
            try:
                began = time.monotonic()
                time.sleep(0.3)
                result = load()
                ended = time.monotonic()
            finally:
                counter.send_signal(signal.SIGINT)
                try:
                    counter.wait(5)
                except subprocess.TimeoutExpired:
                    counter.kill()
                    counter.wait()
        text = output.read_text(errors="replace") if output.exists() else ""
        if self.how == "perf":
            margin = 0.15 * window_seconds
            return result, within(text, ended - began - window_seconds + margin, ended - began - margin - 0.1)
        calls = total(text)
        return result, calls / window_seconds if calls is not None else None


def within(text, first, last):
    """Calls a second of perf's intervals that lie between two times, in seconds since perf began."""
    counts, seconds, before = 0, 0.0, 0.0
    for line in text.splitlines():
        fields = line.strip().split(",")
        if len(fields) < 4 or line.startswith("#"):
            continue
        try:
            at, count = float(fields[0]), int(fields[1])
        except ValueError:
            continue
        if before >= first and at <= last:
            counts += count
            seconds += at - before
        before = at
    return counts / seconds if seconds else None


def total(text):
    """The sum that strace -c ends with."""
    columns = []
    for line in text.splitlines():
        if line.startswith("---"):
            columns = [found.span() for found in re.finditer("-+", line)]
        elif line.endswith(" total") and len(columns) > 3:
            calls = line[columns[2][1] : columns[3][1]].strip()
            return int(calls) if calls.isdigit() else None
    return None
