"""The plots of a run, drawn by matplotlib from its results.json: `python -m runner.plots DIR` prints the files it made.

No background and grey letters, so that they can be read on white and on black. A peer has the same colour everywhere.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib import ticker  # noqa: E402

from . import figures  # noqa: E402
from .summary import carried, percentile_line  # noqa: E402

GREY = "#80868e"
COLOURS = {
    "direct": "#9aa0a8",
    "relay": "#6c757d",
    "nginx": "#2f9e44",
    "haproxy": "#1c7ed6",
    "haproxy-splice": "#74b3ea",
    "envoy": "#9c5fd6",
    "sglang-router": "#0c9aa6",
    "litellm": "#b0793a",
    "sluice": "#e8590c",
}
STYLE = {
    "font.family": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "sluice",
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "legend.frameon": False,
}
# Bars further out than so many times the median of their panel are cut off, and say their value.
OUTLIER = 5

CPU_PER_EVENT = [
    ("sse-500", "cpu_us_per_event", "500 streams, 20 events/s each"),
    ("sse-2000", "cpu_us_per_event", "2,000 streams, 20 events/s each"),
    ("sse-flood", "cpu_us_per_event", "64 streams, saturated"),
]
CPU_PER_REQUEST = [
    ("plain-1k", "cpu_us_per_request", "1 KiB, 64 connections"),
    ("plain-64k", "cpu_us_per_request", "64 KiB, 64 connections"),
    ("fresh", "cpu_us_per_request", "a new connection each"),
]
THROUGHPUT = [
    ("plain-1k", "requests_per_second", "requests of 1 KiB"),
    ("sse-flood", "events_per_second", "events, saturated"),
    ("bulk", "mib_per_second", "answers of 16 MiB"),
]
MEMORY = [
    ("held-5000", "rss_kib_per_stream", "5,000 open streams"),
    ("stalled", "rss_kib_per_stream", "streams whose reader stopped"),
]
LATENCY = [
    ("rate-1000", "latency_us", "latency at 1,000 requests/s"),
    ("sse-500", "event_delay_us", "delay of an event, 500 streams"),
]


class Drawing:
    def __init__(self, results, directory):
        self.results = results
        self.directory = Path(directory)
        self.summary = results["summary"]
        self.files = []

    def title(self, peer):
        return self.results["peers"][peer]["title"]

    def found(self, scenario, figure):
        """{peer: spread} of what was measured rightly and under the scenario's whole load, in the results' order."""
        here = self.summary.get(scenario, {})
        good = {}
        for peer in self.results["peers"]:
            measured = here.get(peer)
            if not measured or not measured["ok"] or figure not in measured["figures"]:
                continue
            if carried(measured, self.results["scenarios"][scenario]):
                good[peer] = measured["figures"][figure]
        return good

    def save(self, figure, name):
        figure.savefig(self.directory / name, transparent=True, metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
        self.files.append(name)

    # Bars and dots: one panel for each scenario

    def panels(self, name, wanted, draw):
        wanted = [(*panel, self.found(panel[0], panel[1])) for panel in wanted]
        wanted = [panel for panel in wanted if panel[3]]
        if not wanted:
            return
        rows = max(len(found) for *_, found in wanted)
        figure, axes = plt.subplots(
            1, len(wanted), figsize=(4.1 * len(wanted), 0.36 * rows + 1.1), squeeze=False, layout="constrained"
        )
        for axis, (_, key, title, found) in zip(axes[0], wanted):
            draw(axis, key, found)
            axis.set_title(title)
            called, unit, _, less = figures.KNOWN[key]
            better = "less is better" if less else "more is better"
            axis.set_xlabel(f"{called}, {unit} ({better})".replace(", /s", "/s"))
            axis.set_yticks(range(len(found)), [self.title(peer) for peer in found])
            axis.set_ylim(len(found) - 0.4, -0.6)
            axis.tick_params(axis="y", length=0)
            axis.grid(axis="x")
            axis.set_axisbelow(True)
        self.save(figure, name)

    def bars(self, axis, key, found):
        medians = [spread["median"] for spread in found.values()]
        middle = sorted(medians)[len(medians) // 2]
        edge = 1.28 * max(value for value in medians if value <= OUTLIER * middle)
        for place, (peer, spread) in enumerate(found.items()):
            value = spread["median"]
            cut = value > edge
            axis.barh(place, min(value, edge), height=0.66, color=COLOURS.get(peer, GREY))
            if cut:
                axis.text(edge * 0.98, place, f"{figures.text(key, value)} →", va="center", ha="right", color="white")
                continue
            if spread["max"] > spread["min"]:
                axis.plot([spread["min"], min(spread["max"], edge)], [place, place], color=GREY, linewidth=1.4)
            end = min(max(value, spread["max"]), edge * 0.84)
            axis.text(end + 0.015 * edge, place, figures.text(key, value), va="center")
        axis.set_xlim(0, edge)
        axis.xaxis.set_major_locator(ticker.MaxNLocator(5))
        axis.xaxis.set_major_formatter(ticker.FuncFormatter(shortened))

    def dots(self, axis, key, found):
        values = [max(spread["median"], 0.01) for spread in found.values()]
        for place, (peer, value) in enumerate(zip(found, values)):
            axis.plot([value], [place], "o", markersize=8, color=COLOURS.get(peer, GREY))
            axis.text(value * 1.35, place, figures.text(key, value), va="center")
        axis.set_xscale("log")
        axis.set_xlim(min(values) / 2, max(values) * 8)
        axis.xaxis.set_major_formatter(ticker.FuncFormatter(shortened))

    # Lines

    def latency(self, name):
        wanted = [panel for panel in LATENCY if self.lines_of(panel[0], panel[1])]
        if not wanted:
            return
        figure, axes = plt.subplots(
            1, len(wanted), figsize=(5.4 * len(wanted), 4.2), squeeze=False, layout="constrained"
        )
        for axis, (scenario, source, title) in zip(axes[0], wanted):
            for peer, (shares, values) in self.lines_of(scenario, source).items():
                axis.plot(shares, values, label=self.title(peer), **line_style(peer))
            axis.set_title(title)
            axis.set_yscale("log")
            axis.set_xscale("log")
            axis.set_xlim(1, 1000)
            axis.set_xticks([1, 2, 10, 100, 1000], ["0", "50", "90", "99", "99.9"])
            axis.xaxis.set_minor_locator(ticker.NullLocator())
            axis.yaxis.set_major_formatter(ticker.FuncFormatter(shortened))
            axis.set_xlabel("percentile")
            axis.set_ylabel("us (less is better)")
            axis.grid()
        self.legend(figure, axes)
        self.save(figure, name)

    def lines_of(self, scenario, source):
        """{peer: ([1 / share above], [us])} over all rounds."""
        lines = {}
        for peer in self.results["peers"]:
            bins = [
                record["load"]["histograms"][source]
                for record in self.results["measurements"]
                if record["scenario"] == scenario and record["peer"] == peer and record["ok"]
                and record["load"].get("histograms", {}).get(source)
                and record["connections"] == self.results["scenarios"][scenario]["connections"]
            ]  # fmt: skip
            if bins:
                lines[peer] = percentile_line(bins)
        return lines

    def against(self, name, points, figure_name, xlabel):
        """One line for each peer: a figure against a number, `points` being [(number, scenario)]."""
        lines = {}
        for number, scenario in points:
            for peer, spread in self.found(scenario, figure_name).items():
                lines.setdefault(peer, []).append((number, spread))
        lines = {peer: line for peer, line in lines.items() if len(line) > 1}
        if not lines:
            return
        figure, axis = plt.subplots(figsize=(7.2, 4.4), layout="constrained")
        for peer in (peer for peer in self.results["peers"] if peer in lines):
            numbers = [number for number, _ in lines[peer]]
            spreads = [spread for _, spread in lines[peer]]
            axis.plot(numbers, [s["median"] for s in spreads], "o-", label=self.title(peer), **line_style(peer))
            lowest, highest = [s["min"] for s in spreads], [s["max"] for s in spreads]
            axis.fill_between(numbers, lowest, highest, color=COLOURS.get(peer, GREY), alpha=0.15, linewidth=0)
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
        axis.xaxis.set_major_formatter(ticker.FuncFormatter(shortened))
        axis.yaxis.set_major_formatter(ticker.FuncFormatter(shortened))
        called, unit, _, less = figures.KNOWN[figure_name]
        axis.set_xlabel(xlabel)
        axis.set_ylabel(f"{called}, {unit} ({'less' if less else 'more'} is better)".replace(", /s", "/s"))
        axis.grid()
        self.legend(figure, [[axis]])
        self.save(figure, name)

    @staticmethod
    def legend(figure, axes):
        entries = {}
        for axis in axes[0]:
            for handle, label in zip(*axis.get_legend_handles_labels()):
                entries.setdefault(label, handle)
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=min(len(entries), 5))


def line_style(peer):
    return {
        "color": COLOURS.get(peer, GREY),
        "linewidth": 2.6 if peer == "sluice" else 1.5,
        "linestyle": "--" if peer in ("direct", "relay") else "-",
        "markersize": 4,
        "zorder": 3 if peer == "sluice" else 2,
    }


def shortened(value, _=None):
    """An axis' number: 20k, 1.5M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def drawn(results, directory):
    plt.rcParams.update(STYLE)
    drawing = Drawing(results, directory)
    drawing.panels("cpu-per-event.svg", CPU_PER_EVENT, drawing.bars)
    drawing.panels("cpu-per-request.svg", CPU_PER_REQUEST, drawing.bars)
    drawing.panels("throughput.svg", THROUGHPUT, drawing.bars)
    drawing.latency("latency.svg")
    drawing.panels("memory-per-stream.svg", MEMORY, drawing.dots)
    growth = [(n, f"grow-{n}") for n in (1, 10, 100, 1000, 10_000)]
    drawing.against("growth.svg", growth, "cpu_us_per_event", "streams; 10,000 events/s in all, one stream 1,000")
    sweep = [(1, "sweep-1"), (8, "sweep-8"), (64, "plain-1k"), (512, "sweep-512"), (2048, "sweep-2048")]
    drawing.against("sweep.svg", sweep, "requests_per_second", "connections, requests of 1 KiB")
    return drawing.files


def main():
    directory = Path(sys.argv[1])
    results = json.loads((directory / "results.json").read_text())
    print("\n".join(drawn(results, directory)))


if __name__ == "__main__":
    main()
