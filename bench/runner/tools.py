"""Where our own binaries are: what `make` built, or what the environment names instead."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Variable that names another binary, and who builds the usual one.
KNOWN = {
    "sluice": ("SLUICE_BINARY", "make build"),
    "sluice-bench": ("SLUICE_BENCH_BINARY", "make tools"),
    "floor-relay": ("FLOOR_RELAY_BINARY", "make tools"),
}


class Missing(Exception):
    """A binary is not there. Says who builds it."""


@dataclass(frozen=True)
class Tools:
    sluice: Path
    bench: Path
    relay: Path


def path(name, root, environment):
    variable, builder = KNOWN[name]
    found = Path(environment.get(variable) or root / ".build/release" / name).resolve()
    if not os.access(found, os.X_OK):
        raise Missing(f"{name} is not built: run `{builder}`, or name a binary in {variable}")
    return found


def find(root, environment=os.environ):
    return Tools(*(path(name, root, environment) for name in KNOWN))


def version(*command):
    """The first line a program says of itself, wherever it says it."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"
