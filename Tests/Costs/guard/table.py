"""Measured, baseline and difference of each figure, as text for people."""

from .baseline import number


def lines(figures, measured, widened=1.0, reasons=()):
    """`figures` is the baseline's, `measured` are those counted now; either may lack some of the other's."""
    rows = [("figure", "measured", "baseline", "difference", "tolerance", "")]
    for name, one in measured.items():
        rows.append(row(name, one, figures.get(name), widened))
    widths = [max(len(cells[column]) for cells in rows) for column in range(5)]
    for cells in rows:
        left, *right, remark = cells
        numbers = [cell.rjust(width) for cell, width in zip(right, widths[1:])]
        yield "  ".join([left.ljust(widths[0]), *numbers, remark]).rstrip()
    yield from composition(measured)
    for reason in reasons:
        yield f"TOLERANCES ARE {widened:g} TIMES WIDER: {reason}. Figures of this machine: make baseline."


def row(name, one, figure, widened):
    if figure is None:
        return (name, number(one.value), "none", "", "", "NO BASELINE")
    apart = one.value - figure.value
    difference = f"{apart / figure.value:+.2%}" if figure.value else f"{apart:+.2f}"
    remark = "" if abs(apart) <= figure.margin(widened) else "MORE" if apart > 0 else "LESS"
    return (name, number(one.value), number(figure.value), difference, str(figure.tolerance), remark)


def composition(measured):
    """What the system calls are, where that is known."""
    for name, one in measured.items():
        if one.parts:
            parts = ", ".join(f"{what} {count:.2f}" for what, count in one.parts.items() if count >= 0.01)
            yield f"{name}: {parts}"
