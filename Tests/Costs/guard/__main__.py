"""`make baseline WHY="..."`: measures all figures and writes those that left their tolerance into bench/baseline.json.

ALL=1 takes every figure anew, as when the machine that guards has become another.
"""

import os
import sys
import tempfile
from pathlib import Path

from . import baseline, machine, table
from .instruments import INSTRUMENTS
from .measuring import TOLERANCES, measure


def main():
    why = " ".join(os.environ.get("WHY", "").split())
    if not why:
        print(f"baseline: it keeps a reason for each figure that changes: {baseline.COMMAND}", file=sys.stderr)
        return 64
    try:
        old = baseline.read()
    except baseline.Broken as broken:
        print(f"baseline: all figures are taken anew: {broken}", file=sys.stderr)
        old = baseline.Baseline({}, {})
    measured = {}
    for instrument in INSTRUMENTS:
        if reason := instrument.unusable():
            print(f"baseline: nothing is written without {instrument.__name__}: {reason}", file=sys.stderr)
            return 69
        with tempfile.TemporaryDirectory() as directory:
            measured.update(measure(instrument, Path(directory)))
    here = machine.here()
    _, reasons = machine.compare(old.machine, here)
    values = {name: one.value for name, one in measured.items()}
    new = baseline.renewed(old, values, why, here, TOLERANCES, bool(reasons or os.environ.get("ALL")))
    baseline.write(new)
    print("\n".join(table.lines(old.figures, measured)))
    changed = [name for name in old.figures.keys() | new.figures.keys() if old.figures.get(name) != new.figures.get(name)]
    print(f"{baseline.FILE.relative_to(baseline.ROOT)}: {len(changed)} of {len(new.figures)} figures changed: {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
