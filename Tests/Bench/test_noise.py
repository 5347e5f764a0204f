"""When a machine is too noisy, and what it says then."""

import json

import made_up
import pytest
from runner import machine, noise, tables

QUIET = {
    "spin_us_median": 900.0, "spin_spread": 1.02, "spin_drift": 1.0, "steal_share": 0.0, "foreign_cores": 0.01,
    "load_before": 3.0, "one_core": False,
}  # fmt: skip


def test_a_quiet_machine_is_trusted_whatever_was_built_before():
    assert noise.verdict(QUIET)["trusted"] and noise.verdict(QUIET)["reasons"] == []


@pytest.mark.parametrize(
    "seen, reason",
    [
        ({"spin_spread": 1.4}, "a fixed loop took 1.40 times its median in every tenth try"),
        ({"spin_drift": 1.2}, "took 1.20 times as long at the end"),
        ({"spin_drift": 0.8}, "took 0.80 times as long at the end"),
        ({"steal_share": 0.03}, "the hypervisor took 3.0 % of the time away"),
        ({"foreign_cores": 0.4}, "others used 0.40 of a core"),
        ({"one_core": True}, "one core only"),
    ],
)
def test_each_witness_can_speak_against_it(seen, reason):
    verdict = noise.verdict({**QUIET, **seen})
    assert not verdict["trusted"] and len(verdict["reasons"]) == 1 and reason in verdict["reasons"][0]


def test_the_page_begins_with_it():
    results = made_up.results()
    assert "The machine was quiet." in tables.markdown(results).splitlines()[2]
    results["noise"] = noise.verdict({**QUIET, "foreign_cores": 0.4})
    assert tables.markdown(results).splitlines()[2] == (
        "**This machine was too noisy to trust these figures: others used 0.40 of a core.**"
    )


def test_time_that_others_used_is_what_we_did_not(monkeypatch):
    cores = machine.Cores(proxy=(0,), load=(0,), all=(0,))
    clock, stat, own = iter([100.0, 110.0]), iter([(50.0, 1.0), (58.0, 2.0)]), iter([10.0, 15.0])
    monkeypatch.setattr(noise, "spin", lambda core: 1000.0)
    monkeypatch.setattr(noise.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(noise, "own_seconds", lambda: next(own))

    def times():
        busy, steal = next(stat)
        return {"busy": busy, "steal": steal, "all": 2 * busy}

    monkeypatch.setattr(noise, "times", times)
    seen = noise.Watch(cores).finish()
    # 8 s busy in 10 s, of which 5 were ours.
    assert seen["foreign_cores"] == 0.3 and seen["steal_share"] == pytest.approx(1 / 16)
    assert seen["spin_spread"] == 1.0 and seen["spin_drift"] == 1.0
    assert seen["one_core"] and not seen["trusted"]
    json.dumps(seen)


def test_stat_is_read():
    seen = noise.times("cpu  100 0 100 500 0 10 10 80 0 0\ncpu0 1 2 3\n")
    ticks = noise.os.sysconf("SC_CLK_TCK")
    assert (seen["busy"], seen["steal"], seen["all"]) == (220 / ticks, 80 / ticks, 800 / ticks)


@pytest.mark.parametrize(
    "allowed, siblings, proxy, load",
    [
        ({0, 1}, lambda core: {core}, (1,), (0,)),
        ({2}, lambda core: {core}, (2,), (2,)),
        ({0, 1, 2, 3}, lambda core: {core & ~1, core | 1}, (2,), (0,)),
        ({0, 1}, lambda core: {0, 1}, (1,), (0,)),
    ],
)
def test_proxy_and_load_get_a_core_each_and_no_siblings(allowed, siblings, proxy, load):
    cores = machine.cores(allowed, siblings)
    assert (cores.proxy, cores.load) == (proxy, load)
    assert cores.shared == (len(allowed) == 1)
