"""The guard itself, without a gateway: what is within, what is not, what is said, and what a new baseline keeps."""

import re
from collections import Counter

import pytest

from guard import machine, table
from guard.baseline import Baseline, Broken, Figure, judge, parse, read, renewed, text
from guard.instruments import CALLS, SystemCalls
from guard.measuring import FIGURES, TOLERANCES, Measured, summary

FIGURES_AGREED = {
    "instructions per event": Figure(3000.0, "1.5 %", "first"),
    "allocations per event": Figure(0.0, 0.02, "first"),
    "system calls per event": Figure(3.0, 0.05, "first"),
}


@pytest.mark.parametrize(
    "figure, value, widened, kind",
    [
        ("instructions per event", 3000.0, 1.0, "within"),
        ("instructions per event", 3045.0, 1.0, "within"),
        ("instructions per event", 2955.0, 1.0, "within"),
        ("instructions per event", 3045.5, 1.0, "above"),
        ("instructions per event", 2954.5, 1.0, "below"),
        ("instructions per event", 3045.5, 8.0, "within"),
        ("instructions per event", 2954.5, 8.0, "within"),
        ("instructions per event", 3361.0, 8.0, "above"),
        ("instructions per event", 2639.0, 8.0, "below"),
        ("instructions per event", 0.0, 1.0, "below"),
        ("allocations per event", 0.0, 1.0, "within"),
        ("allocations per event", 0.02, 1.0, "within"),
        ("allocations per event", 0.03, 1.0, "above"),
        ("allocations per event", 1.0, 40.0, "above"),
        ("system calls per event", 2.0, 1.0, "below"),
        ("system calls per event", 4.0, 1.0, "above"),
        ("bytes copied per event", 0.0, 1.0, "missing"),
    ],
)
def test_a_figure_is_judged(figure, value, widened, kind):
    known = {name: one for name, one in FIGURES_AGREED.items() if name == figure}
    (verdict,) = judge(known, {figure: value}, widened)
    assert (verdict.name, verdict.kind) == (figure, kind)
    assert bool(verdict.message) == (kind != "within")


def test_a_figure_that_nothing_measures_is_unknown():
    verdicts = judge(FIGURES_AGREED, {"instructions per event": 3000.0})
    assert {(verdict.name, verdict.kind) for verdict in verdicts} == {
        ("instructions per event", "within"),
        ("allocations per event", "unknown"),
        ("system calls per event", "unknown"),
    }


@pytest.mark.parametrize(
    "figure, value, expected",
    [
        (
            "instructions per event",
            3300.0,
            (
                "bench/b.json: instructions per event: measured 3,300.0, expected 3,000.0 within 1.5 %",
                "(2,955.0 to 3,045.0)",
                "costs 10.0% more",
            ),
        ),
        ("instructions per event", 2700.0, ("costs 10.0% less: the baseline must be lowered",)),
        ("allocations per event", 1.0, ("measured 1.00, expected 0.00 within 0.02", "costs 1.00 more")),
        ("bytes copied per event", 250.0, ("measured 250.0, but it has no baseline",)),
    ],
)
def test_a_message_says_what_was_found_and_how_to_mend_it(figure, value, expected):
    known = {name: one for name, one in FIGURES_AGREED.items() if name == figure}
    (verdict,) = judge(known, {figure: value}, where="bench/b.json")
    for part in (*expected, "make baseline WHY=", "bench/baseline.json", "says why"):
        assert part in verdict.message


# The file


def one_figure(**changes):
    members = {"value": "3.0", "tolerance": "0.05", "why": '"first"', **changes}
    written = ", ".join(f'"{name}": {value}' for name, value in members.items() if value)
    return '{"machine": {}, "figures": {"x": {%s}}}' % written


@pytest.mark.parametrize(
    "content, complaint",
    [
        ("", "b.json:1: no JSON"),
        ('{"machine": {},\n "figures": {', "b.json:2: no JSON"),
        ("[]", "expected an object"),
        ('{"machine": {}}', "expected an object"),
        ('{"machine": {}, "figures": []}', "expected an object"),
        ('{"machine": {}, "figures": {"x": 3}}', 'x: expected {"value", "tolerance", "why"}, found 3'),
        (one_figure(why=None), "x: expected"),
        (one_figure(more="1"), "x: expected"),
        (one_figure(value='"3"'), 'x: value: expected a number of 0 or more, found "3"'),
        (one_figure(value="true"), "x: value"),
        (one_figure(value="-1"), "x: value"),
        (one_figure(value="NaN"), "x: value"),
        (one_figure(value="Infinity"), "x: value"),
        (one_figure(tolerance='"1.5"'), "x: tolerance"),
        (one_figure(tolerance='"many %"'), "x: tolerance"),
        (one_figure(tolerance="-1"), "x: tolerance"),
        (one_figure(tolerance="null"), "x: tolerance"),
        (one_figure(why='" "'), "x: why"),
        (one_figure(why="1"), "x: why"),
    ],
)
def test_a_broken_file_is_refused_and_told(content, complaint):
    with pytest.raises(Broken) as told:
        parse(content, "b.json")
    assert str(told.value).startswith("b.json") and complaint in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Broken, match="No such file.*make baseline"):
        read(tmp_path / "baseline.json")


def test_what_is_written_is_read_again_and_a_figure_is_a_line():
    baseline = Baseline({"processor": "a", "glibc": "2.36"}, FIGURES_AGREED)
    assert parse(text(baseline), "b.json") == baseline
    assert sum("per event" in line for line in text(baseline).splitlines()) == len(FIGURES_AGREED)


# Taking it anew


def test_a_new_baseline_keeps_what_is_within_so_that_nothing_creeps():
    old = Baseline({"glibc": "2.36"}, FIGURES_AGREED)
    measured = {"instructions per event": 3040.0, "system calls per event": 2.0, "bytes copied per event": 0.0004}
    new = renewed(old, measured, "second", {"glibc": "2.36"}, {"bytes copied per event": 1})
    assert new.figures == {
        "instructions per event": FIGURES_AGREED["instructions per event"],
        "system calls per event": Figure(2.0, 0.05, "second"),
        "bytes copied per event": Figure(0.0, 1, "second"),
    }


def test_another_machine_takes_every_figure_anew():
    old = Baseline({"glibc": "2.36"}, FIGURES_AGREED)
    new = renewed(old, {"instructions per event": 3040.04}, "moved", {"glibc": "2.41"}, {}, all_of_them=True)
    assert new == Baseline({"glibc": "2.41"}, {"instructions per event": Figure(3040.0, "1.5 %", "moved")})


def test_every_figure_that_is_counted_has_a_usual_tolerance():
    assert set(TOLERANCES) == set(FIGURES)


# Machines

HERE = {
    "architecture": "x86_64", "swift": "6.3.1", "glibc": "2.36", "libuv": "1.44.2", "openssl": "3.0.22", "llhttp": "9.2.1",
}


@pytest.mark.parametrize(
    "changes, widened, reason",
    [
        ({}, 1.0, None),
        ({"processor": "another"}, 1.0, None),
        ({"openssl": "3.0.17", "swift": "6.3.0"}, 1.0, None),
        ({"glibc": "2.41"}, machine.OTHER_LIBRARIES, "glibc 2.41 in the baseline, 2.36 here"),
        ({"libuv": None}, machine.OTHER_LIBRARIES, "libuv None in the baseline, 1.44.2 here"),
        ({"swift": "6.4.0"}, machine.OTHER_LIBRARIES, "swift 6.4.0 in the baseline, 6.3.1 here"),
        ({"architecture": "aarch64", "glibc": "2.41"}, machine.OTHER_ARCHITECTURE, "architecture aarch64"),
    ],
)
def test_figures_of_another_machine_are_compared_more_widely_and_it_is_said(changes, widened, reason):
    found, reasons = machine.compare({**HERE, **changes}, HERE)
    assert found == widened
    assert [reason in one for one in reasons] == ([True] if reason else [])
    printed = "\n".join(table.lines({}, {}, found, reasons))
    assert ("TOLERANCES ARE" in printed) == bool(reason)


def test_this_machine_is_known():
    here = machine.here()
    assert set(machine.COMPARED) < set(here)
    assert all(re.match(r"\d+\.\d+", here[library]) for library in ("glibc", "libuv", "openssl", "llhttp")), here


# Counting


def test_calls_are_counted_when_they_return():
    log = """\
100 epoll_wait(0x5, 0x7ff, 0x400, 0xc8 <unfinished ...>
101 read(0xa, 0x7f, 0x10000) = 0x100
101 exit(0 <unfinished ...>
100 <... epoll_wait resumed>) = 0x1
100 --- SIGUSR1 {si_signo=SIGUSR1} ---
101 +++ exited with 0 +++
100 write(0xb, 0x7f, 0x100) = -1 EAGAIN (Resource temporarily unavailable)
100 epoll_wait(0x5, 0x7ff, """
    assert SystemCalls.completed(log) == {"epoll_wait": 1, "read": 1, "write": 1}
    assert SystemCalls.completed("") == {}


def test_one_odd_window_of_three_is_outvoted():
    usual, odd = Counter({CALLS: 3.0, "read": 1.0, "write": 2.0}), Counter({CALLS: 9.0, "read": 7.0, "write": 2.0})
    found = summary(CALLS, [usual, odd, usual])
    assert (found.value, found.spread, found.parts) == (3.0, 6.0, {"read": 1.0, "write": 2.0})


def test_the_table_shows_every_figure_and_marks_those_that_left():
    values = {"instructions per event": 3300.0, "system calls per event": 3.0, "new": 1.0}
    measured = {name: Measured(value) for name, value in values.items()}
    head, above, within, new = table.lines(FIGURES_AGREED, measured)
    assert head.split() == ["figure", "measured", "baseline", "difference", "tolerance"]
    assert above.split()[-6:] == ["3,300.0", "3,000.0", "+10.00%", "1.5", "%", "MORE"]
    assert within.split()[-4:] == ["3.00", "3.00", "+0.00%", "0.05"]
    assert new.endswith("NO BASELINE")
