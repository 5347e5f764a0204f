"""Three ways to count what the gateway does, each with its own run of it. `read` gives totals since some beginning; two
readings around a window, both taken while the gateway is still, differ by what the window cost.
"""

import re
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path

from harness.counting import Counts, build, compile_library
from harness.gateway import binary
from harness.waiting import until

from .still import ENVIRONMENT, launcher

HERE = Path(__file__).parent
INSTRUCTIONS, ALLOCATIONS, COPIED, LOCKS = "instructions", "allocations", "bytes copied", "locks"
CALLS = "system calls"


class Instructions:
    """Instructions in user space, of all threads, by callgrind. Its first reading ends the start-up."""

    kinds = (INSTRUCTIONS,)

    def __init__(self, directory):
        self.out = directory / "callgrind.out"
        self.total = 0
        self.marks = 0
        # The binary without its debug information, which some versions of valgrind cannot read; the code is the same.
        stripped = directory / "sluice"
        subprocess.run(["objcopy", "--strip-debug", binary(), str(stripped)], check=True, timeout=60)
        marker = compile_library(HERE / "mark.c", directory / "mark.so")
        clock = compile_library(HERE / "wallclock.c", directory / "wallclock.so")
        # --vgdb=no: nobody debugs this, and its pipes would be left in the temporary directory.
        options = ["--tool=callgrind", "-q", "--vgdb=no", f"--callgrind-out-file={self.out}"]
        self.command = [*launcher(), "valgrind", *options, str(stripped)]
        self.environment = {**ENVIRONMENT, "LD_PRELOAD": f"{marker}:{clock}"}

    @staticmethod
    def unusable():
        return None

    def read(self, gateway):
        self.marks += 1
        dump = Path(f"{self.out}.{self.marks}")
        gateway.signal(signal.SIGUSR1)
        self.total += until(f"callgrind to write {dump.name}", lambda: self.written(dump), 30)
        return Counter({INSTRUCTIONS: self.total})

    @staticmethod
    def written(dump):
        """The total at the end of a dump, once it is there."""
        if not dump.exists():
            return None
        with open(dump, "rb") as file:
            file.seek(max(0, dump.stat().st_size - 200))
            found = re.search(rb"^totals: (\d+)\n", file.read(), re.MULTILINE)
        return int(found[1]) if found else None


class Memory:
    """Allocations, bytes copied in pieces of 64 and more, and locks, of all threads, by the scenarios' count.c."""

    kinds = (ALLOCATIONS, COPIED, LOCKS)

    def __init__(self, directory):
        clock = compile_library(HERE / "wallclock.c", directory / "wallclock.so")
        self.counts = Counts(directory / "counts", build(directory))
        preload = f"{self.counts.environment['LD_PRELOAD']}:{clock}"
        self.command = [*launcher(), binary()]
        self.environment = {**ENVIRONMENT, **self.counts.environment, "LD_PRELOAD": preload}

    @staticmethod
    def unusable():
        return None

    def read(self, _):
        counts = self.counts.read()
        return Counter({ALLOCATIONS: counts["allocations"], COPIED: counts["copied"], LOCKS: counts["locks"]})


class SystemCalls:
    """System calls of all threads, by strace; those made by libuv past the C library too."""

    kinds = (CALLS,)

    def __init__(self, directory):
        self.out = directory / "strace.out"
        # -D: strace stands behind the gateway, which stays our own child. Arguments are not looked at: raw is quickest.
        options = ["-D", "-f", "-qq", "-e", "raw=all", "-e", "signal=none", "-o", str(self.out)]
        self.command = [*launcher(), "strace", *options, binary()]
        self.environment = ENVIRONMENT

    @staticmethod
    def unusable():
        """Why strace cannot be used here, or None."""
        if not shutil.which("strace"):
            return "strace is not installed (.ci/install-test-tools brings it)"
        command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "cat", "/dev/null"]
        tried = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if tried.returncode or tried.stderr:
            return f"ptrace is forbidden here: {tried.stderr.strip() or tried.returncode}"
        return None

    def read(self, _):
        calls = self.completed(self.out.read_text(errors="replace"))
        calls[CALLS] = sum(calls.values())
        return calls

    @staticmethod
    def completed(log):
        """By name, the calls that have returned. One that still waits is the last, unfinished line, or is marked so."""
        calls = Counter()
        whole, _, _ = log.rpartition("\n")
        for line in whole.split("\n"):
            found = re.match(r"\d+ +(?:<\.\.\. )?([a-z_]\w*)(?:\(| resumed)", line)
            if found and not line.endswith("<unfinished ...>"):
                calls[found[1]] += 1
        return calls


INSTRUMENTS = (Instructions, Memory, SystemCalls)
KINDS = tuple(kind for instrument in INSTRUMENTS for kind in instrument.kinds)
