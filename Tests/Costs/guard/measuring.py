"""One run of the gateway under one instrument through all workloads: the median of a few windows of each.

A window in which something happened that the others did not see (the kernel cut a message in two, the log's timer was
late) is outvoted; how far the windows lie apart is kept, and shown.
"""

import statistics
from collections import Counter
from dataclasses import dataclass, field

from harness.gateway import Gateway, basic_config, free_port

from .instruments import ALLOCATIONS, CALLS, COPIED, INSTRUCTIONS, KINDS, LOCKS
from .pair import Pair
from .still import OneProcessor, wait_until_still
from .workloads import EVENTS, WORKLOADS

WINDOWS = 3
STEPS_BEFORE = 30
QUIET_AMONG_EVENTS = 0.1


@dataclass
class Measured:
    """A figure as counted: the median of its windows, the distance between the outermost, and what it consists of."""

    value: float
    spread: float = 0.0
    parts: dict = field(default_factory=dict)


def name(kind, unit):
    return f"{kind} per {unit}"


FIGURES = tuple(name(kind, workload.unit) for kind in KINDS for workload in WORKLOADS)

# For a figure that is new in the baseline, of a request and of an event: the next whole allocation, copy or call of a
# request is seen, and one of every twentieth event. What happens per second instead must fit in: log, pools, timers.
USUAL = {
    INSTRUCTIONS: ("1 %", "1 %"), ALLOCATIONS: (0.5, 0.02), COPIED: (32, 1), LOCKS: (0.5, 0.02), CALLS: (0.5, 0.05),
}  # fmt: skip
TOLERANCES = {
    name(kind, workload.unit): USUAL[kind][workload.unit in EVENTS] for kind in KINDS for workload in WORKLOADS
}


def configuration(directory, url):
    """The default chain with nothing left out: keys, the limit per address, models, the access log in a file."""
    return basic_config(
        free_port(),
        url,
        limits={"per_ip": {"requests": 100_000, "seconds": 1}},
        clusters={"local": {"pool": {"idle_seconds": 3600}}},
        client={"idle_seconds": 3600},
        log={"access": str(directory / "access.log")},
    )


def measure(kind_of_instrument, directory):
    """The figures of one instrument, by name."""
    instrument = kind_of_instrument(directory)
    pair = Pair()
    gateway = Gateway(directory, configuration(directory, pair.url), instrument.environment, command=instrument.command)
    try:
        with OneProcessor():
            gateway.start(seconds=60)
            wait_until_still(gateway.process.pid)
            pair.open(gateway.address)
            figures = {}
            for workload in WORKLOADS:
                figures.update(windows(instrument, gateway, pair, workload))
        return figures
    except (AssertionError, OSError) as failure:
        what = ", ".join(instrument.kinds)
        raise AssertionError(f"{what}: could not be counted: {failure}\n{gateway.text()}") from failure
    finally:
        pair.close()
        gateway.stop()


def windows(instrument, gateway, pair, workload):
    def read():
        wait_until_still(gateway.process.pid, *([QUIET_AMONG_EVENTS] if workload.unit in EVENTS else []))
        return instrument.read(gateway)

    workload.begin(pair)
    for _ in range(STEPS_BEFORE):
        workload.step(pair)
    readings = [read()]
    for _ in range(WINDOWS):
        for _ in range(workload.steps):
            workload.step(pair)
        readings.append(read())
    workload.end(pair)
    costs = [differences(*both, workload) for both in zip(readings, readings[1:])]
    return {name(kind, workload.unit): summary(kind, costs) for kind in instrument.kinds}


def differences(before, after, workload):
    units = workload.steps * workload.units
    return Counter({what: (count - before[what]) / units for what, count in after.items()})


def summary(kind, costs):
    values = [cost[kind] for cost in costs]
    middle = sorted(costs, key=lambda cost: cost[kind])[len(costs) // 2]
    parts = {what: count for what, count in middle.most_common() if what != kind and count} if kind == CALLS else {}
    return Measured(statistics.median(values), max(values) - min(values), parts)
