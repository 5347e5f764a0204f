"""The order of a run: for every round, for every scenario, all peers one after another, in an order that changes.

Peers that are compared stand next to each other in time, and none is always first. The seed makes the order again.
"""

import random

from . import summary


def order(rounds, scenarios, peers, seed):
    """[(round, scenario, peer)], rounds from 1."""
    steps = []
    for number in range(1, rounds + 1):
        for scenario in scenarios:
            if scenario.once and number > 1:
                continue
            here = [peer for peer in peers if scenario.allows(peer)]
            random.Random(f"{seed}/{number}/{scenario.name}").shuffle(here)
            steps += [(number, scenario, peer) for peer in here]
    return steps


def carried_out(steps, measure, progress, between):
    """Measures every step, with `between` between two of them. An interruption ends it with what there is so far."""
    rounds = max((number for number, _, _ in steps), default=0)
    measurements = []
    try:
        for place, (number, scenario, peer) in enumerate(steps, 1):
            progress.step(f"round {number} of {rounds}: {scenario.name}, {peer.title}")
            record = {"round": number, "scenario": scenario.name, "peer": peer.name, "place": place}
            record.update(measure(peer, scenario))
            complaint = summary.problem(record, scenario.mock)
            if complaint:
                progress.say(f"{peer.name}, {scenario.name}: {complaint}")
            measurements.append(record)
            between()
    except KeyboardInterrupt:
        progress.say(f"interrupted after {len(measurements)} of {len(steps)} measurements")
    return measurements
