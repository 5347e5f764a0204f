"""What a reader must know of the machine, and which cores are used for what. Changes nothing but our own limits."""

import os
import platform
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """One core for the proxy, another for mock and load (and this runner)."""

    proxy: tuple
    load: tuple
    all: tuple

    @property
    def shared(self):
        return self.proxy == self.load


def read(path, default=""):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return default


def numbers(text):
    """`0-2,5` as [0, 1, 2, 5]."""
    found = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def siblings(core):
    """The hardware threads of the same core, itself included."""
    listed = read(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    return set(numbers(listed)) or {core}


def cores(allowed=None, siblings=siblings):
    """The load gets the first core we may use, where interrupts tend to be; the proxy the next that is no sibling."""
    allowed = sorted(os.sched_getaffinity(0) if allowed is None else allowed)
    load = allowed[0]
    others = [core for core in allowed if core not in siblings(load)] or [core for core in allowed if core != load]
    return Cores(proxy=(others[0] if others else load,), load=(load,), all=tuple(allowed))


def raise_descriptor_limit(wanted=65536):
    """Raises the limit of open descriptors for us and what we start; returns what was reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((wanted, max(hard, wanted)), (min(wanted, hard), hard)):
        if soft >= wanted:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            break
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def processor():
    for line in read("/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.machine()


def distribution():
    for line in read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"


def memory_mib():
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


def is_virtual():
    return " hypervisor" in read("/proc/cpuinfo")


def facts(used):
    """Facts that make figures comparable, or not."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "cores_allowed": list(used.all),
        "proxy_core": list(used.proxy),
        "load_core": list(used.load),
        "virtual": is_virtual(),
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "none"),
        "memory_mib": memory_mib(),
        "kernel": platform.release(),
        "system": distribution(),
        "python": platform.python_version(),
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "local_ports": read("/proc/sys/net/ipv4/ip_local_port_range").replace("\t", "-"),
        "tcp_tw_reuse": read("/proc/sys/net/ipv4/tcp_tw_reuse"),
    }


def commit(root):
    """The commit that is measured, and whether the tree differs from it."""

    def git(*words):
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        return {"id": git("rev-parse", "HEAD") or "unknown", "dirty": bool(git("status", "--porcelain"))}
    except OSError:
        return {"id": "unknown", "dirty": False}
