"""What makes two runs count the same: the process's surroundings, and waiting until a process has nothing to do.

- One processor for the gateway and its pair, and the gateway in the scheduler's batch class, which never interrupts
  another: what a peer writes is there as a whole before the gateway looks.
- No address randomisation, Swift's hashes without a seed, and the wall clock standing still (wallclock.c): a date of
  one digit costs other instructions than one of two.
- glibc and OpenSSL held to what every x86-64 has, or each model of processor would count its own memcpy.
"""

import os
import subprocess
import threading
import time
from pathlib import Path

ENVIRONMENT = {
    "SWIFT_DETERMINISTIC_HASHING": "1",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-AVX512VL,-ERMS,-FSRM,-SSSE3,-SSE4_2",
    "OPENSSL_ia32cap": "0:0",
    "LC_ALL": "C",
}

# The access log hands its lines over 200 ms after the first one: this is longer.
QUIET_SECONDS = 0.25


def launcher():
    """What stands in front of the command. Where setarch may not change anything it is left out."""
    words = ["chrt", "--batch", "0"]
    try:
        fixed = subprocess.run(["setarch", "-R", "true"], capture_output=True, timeout=20).returncode == 0
    except OSError:
        fixed = False
    return ["setarch", "-R", *words] if fixed else words


class OneProcessor:
    """Keeps this process and its children to one of its processors."""

    def __enter__(self):
        self.before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(self.before)})
        return self

    def __exit__(self, *_):
        os.sched_setaffinity(0, self.before)


def activity(pid):
    """For each thread: its state, and how often it was given a processor."""
    threads = []
    for status in sorted(Path(f"/proc/{pid}/task").glob("*/status")):
        lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        switches = (lines["voluntary_ctxt_switches"], lines["nonvoluntary_ctxt_switches"])
        threads.append((status.parent.name, lines["State"][0], *switches))
    return threads


def wait_until_still(pid, quiet=QUIET_SECONDS, seconds=30):
    """Returns when every thread of the process has slept for `quiet` seconds without a break."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    before = activity(pid)
    while time.monotonic() < deadline:
        pause.wait(quiet)
        now = activity(pid)
        assert now, f"process {pid} has ended"
        if now == before and all(state == "S" for _, state, *_ in now):
            return
        before = now
    raise AssertionError(f"process {pid} was not still for {quiet} s within {seconds} s: {before}")
