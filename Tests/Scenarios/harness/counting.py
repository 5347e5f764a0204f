"""Allocations, copies and locks of a running process, counted by a library that is loaded in front of the C library's own.

`counting/count.c` is that library; it shares its numbers with the test through a file. Both suites that count use
it: test_allocations.py holds the byte path to zero, Tests/Costs compares all of them with the baseline.
"""

import mmap
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "counting" / "count.c"
NAMES = ("allocations", "allocated", "copies", "copied", "locks")
LAYOUT = struct.Struct(f"<{len(NAMES)}Q")


def compile_library(source, library, *flags):
    """Makes a library for LD_PRELOAD out of one C file."""
    command = ["cc", "-O2", "-Wall", "-shared", "-fPIC", *flags, "-o", str(library), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr}"
    return library


def build(directory):
    return compile_library(SOURCE, Path(directory) / "count.so", "-fno-builtin")


class Counts:
    """The numbers of one process, live. `environment` is what it has to be started with."""

    def __init__(self, path, library):
        path.write_bytes(b"\0" * 4096)
        self.environment = {"SLUICE_COUNTS": str(path), "LD_PRELOAD": str(library)}
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4096)

    def read(self):
        return dict(zip(NAMES, LAYOUT.unpack_from(self.memory)))
