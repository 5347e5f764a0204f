"""A run's results as Markdown. Knows the results' JSON and nothing else, so that old results can be told anew."""

from . import figures

# What the first table shows: one figure of each scenario.
OVERVIEW = [
    ("plain-1k", "cpu_us_per_request", "request, 1 KiB"),
    ("plain-64k", "cpu_us_per_request", "request, 64 KiB"),
    ("fresh", "cpu_us_per_request", "request, new connection"),
    ("sse-500", "cpu_us_per_event", "event, 500 streams"),
    ("sse-2000", "cpu_us_per_event", "event, 2,000 streams"),
    ("sse-flood", "cpu_us_per_event", "event, saturated"),
]
MEMORY = [
    ("bulk", "cpu_ms_per_gib", "CPU ms per GiB"),
    ("held-5000", "rss_kib_per_stream", "KiB RSS per open stream"),
    ("held-5000", "pss_kib_per_stream", "KiB PSS per open stream"),
    ("stalled", "rss_kib_per_stream", "KiB RSS per stalled stream"),
    ("held-5000", "rss_mib_at_start", "MiB RSS at start"),
    ("calls-request", "syscalls_per_request", "system calls per request"),
    ("calls-event", "syscalls_per_event", "system calls per event"),
]
PLOTS = [
    ("cpu-per-event.svg", "CPU per event"),
    ("cpu-per-request.svg", "CPU per request"),
    ("throughput.svg", "Throughput"),
    ("latency.svg", "Latency"),
    ("memory-per-stream.svg", "Memory per stream"),
    ("growth.svg", "Cost as streams grow"),
    ("sweep.svg", "Throughput as connections grow"),
]
# What people have to say of the results: written by hand, never by a run.
NOTES = "NOTES.md"


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(head, rows):
    return [row(head), row(["---"] + ["--:"] * (len(head) - 1)), *(row(cells) for cells in rows), ""]


def spread(found, figure):
    """`median (min–max)`, or the median alone where there was one round."""
    if found is None:
        return "–"
    shown = figures.text(figure, found["median"])
    if len(found["rounds"]) < 2:
        return shown
    return f"{shown} ({figures.text(figure, found['min'])}–{figures.text(figure, found['max'])})"


def cell(results, scenario, peer, figure):
    here = results["summary"].get(scenario, {}).get(peer)
    if here is None:
        return "–"
    if here.get("failed"):
        return "failed"
    shown = spread(here["figures"].get(figure), figure)
    if shown == "–":
        return shown
    if here["connections"] != results["scenarios"][scenario]["connections"]:
        shown += f" at {here['connections']}"
    if figure in figures.SYSCALLS and results["syscalls_by"] == "strace":
        shown += " ‡"
    return shown if here["ok"] else shown + " †"


def measured(results, scenarios):
    """Peers with anything in one of these scenarios, in the results' order."""
    return [name for name in results["peers"] if any(name in results["summary"].get(s, {}) for s in scenarios)]


def matrix(results, columns):
    columns = [column for column in columns if column[0] in results["summary"]]
    if not columns:
        return []
    rows = []
    for peer in measured(results, [scenario for scenario, _, _ in columns]):
        cells = [cell(results, scenario, peer, figure) for scenario, figure, _ in columns]
        if any(text != "–" for text in cells):
            rows.append([results["peers"][peer]["title"], *cells])
    return table(["", *(title for _, _, title in columns)], rows)


def goals(results):
    rows = []
    for goal in results["goals"]:
        figure = goal["figure"]
        verdict = "**missed**" if goal["verdict"] == "missed" else goal["verdict"]
        if "why" in goal:
            rows.append([goal["text"], "–", "", "", "", f"{verdict}: {goal['why']}"])
            continue
        sign = "≥" if goal["more_is_better"] else "≤"
        ratio = f"{goal['ratio']:.2f}" if "ratio" in goal else "–"
        if goal.get("ratio_range"):
            ratio += " ({:.2f}–{:.2f})".format(*goal["ratio_range"])
        if "limit" in goal:
            against, wanted = "", f"{sign} {figures.with_unit(figure, goal['limit'])}"
        else:
            title = (
                results["scenarios"][goal["base"]]["title"] if goal["base"] else results["peers"][goal["peer"]]["title"]
            )
            against = f"{title}: {figures.with_unit(figure, goal['reference'])}"
            wanted = f"{sign} {goal['times']:.2f}"
        rows.append([goal["text"], figures.with_unit(figure, goal["value"]), against, ratio, wanted, verdict])
    met = sum(goal["verdict"] == "met" for goal in results["goals"])
    missed = sum(goal["verdict"] == "missed" for goal in results["goals"])
    lines = table(["Goal", "Sluice", "against", "ratio", "wanted", ""], rows)
    return [f"{met} met, {missed} missed, {len(results['goals']) - met - missed} not measured.", "", *lines]


def trust(results):
    noise = results["noise"]
    facts = (
        f"A fixed loop's slowest tenth took {noise['spin_spread']:.2f} times its median, the hypervisor took "
        f"{100 * noise['steal_share']:.1f} % of the time, others used {noise['foreign_cores']:.2f} of a core."
    )
    done, lines = len(results["measurements"]), []
    if done < results["planned"]:
        lines = [f"**This run was interrupted after {done} of {results['planned']} measurements.**", ""]
    if results["kind"] == "smoke":
        return [*lines, "**A smoke run: it shows that everything works. Believe no figure of it.**", ""]
    if noise["trusted"]:
        return [*lines, f"The machine was quiet. {facts}", ""]
    reasons = "; ".join(noise["reasons"])
    return [*lines, f"**This machine was too noisy to trust these figures: {reasons}.**", "", facts, ""]


def setting(results):
    machine, commit = results["machine"], results["commit"]
    return [
        f"- {results['time'][:10]}, commit `{commit['id'][:12]}`{' with changes' if commit['dirty'] else ''}, "
        f"{results['rounds']} round{'s' if results['rounds'] > 1 else ''}, seed {results['seed']}",
        f"- {machine['processor']}, {machine['cores']} cores{' of a virtual machine' if machine['virtual'] else ''}, "
        f"{machine['memory_mib'] // 1024} GiB, {machine['system']}, Linux {machine['kernel']}",
        f"- loopback; proxy on core {listed(machine['proxy_core'])}, mock and load on {listed(machine['load_core'])}",
        *(f"- skipped: {skip['what']}: {skip['reason']}" for skip in results["skipped"]),
        "",
    ]


def listed(numbers):
    return ", ".join(str(number) for number in numbers)


def details(results):
    """Every scenario with all its figures."""
    lines = []
    for name, scenario in results["scenarios"].items():
        here = results["summary"].get(name)
        if not here:
            continue
        seen = [f for f in figures.KNOWN if any(f in measured["figures"] for measured in here.values())]
        heads = [f"{figures.KNOWN[f][0]}{', ' + figures.KNOWN[f][1] if figures.KNOWN[f][1] else ''}" for f in seen]
        rows = [
            [results["peers"][peer]["title"], *(cell(results, name, peer, figure) for figure in seen)]
            for peer in results["peers"]
            if peer in here
        ]
        lines += [f"### {scenario['title']}", "", *table([f"`{name}`", *heads], rows)]
        for peer, measured in here.items():
            problem = measured.get("failed") or measured.get("complaint")
            if problem:
                lines += [
                    f"{'failed' if measured.get('failed') else '†'} {results['peers'][peer]['title']}: {problem}",
                    "",
                ]
    return lines


def peers(results):
    lines = []
    for peer in results["peers"].values():
        version = f" ({peer['version']})" if peer["version"] else ""
        lines.append(f"- **{peer['title']}**{version}: {peer['note']}")
    return [*lines, ""]


METHOD = """\
A measurement is a fresh mock, a fresh proxy and one run of the load. The proxy has one worker and a core to itself; in
`all-plain` and `all-sse` it has a worker for each core, and shares them with mock and load. Peers rotate within each
round in a shuffled order; cells are medians over the rounds, with least and most. CPU time is the scheduler's own count
for all threads and processes of the proxy, divided by what was answered in the same window. Every answer is checked; a
figure with wrong answers, a connection that stood still or requests that were due and not sent (†) is not judged; if
it is Sluice's, the goal is missed.

Not all do the same: Sluice checks a key, counts the client's requests and reads the model from the body. LiteLLM checks
a key and reads the body, sglang-router reads the body, and the others pass on what comes.

What would make these figures a lie: another load than this one (at low rates a request costs two to three times as
much), real networks instead of loopback, TLS, and a proxy that is not saturated being called slow: see how busy its
core was, and that of mock and load, which are the limit behind fast proxies. System calls are counted in runs of their
own{how}. Streams of `sse` and `grow` do not end within their window.
"""


def markdown(results, plots=(), has_notes=False):
    """The whole page. `plots` are the names of the SVG files beside it; so may be a file of notes."""
    how = {"perf": ", by perf", "strace": ", by strace, with the connections' beginnings (‡), and not judged"}
    lines = ["# How fast", "", *trust(results), *setting(results), "## Goals", "", *goals(results)]
    if has_notes:
        lines += [f"Why goals are missed: [{NOTES}]({NOTES}).", ""]
    lines += ["## CPU time, us", "", *matrix(results, OVERVIEW)]
    lines += ["## Bytes, memory, system calls", "", *matrix(results, MEMORY)]
    shown = [(file, title) for file, title in PLOTS if file in plots]
    if shown:
        lines += ["## Plots", "", *(line for file, title in shown for line in (f"![{title}]({file})", ""))]
    elif results.get("plots_missing"):
        lines += [f"No plots: {results['plots_missing']}", ""]
    lines += ["## Peers", "", *peers(results), "Their files are in `bench/peers/`.", ""]
    lines += ["## How it was measured", "", *METHOD.format(how=how.get(results["syscalls_by"], "")).splitlines(), ""]
    lines += ["## Everything", "", *details(results)]
    return "\n".join(lines).rstrip() + "\n"
