"""The committed baseline, bench/baseline.json, and what is said about a figure that left it.

A tolerance is "1.5 %" of the value, or a number in the figure's own unit. A figure above it costs more than was agreed;
one below it means that the baseline is stale and would let the gain be lost again unseen: both fail.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.gateway import ROOT

FILE = ROOT / "bench" / "baseline.json"
COMMAND = 'make baseline WHY="what made it change"'
MEND = f"run `{COMMAND}` and commit {FILE.relative_to(ROOT)} together with the change, whose message says why"


class Broken(ValueError):
    """The file cannot be used: where, what was found, what was expected."""


@dataclass(frozen=True)
class Figure:
    value: float
    tolerance: float | str
    why: str

    def margin(self, widened=1.0):
        """How far a measured figure may be from the value, either way."""
        if isinstance(self.tolerance, str):
            return abs(self.value) * float(self.tolerance.rstrip(" %")) / 100 * widened
        return self.tolerance * widened


@dataclass(frozen=True)
class Baseline:
    machine: dict
    figures: dict


@dataclass(frozen=True)
class Verdict:
    """`kind` is within, above, below, missing (from the baseline) or unknown (to those who measure)."""

    name: str
    kind: str
    message: str = ""


def number(value):
    """As few digits as say something: instructions by the tenth, allocations by the hundredth."""
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.2f}"


def judge(figures, measured, widened=1.0, where=FILE.name):
    """A verdict for each figure of either side, in the order of the measured ones. `measured` holds plain numbers."""
    verdicts = [judge_one(name, figures.get(name), value, widened, where) for name, value in measured.items()]
    for name in figures.keys() - measured.keys():
        verdicts.append(Verdict(name, "unknown", f"{where}: {name}: nothing measures this any more; {MEND}."))
    return verdicts


def judge_one(name, figure, value, widened, where):
    if figure is None:
        return Verdict(name, "missing", f"{where}: {name}: measured {number(value)}, but it has no baseline; {MEND}.")
    margin = figure.margin(widened)
    if abs(value - figure.value) <= margin:
        return Verdict(name, "within")
    bound = f"{figure.tolerance} as widened {widened:g} times" if widened != 1 else f"{figure.tolerance}"
    found = (
        f"{where}: {name}: measured {number(value)}, expected {number(figure.value)} within {bound}"
        f" ({number(figure.value - margin)} to {number(figure.value + margin)})"
    )
    if value > figure.value:
        cure = f"more than agreed: make it cheaper, or if it is meant, {MEND}."
        return Verdict(name, "above", f"{found}. It costs {change(figure, value)} {cure}")
    cure = f"less: the baseline must be lowered, or the gain can be lost unseen; {MEND}."
    return Verdict(name, "below", f"{found}. It costs {change(figure, value)} {cure}")


def change(figure, value):
    return f"{abs(value / figure.value - 1):.1%}" if figure.value else number(abs(value))


def renewed(old, measured, why, machine, tolerances, all_of_them=False):
    """The baseline after a measurement. Figures within their tolerance stay, so that small steps cannot creep past it.

    `tolerances` gives one for a figure that is new; `all_of_them` takes every value, as for another machine.
    """
    figures = {}
    for name, value in measured.items():
        figure = old.figures.get(name)
        if figure is None:
            figures[name] = Figure(rounded(value), tolerances[name], why)
        elif all_of_them or abs(value - figure.value) > figure.margin():
            figures[name] = Figure(rounded(value), figure.tolerance, why)
        else:
            figures[name] = figure
    return Baseline(machine if all_of_them or not old.machine else old.machine, figures)


def rounded(value):
    return round(value, 1) if abs(value) >= 100 else round(value, 3)


# The file


def read(path=FILE):
    try:
        return parse(Path(path).read_text(), Path(path).name)
    except OSError as error:
        raise Broken(f"{path}: {error.strerror}; {MEND}.") from None


def parse(text, where):
    """The baseline in `text`; `where` names it in messages."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        raise Broken(f"{where}:{error.lineno}: no JSON: {error.msg}; restore it with git, or {MEND}.") from None
    sections = [whole.get(key) if isinstance(whole, dict) else None for key in ("machine", "figures")]
    if not all(isinstance(section, dict) for section in sections):
        raise Broken(f'{where}: expected an object with the objects "machine" and "figures".')
    return Baseline(sections[0], {name: parse_figure(name, one, where) for name, one in sections[1].items()})


def parse_figure(name, one, where):
    if not isinstance(one, dict) or set(one) != {"value", "tolerance", "why"}:
        raise Broken(f'{where}: {name}: expected {{"value", "tolerance", "why"}}, found {json.dumps(one)}.')
    if not is_number(one["value"]):
        raise Broken(f"{where}: {name}: value: expected a number of 0 or more, found {json.dumps(one['value'])}.")
    if not (is_number(one["tolerance"]) or is_percentage(one["tolerance"])):
        raise Broken(f'{where}: {name}: tolerance: expected a number or "1.5 %", found {json.dumps(one["tolerance"])}.')
    if not isinstance(one["why"], str) or not one["why"].strip():
        raise Broken(f"{where}: {name}: why: expected a sentence that says why the value is what it is.")
    return Figure(one["value"], one["tolerance"], one["why"])


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def is_percentage(value):
    return isinstance(value, str) and value.endswith(" %") and value[:-2].replace(".", "", 1).isdigit()


def text(baseline):
    """One line per figure, so that a change reads as one."""
    about = f"What requests and events cost, counted by `make costs`; renewed by `{COMMAND}`. Tests/Costs says how."
    figures = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(asdict(one), ensure_ascii=False)}" for name, one in baseline.figures.items()
    )
    machine = json.dumps(baseline.machine, indent=2, ensure_ascii=False).replace("\n", "\n  ")
    return f'{{\n  "about": {json.dumps(about)},\n  "machine": {machine},\n  "figures": {{\n{figures}\n  }}\n}}\n'


def write(baseline, path=FILE):
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text(baseline))
