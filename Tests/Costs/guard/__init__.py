"""The guard of costs: what a request and an event cost, counted and not timed, against bench/baseline.json.

    workloads ─▶ pair: client and backend in lock step, one thread ─▶ gateway, standing still between two readings
                                                                        ▲
    measuring ◀──────────────── instruments: callgrind, count.c, strace ┘
        └─▶ baseline: value, tolerance, why

Counts do not depend on how busy the machine is as long as the gateway does the same things in the same order. So there
is one request or event under way at a time, everything shares one processor, and a window of steps is counted between
two moments at which no thread of the gateway has anything to do. A gateway in lock step sleeps once per read, a busy one
does not: these are figures to be compared with their own past, not with those of a loaded gateway.
"""
