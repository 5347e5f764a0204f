"""Whether this machine was quiet enough for its figures to be believed.

Three witnesses: a fixed loop that must take the same time whenever it runs, time that the hypervisor took away, and
processor time that nobody we started has used. The verdict names every reason; it never throws results away.
"""

import os
import statistics
import time

SPIN_SPREAD_MAX = 1.15  # 90th percentile over median of the fixed loop
SPIN_DRIFT_MAX = 1.05  # median after over median before
STEAL_MAX = 0.005  # share of all cores' time
FOREIGN_MAX = 0.15  # cores; the kernel counts busy ticks, which is right to a twentieth of what we use ourselves


def spin(core, rounds=40_000):
    """Microseconds that a fixed loop takes on `core`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        began = time.perf_counter_ns()
        total = 0
        for number in range(rounds):
            total ^= number * 3
        return (time.perf_counter_ns() - began) / 1000
    finally:
        os.sched_setaffinity(0, before)


def times(text=None):
    """Busy, stolen and all seconds of all cores since the start of the machine."""
    if text is None:
        with open("/proc/stat") as file:
            text = file.read()
    ticks = os.sysconf("SC_CLK_TCK")
    for line in text.splitlines():
        if line.startswith("cpu "):
            user, nice, system, idle, wait, irq, soft, steal = (int(field) / ticks for field in line.split()[1:9])
            busy = user + nice + system + irq + soft
            return {"busy": busy, "steal": steal, "all": busy + steal + idle + wait}
    return {"busy": 0.0, "steal": 0.0, "all": 0.0}


def own_seconds():
    """Processor time of this runner and of everything it has started and waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


class Watch:
    """Collects what the verdict needs; `look` is called between two measurements, never within one."""

    def __init__(self, cores):
        self.cores = sorted(set(cores.proxy + cores.load))
        self.shared = cores.shared
        self.spins = {core: [] for core in self.cores}
        self.load_before = os.getloadavg()[0]
        self.look(5)
        self.spins_before = self.median()
        self.began = time.monotonic()
        self.times = times()
        self.own = own_seconds()

    def look(self, repeats=1):
        for core in self.cores:
            self.spins[core] += [spin(core) for _ in range(repeats)]

    def median(self, last=None):
        return statistics.median(value for values in self.spins.values() for value in values[-last if last else 0 :])

    def finish(self):
        """The witnesses' words, with the verdict."""
        seconds = max(time.monotonic() - self.began, 1e-6)
        now = times()
        own = own_seconds() - self.own
        everything = max(now["all"] - self.times["all"], 1e-6)
        foreign = max(now["busy"] - self.times["busy"] - own, 0.0) / seconds
        self.look(5)
        spins = sorted(value for values in self.spins.values() for value in values)
        return verdict(
            {
                "spin_us_median": round(statistics.median(spins), 1),
                "spin_spread": round(spins[int(0.9 * (len(spins) - 1))] / statistics.median(spins), 3),
                "spin_drift": round(self.median(5) / self.spins_before, 3),
                "steal_share": round((now["steal"] - self.times["steal"]) / everything, 4),
                "foreign_cores": round(foreign, 3),
                "load_before": round(self.load_before, 2),
                "one_core": self.shared,
            }
        )


def verdict(seen):
    """`seen` with `trusted`, and in `reasons` a sentence for everything that speaks against the figures."""
    reasons = []
    if seen["one_core"]:
        reasons.append("there is one core only: the proxies share it with mock and load")
    if seen["spin_spread"] > SPIN_SPREAD_MAX:
        reasons.append(f"a fixed loop took {seen['spin_spread']:.2f} times its median in every tenth try")
    if not 1 / SPIN_DRIFT_MAX <= seen["spin_drift"] <= SPIN_DRIFT_MAX:
        reasons.append(f"a fixed loop took {seen['spin_drift']:.2f} times as long at the end as at the beginning")
    if seen["steal_share"] > STEAL_MAX:
        reasons.append(f"the hypervisor took {100 * seen['steal_share']:.1f} % of the time away")
    if seen["foreign_cores"] > FOREIGN_MAX:
        reasons.append(f"others used {seen['foreign_cores']:.2f} of a core")
    return {**seen, "trusted": not reasons, "reasons": reasons}
