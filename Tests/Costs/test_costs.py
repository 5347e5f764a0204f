"""What a request and an event cost has not changed unseen: counts against bench/baseline.json, whatever else runs here.

A change that costs more, or less, changes the baseline in the same commit and says why. `make baseline` does it.
"""

import pytest

from guard.baseline import judge
from guard.instruments import INSTRUMENTS
from guard.measuring import FIGURES, name
from guard.workloads import WORKLOADS

CASES = [
    pytest.param(instrument, name(kind, workload.unit), id=name(kind, workload.unit))
    for instrument in INSTRUMENTS
    for kind in instrument.kinds
    for workload in WORKLOADS
]


@pytest.mark.parametrize("instrument, figure", CASES)
def test_the_cost_is_what_was_agreed(agreed, counted, instrument, figure):
    value = counted(instrument)[figure].value
    known = {name: one for name, one in agreed.baseline.figures.items() if name == figure}
    (verdict,) = judge(known, {figure: value}, agreed.widened, where="bench/baseline.json")
    if verdict.kind != "within":
        pytest.fail(verdict.message, pytrace=False)


def test_every_agreed_cost_is_still_counted(agreed):
    verdicts = judge(agreed.baseline.figures, dict.fromkeys(FIGURES, 0.0), where="bench/baseline.json")
    unknown = [verdict.message for verdict in verdicts if verdict.kind == "unknown"]
    assert not unknown, "\n".join(unknown)
