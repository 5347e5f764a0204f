"""`bench/run` from arguments to files: the peers made ready, the rounds run, the results written and told."""

import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from . import arguments, judge, machine, noise, peers, rotation, scenarios, summary, tables, tools
from .install import Installer, Skip
from .measure import Laboratory
from .peer import Bench
from .progress import Progress, duration
from .syscalls import Counter
from .words import fit

ROOT = Path(__file__).resolve().parents[2]
EXIT_UNAVAILABLE = 69
EXIT_WRONG_ANSWERS = 1
EXIT_INTERRUPTED = 130


def say(line):
    print(line, file=sys.stderr, flush=True)


def listing():
    lines = ["peers:"]
    lines += [f"  {p.name:16}{p.title}{' (full)' if p.full_only else ''}" for p in peers.ALL]
    lines += ["scenarios:"]
    lines += [f"  {s.name:16}{s.title}{' (full)' if s.full_only else ''}" for s in scenarios.ALL]
    return "\n".join(lines)


def made_ready(bench, chosen):
    """What can run, and a line for each that cannot."""
    ready, skipped = {}, []
    for name in chosen:
        try:
            ready[name] = peers.TABLE[name].prepare(bench)
        except Skip as skip:
            reason = fit(str(skip), REPOSITORY=ROOT)
            skipped.append({"what": peers.TABLE[name].title, "reason": reason})
            say(f"skipped: {peers.TABLE[name].title}: {reason}")
    return ready, skipped


def collected(asked, bench):
    """Runs everything; the results without plots."""
    descriptors = machine.raise_descriptor_limit()
    cores = machine.cores()
    ready, skipped = made_ready(bench, asked.peers)
    chosen = [peers.TABLE[name] for name in ready]
    wanted = [scenarios.sized(scenarios.TABLE[name], asked.level) for name in asked.scenarios]
    counter = Counter(bench.installer)
    if counter.reason and any(scenario.counts_syscalls for scenario in wanted):
        skipped.append({"what": "system calls", "reason": counter.reason})
        say(f"skipped: {counter.reason}")
        wanted = [scenario for scenario in wanted if not scenario.counts_syscalls]
    steps = rotation.order(asked.rounds, wanted, chosen, asked.seed)
    progress = Progress([scenario.planned_seconds(peer) for _, scenario, peer in steps])
    say(f"{len(steps)} measurements, about {duration(sum(progress.planned))}, seed {asked.seed}")

    watch = noise.Watch(cores)
    laboratory = Laboratory(bench, ready, cores, descriptors, counter)
    measurements = rotation.carried_out(steps, laboratory.measure, progress, watch.look)
    progress.end()
    if not measurements:
        raise KeyboardInterrupt
    described = {scenario.name: asdict(scenario) for scenario in wanted}
    results = {
        "schema": 1,
        "kind": asked.level,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": machine.commit(ROOT),
        "rounds": asked.rounds,
        "planned": len(steps),
        "seed": asked.seed,
        "machine": machine.facts(cores),
        "noise": watch.finish(),
        "syscalls_by": counter.how,
        "peers": {
            peer.name: {
                "title": peer.title, "version": ready[peer.name].version, "note": peer.note,
                "rival": peer.is_rival and peer.name != judge.SLUICE,
            }
            for peer in chosen
        },
        "skipped": skipped,
        "scenarios": described,
        "measurements": measurements,
        "summary": summary.summarize(measurements, described),
    }  # fmt: skip
    results["goals"] = judge.judge(results)
    return results


def anew(results):
    """Results of an earlier run: what was measured stays, and what is made of it is made by today's rules."""
    made = {**results, "summary": summary.summarize(results["measurements"], results["scenarios"])}
    return {**made, "goals": judge.judge(made)}


def draw(asked, results, bench):
    """The names of the plots that were drawn; why there are none is kept in the results."""
    if not asked.plots:
        results["plots_missing"] = "none were asked for"
        return []
    from . import drawing

    try:
        results.pop("plots_missing", None)
        return drawing.draw(bench.installer, ROOT, asked.out)
    except Skip as skip:
        results["plots_missing"] = fit(str(skip), REPOSITORY=ROOT)
        say(f"no plots: {skip}")
        return []


def write(asked, results, bench):
    asked.out.mkdir(parents=True, exist_ok=True)
    file = asked.out / "results.json"
    save(file, results)
    plots = draw(asked, results, bench)
    save(file, results)
    has_notes = (asked.out / tables.NOTES).is_file()
    (asked.out / "README.md").write_text(tables.markdown(results, plots, has_notes))


def save(file, results):
    """One measurement a line: a difference between two runs can be read."""
    parts = []
    for name, value in results.items():
        if name == "measurements":
            inner = ",\n    ".join(json.dumps(record, separators=(",", ":")) for record in value)
            parts.append(f'  "{name}": [\n    {inner}\n  ]')
        else:
            parts.append(f'  "{name}": ' + json.dumps(value, indent=2).replace("\n", "\n  "))
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def tell(asked, results):
    """The end of the story on the terminal: the goals, and what speaks against believing them."""
    for goal in results["goals"]:
        if goal["verdict"] != "not measured":
            told = goal.get("why") or f"ratio {goal.get('ratio', '–')}"
            print(f"{goal['verdict']:7} {goal['text']}: {told}")
    if results["kind"] != "smoke" and not results["noise"]["trusted"]:
        print(f"too noisy to trust: {'; '.join(results['noise']['reasons'])}")
    try:
        shown = asked.out.resolve().relative_to(Path.cwd())
    except ValueError:
        shown = asked.out
    print(f"{shown}/README.md")


def exit_code(results):
    """Others may fail; what is ours may not."""
    if len(results["measurements"]) < results["planned"]:
        return EXIT_INTERRUPTED
    ours = [record for record in results["measurements"] if not results["peers"][record["peer"]]["rival"]]
    return 0 if all(record["ok"] for record in ours) else EXIT_WRONG_ANSWERS


def interrupted(*_):
    raise KeyboardInterrupt


def main(words):
    asked = arguments.parse(words, ROOT)
    if asked.listing:
        print(listing())
        return 0
    signal.signal(signal.SIGTERM, interrupted)
    # Where it was started in the background, SIGINT is ignored until somebody says otherwise.
    signal.signal(signal.SIGINT, interrupted)
    installer = Installer(ROOT, say)
    try:
        if asked.render:
            write(asked, anew(json.loads(asked.render.read_text())), Bench(ROOT, None, installer))
            return 0
        bench = Bench(ROOT, tools.find(ROOT), installer)
        results = collected(asked, bench)
        write(asked, results, bench)
    except tools.Missing as missing:
        say(f"bench/run: {missing}")
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        say("bench/run: interrupted; nothing was written")
        return EXIT_INTERRUPTED
    tell(asked, results)
    return exit_code(results)
