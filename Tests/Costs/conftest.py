"""Counts costs, run with `make costs`: each instrument runs the gateway once, and the table is printed at the end."""

import tempfile
from pathlib import Path

import pytest

from guard import baseline, machine, table
from guard.measuring import measure


class Session:
    """What this run has counted so far, and the baseline it is held to."""

    def __init__(self):
        self.measured = {}
        self.unusable = {}
        self.baseline = None
        self.here = None

    @property
    def widened(self):
        return self.comparison[0]

    @property
    def comparison(self):
        if self.baseline is None:
            return 1.0, []
        self.here = self.here or machine.here()
        return machine.compare(self.baseline.machine, self.here)


SESSION = Session()


@pytest.fixture(scope="session")
def agreed():
    """The session with the committed baseline read: a broken file fails every test that compares."""
    SESSION.baseline = baseline.read()
    return SESSION


@pytest.fixture(scope="session")
def counted():
    """`counted(instrument)` gives its figures; the first call measures, and a failure to measure is told each time.

    What it leaves (a copy of the binary, callgrind's dumps) is too large for pytest's directory, which is kept.
    """
    kept = {}

    def counted(instrument):
        if instrument not in kept:
            if reason := instrument.unusable():
                SESSION.unusable[instrument.__name__] = reason
                pytest.skip(f"NOT COUNTED, {', '.join(instrument.kinds)}: {reason}")
            try:
                with tempfile.TemporaryDirectory() as directory:
                    kept[instrument] = measure(instrument, Path(directory))
                SESSION.measured.update(kept[instrument])
            except AssertionError as failure:
                kept[instrument] = failure
        if isinstance(kept[instrument], AssertionError):
            pytest.fail(str(kept[instrument]))
        return kept[instrument]

    return counted


def pytest_terminal_summary(terminalreporter):
    if SESSION.measured:
        terminalreporter.section("costs, in lock step", sep="-")
        figures = SESSION.baseline.figures if SESSION.baseline else {}
        for line in table.lines(figures, SESSION.measured, *SESSION.comparison):
            terminalreporter.write_line(line)
    for instrument, reason in SESSION.unusable.items():
        terminalreporter.write_line(f"NOT COUNTED: {instrument}: {reason}")
