"""What `bench/run` takes. Wrong arguments get the usage line, the mistake, and exit code 64."""

import argparse
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from . import peers, scenarios

EXIT_USAGE = 64


@dataclass(frozen=True)
class Arguments:
    """One run, as it was asked for."""

    level: str  # quick, full or smoke
    peers: tuple  # names, in the order of the tables
    scenarios: tuple  # names, in the order of the tables
    rounds: int
    seed: int
    out: Path
    plots: bool
    render: Path | None  # a results.json to make tables and plots of, instead of a run
    listing: bool


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"bench/run: {message}\n")


def positive(text):
    number = int(text)
    if not 1 <= number <= 1000:
        raise ValueError
    return number


positive.__name__ = "number from 1 to 1000"


def parser():
    made = Parser(
        prog="bench/run",
        description="Compares Sluice with a plain TCP relay and with other proxies, on this machine. "
        "Without an argument: about six minutes, with what Debian has.",
    )
    level = made.add_mutually_exclusive_group()
    level.add_argument("--full", action="store_true", help="all peers, more rounds, sweeps, N workers: an hour or more")
    level.add_argument("--smoke", action="store_true", help="seconds: whether everything works, no figures to believe")
    made.add_argument("--peers", metavar="A,B", help="only these peers (see --list)")
    made.add_argument("--scenarios", metavar="A,B", help="only these scenarios (see --list)")
    made.add_argument("--rounds", metavar="N", type=positive, help="rounds of all peers (3; full: 5; smoke: 1)")
    made.add_argument("--seed", metavar="N", type=int, help="of the peers' order in each round; printed when not given")
    made.add_argument(
        "--out", metavar="DIR", type=Path, help="where results go (bench/results/quick; full: bench/results)"
    )
    made.add_argument("--no-plots", action="store_true", help="JSON and tables only")
    made.add_argument("--render", metavar="FILE", type=Path, help="no run: tables and plots of an earlier results.json")
    made.add_argument("--list", action="store_true", help="the peers and scenarios there are")
    return made


def chosen(made, what, given, known, usual):
    """`given` as names out of `known`, in the order of `known`."""
    if given is None:
        return tuple(usual)
    names = [name.strip() for name in given.split(",")]
    for name in names:
        if name not in known:
            made.error(f"argument --{what}: found {name!r}, expected some of: {', '.join(known)}")
    return tuple(name for name in known if name in names)


def parse(words, root):
    """The arguments as a value; ends the process where they are wrong."""
    made = parser()
    given = made.parse_args(words)
    level = "full" if given.full else "smoke" if given.smoke else "quick"
    if given.render is not None and not given.render.is_file():
        made.error(f"argument --render: {given.render} is no file")
    usual_out = {
        "full": root / "bench/results",
        "quick": root / "bench/results/quick",
        "smoke": root / ".bench/smoke",
    }[level]
    out = given.out or (given.render.parent if given.render else usual_out)
    if out.exists() and not out.is_dir():
        made.error(f"argument --out: {out} is no directory")
    return Arguments(
        level=level,
        peers=chosen(made, "peers", given.peers, list(peers.TABLE), peers.usual(level)),
        scenarios=chosen(made, "scenarios", given.scenarios, scenarios.names(), scenarios.usual(level)),
        rounds=given.rounds or {"quick": 3, "full": 5, "smoke": 1}[level],
        seed=given.seed if given.seed is not None else random.SystemRandom().randrange(1, 1_000_000),
        out=out,
        plots=not given.no_plots and level != "smoke",
        render=given.render,
        listing=given.list,
    )
