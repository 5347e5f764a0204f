"""Which machine the figures were counted on, and whether those of two machines can be compared.

The model of processor is told but does not matter: valgrind shows every program the same one, and glibc and OpenSSL are
held to what all x86-64 have (still.py). What does matter is whose code is counted along with ours: the compiler and the
libraries. Where they differ the tolerances are widened and the suite says so; nothing is ever left unchecked for it.
"""

import os
import platform
import re
import subprocess
from pathlib import Path

# How many times wider a tolerance is when the figures come from other libraries, or from another instruction set.
OTHER_LIBRARIES, OTHER_ARCHITECTURE = 8.0, 40.0
COMPARED = ("swift", "glibc", "libuv", "openssl", "llhttp")


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()
    except OSError:
        return ""


def processor():
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else "unknown"


def here():
    swift = re.search(r"Swift version (\S+)", output("swift", "--version"))
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "swift": swift[1] if swift else "unknown",
        "glibc": os.confstr("CS_GNU_LIBC_VERSION").removeprefix("glibc "),
        "libuv": output("pkg-config", "--modversion", "libuv") or "unknown",
        "openssl": output("pkg-config", "--modversion", "openssl") or "unknown",
        "llhttp": output("pkg-config", "--modversion", "libllhttp") or "unknown",
        "valgrind": output("valgrind", "--version").removeprefix("valgrind-") or "unknown",
    }


def minor(version):
    """`6.3` of `6.3.1`: a distribution's repairs change the last number, not what a call costs."""
    return ".".join(str(version).split(".")[:2])


def compare(there, here):
    """How many times wider tolerances must be, and why; (1.0, []) when the figures can be compared as they are."""
    if there.get("architecture") != here["architecture"]:
        return OTHER_ARCHITECTURE, [difference("architecture", there, here)]
    reasons = [difference(what, there, here) for what in COMPARED if minor(there.get(what)) != minor(here[what])]
    return (OTHER_LIBRARIES if reasons else 1.0), reasons


def difference(what, there, here):
    return f"{what} {there.get(what, 'unknown')} in the baseline, {here[what]} here"
