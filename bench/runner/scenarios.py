"""What is measured: a load, what the mock behind it does, and the figure that counts.

Unless a scenario says otherwise a proxy has one worker on one core, and mock and load share another. A window is what
is counted; the warm-up in front of it is not.
"""

from dataclasses import dataclass, field, replace

# Streams without an end: none is restarted within a window, so that an event's cost is an event's alone.
ENDLESS = 90_000_000
MIB = 1 << 20


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    mode: str  # of the load generator
    figure: str  # the one that counts; see figures.py
    connections: int = 64
    body_bytes: int = 1024
    rate: int | None = None  # requests a second, open loop
    mock: dict = field(default_factory=dict)  # the mock's options
    seconds: float = 1.2  # of the counted window, in a quick run; four times that in a full one
    warmup: float = 0.3
    once: bool = False  # one round is enough: memory that is held does not depend on time
    direct: bool = False  # also without a proxy
    relay: bool = True
    workers: str = "one"  # or "all": as many as cores, and no core to themselves
    counts_syscalls: bool = False
    slow_connections: int | None = None  # for peers that cannot carry the load; None leaves them out
    values: dict = field(default_factory=dict)  # per peer, for its file
    full_only: bool = False
    keeps_histograms: bool = False

    @property
    def holds(self):
        return self.mode in ("held", "stalled")

    def allows(self, peer):
        """Whether `peer` is measured here."""
        if peer.only and self.name not in peer.only:
            return False
        if peer.slow and self.slow_connections is None:
            return False
        if self.workers == "all" and not peer.many_workers:
            return False
        return (self.direct or peer.name != "direct") and (self.relay or peer.name != "relay")

    def connections_for(self, peer, descriptors):
        """As many as the scenario wants, unless the peer is slow or descriptors are short."""
        wanted = self.slow_connections if peer.slow else self.connections
        return max(min(wanted, (descriptors - 300) // 2), 1)

    def planned_seconds(self, peer):
        """About how long one measurement takes: the start of the processes, all connections, the window, the end."""
        start = 10 if peer.slow else 1.5 if peer.full_only else 0.15
        return start + self.connections / 6000 + self.warmup + self.seconds + 0.1


def paced(per_second, **rest):
    """A mock whose streams send so many events a second each, for ever."""
    return {"events": ENDLESS, "gap-us": round(1_000_000 / per_second), **rest}


def settling(streams):
    """Seconds until proxies have caught up with the opening of so many streams."""
    return 0.3 + streams / 5000


def growing(streams):
    """10,000 events a second in all, over so many streams. The mock's clock ticks once a millisecond."""
    title = f"{streams:,} streams, 10,000 events/s in all" if streams > 1 else "1 stream, 1,000 events/s"
    return Scenario(
        f"grow-{streams}", title, "streams", "cpu_us_per_event", connections=streams,
        mock=paced(min(10_000 / streams, 1000)), warmup=settling(streams), full_only=streams not in (100, 10_000),
    )  # fmt: skip


def sweeping(connections):
    return Scenario(
        f"sweep-{connections}", f"requests of 1 KiB, connections: {connections:,}", "requests", "requests_per_second",
        connections=connections, full_only=True,
    )  # fmt: skip


FLOOD = {"events": ENDLESS, "gap-us": 0, "batch": 8}
BIG_BUFFER = {"nginx": {"BUFFER": "64k"}}

ALL = [
    Scenario(
        "plain-1k", "requests of 1 KiB, 64 connections", "requests", "cpu_us_per_request",
        direct=True, slow_connections=8, keeps_histograms=True,
    ),
    Scenario(
        "plain-64k", "requests of 64 KiB, 64 connections", "requests", "cpu_us_per_request", body_bytes=65_536,
    ),
    Scenario(
        "fresh", "a new connection for each request, 32 at a time", "fresh", "cpu_us_per_request", connections=32,
    ),
    Scenario(
        "rate-1000", "1,000 requests/s, open loop", "rate", "latency_p50_us", rate=1000, direct=True,
        keeps_histograms=True, seconds=2.0,
    ),
    Scenario(
        "sse-500", "500 streams, 20 events/s each", "streams", "cpu_us_per_event", connections=500, mock=paced(20),
        direct=True, slow_connections=20, keeps_histograms=True, seconds=1.5,
    ),
    Scenario(
        "sse-2000", "2,000 streams, 20 events/s each", "streams", "cpu_us_per_event", connections=2000, mock=paced(20),
        warmup=settling(2000),
    ),
    Scenario(
        "sse-flood", "64 streams as fast as they go, 8 events a write", "streams", "events_per_second", mock=FLOOD,
        values=BIG_BUFFER, direct=True,
    ),
    Scenario(
        "bulk", "answers of 16 MiB, 8 connections", "bulk", "cpu_ms_per_gib", connections=8,
        mock={"answer-bytes": 16 * MIB}, values=BIG_BUFFER,
    ),
    Scenario(
        "upload", "bodies of 16 MiB, 8 connections", "bulk", "cpu_ms_per_gib", connections=8, body_bytes=16 * MIB,
        values=BIG_BUFFER, full_only=True,
    ),
    Scenario(
        "held-5000", "5,000 open streams, an event a second each", "held", "rss_kib_per_stream", connections=5000,
        mock=paced(1), once=True, slow_connections=100, seconds=2.0,
    ),
    Scenario(
        "stalled", "50 streams whose reader stopped, the backend at full speed", "stalled", "rss_kib_per_stream",
        connections=50, mock=FLOOD, once=True, seconds=2.0,
    ),
    *(growing(streams) for streams in (1, 10, 100, 1000, 10_000)),
    Scenario(
        "calls-request", "system calls, requests of 1 KiB", "requests", "syscalls_per_request", counts_syscalls=True,
    ),
    Scenario(
        "calls-event", "system calls, 500 streams, 20 events/s each", "streams", "syscalls_per_event", connections=500,
        mock=paced(20), counts_syscalls=True,
    ),
    *(sweeping(connections) for connections in (1, 8, 512, 2048)),
    Scenario(
        "all-plain", "requests of 1 KiB, a worker for each core", "requests", "requests_per_second", workers="all",
        full_only=True, relay=False,
    ),
    Scenario(
        "all-sse", "500 streams, 20 events/s each, a worker for each core", "streams", "cpu_us_per_event",
        connections=500, mock=paced(20), workers="all", full_only=True, relay=False,
    ),
]  # fmt: skip

TABLE = {scenario.name: scenario for scenario in ALL}


def names():
    return list(TABLE)


def usual(level):
    if level == "full":
        return names()
    if level == "quick":
        return [scenario.name for scenario in ALL if not scenario.full_only]
    return ["plain-1k", "fresh", "rate-1000", "sse-500", "sse-flood", "bulk", "held-5000", "stalled", "calls-request"]


def sized(scenario, level):
    """The scenario as a level runs it."""
    if level == "full":
        longer = 2 if scenario.once else 4
        return replace(scenario, seconds=longer * scenario.seconds, warmup=longer * scenario.warmup)
    if level == "quick":
        return scenario
    few = min(scenario.connections, 20)
    mock = dict(scenario.mock)
    if mock.get("answer-bytes"):
        mock["answer-bytes"] = MIB
    seconds = 0.5 if scenario.counts_syscalls else 0.3
    return replace(scenario, seconds=seconds, warmup=0.1, connections=few, rate=scenario.rate and 200, mock=mock)


def load_arguments(scenario, connections, url, key, watched):
    """The load generator's command line, behind its `load`."""
    words = ["--url", url, "--key", key, "--mode", scenario.mode, "--connections", connections, "--json"]
    words += ["--body-bytes", scenario.body_bytes, "--timeout", 20]
    if scenario.holds:
        words += ["--hold", scenario.seconds]
    else:
        words += ["--duration", scenario.seconds, "--warmup", scenario.warmup]
    if scenario.rate:
        words += ["--rate", scenario.rate]
    for pid in watched:
        words += ["--watch", pid]
    return [str(word) for word in words]


def mock_arguments(scenario, port):
    words = ["--address", f"127.0.0.1:{port}"]
    for name, value in scenario.mock.items():
        words += [f"--{name}", value]
    return [str(word) for word in words]
