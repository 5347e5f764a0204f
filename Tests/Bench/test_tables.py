"""The page and the plots of results that were made up."""

import json
import re
import xml.etree.ElementTree as ElementTree

import made_up
import pytest
from conftest import ROOT
from runner import figures, install, main, scenarios, tables


def rows_of(page, heading):
    """The cells of the first table below a heading."""
    lines = page.split(f"{heading}\n")[1].splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def test_every_table_has_as_many_cells_in_every_row():
    page = tables.markdown(made_up.results())
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        widths = {line.count("|") for line in block.splitlines()}
        assert len(widths) == 1, block


def test_the_goals_stand_with_ratio_and_verdict():
    results = made_up.results()
    rows = rows_of(tables.markdown(results), "## Goals")
    assert len(rows) == 2 + len(results["goals"])
    by_text = {row[0]: row for row in rows}
    row = by_text["CPU per request of 1 KiB"]
    assert row[2].startswith("HAProxy: ") and row[4] == "≤ 0.90" and row[5] == "met"
    assert re.fullmatch(r"0\.\d\d \(0\.\d\d–0\.\d\d\)", row[3])
    assert by_text["system calls per paced event"][5] == "**missed**"
    assert by_text["memory of an open stream"][4] == "≤ 2.00 KiB"
    assert by_text["events a second, saturated"][4] == "≥ 1.00"
    met = sum(row[5] == "met" for row in rows[2:])
    assert f"{met} met, {len(results['goals']) - met} missed, 0 not measured." in tables.markdown(results)


def test_a_goal_missed_by_wrong_answers_says_so():
    def change(measurements):
        for record in measurements:
            if (record["scenario"], record["peer"]) == ("plain-1k", "sluice"):
                record.update(ok=False, complaint="HTTP 502")
                record["load"]["errors"] = {"status": {"502": 1}}

    results = made_up.results(change=change)
    page = tables.markdown(results)
    row = next(row for row in rows_of(page, "## Goals") if row[0] == "CPU per request of 1 KiB")
    assert row[1:] == ["–", "", "", "", "**missed**: answers were wrong: status {'502': 1}: HTTP 502"]
    missed = sum(goal["verdict"] == "missed" for goal in results["goals"])
    assert f" {missed} missed, 0 not measured." in page


def test_a_median_stands_with_least_and_most():
    def change(measurements):
        costs = iter([10.0, 12.0, 11.0])
        for record in measurements:
            if (record["scenario"], record["peer"]) == ("plain-1k", "nginx"):
                record["figures"]["cpu_us_per_request"] = next(costs)

    rows = rows_of(tables.markdown(made_up.results(change=change)), "## CPU time, us")
    assert next(row for row in rows if row[0] == "nginx")[1] == "11.0 (10.0–12.0)"


def test_another_load_than_the_scenarios_says_so():
    rows = rows_of(tables.markdown(made_up.results()), "## CPU time, us")
    litellm = next(row for row in rows if row[0] == "LiteLLM")
    assert litellm[1].endswith(" at 8") and litellm[2] == "–"


def test_what_strace_counted_is_marked():
    def sluice_of(how):
        page = tables.markdown({**made_up.results(), "syscalls_by": how})
        return next(row for row in rows_of(page, "## Bytes, memory, system calls") if row[0] == "Sluice"), page

    row, page = sluice_of("strace")
    assert [cell.endswith(" ‡") for cell in row[1:]] == [False] * 5 + [True] * 2
    assert "by strace, with the connections' beginnings (‡), and not judged" in page
    assert "‡" not in sluice_of("perf")[1]


def test_how_it_was_measured_tells_whose_workers_and_work_are_others():
    page = tables.markdown(made_up.results())
    method = " ".join(page.split("## How it was measured\n")[1].split("## Everything\n")[0].split())
    many = [scenario.name for scenario in scenarios.ALL if scenario.workers == "all"]
    assert f"in {' and '.join(f'`{name}`' for name in many)} it has a worker for each core" in method
    # LiteLLM's file has a key, and both routers of models read them from the body.
    assert "LiteLLM checks a key and reads the body, sglang-router reads the body" in method


def test_skipped_peers_and_an_interruption_are_on_the_page():
    results = made_up.results()
    results["skipped"] = [{"what": "Envoy", "reason": "pip could not install it"}]
    results["planned"] += 5
    page = tables.markdown(results)
    assert "- skipped: Envoy: pip could not install it" in page
    assert f"interrupted after {results['planned'] - 5} of {results['planned']} measurements" in page


def test_every_figure_has_a_name_and_every_table_knows_its_figures():
    for _, figure, _ in tables.OVERVIEW + tables.MEMORY:
        assert figure in figures.KNOWN


def test_results_are_written_one_measurement_a_line(tmp_path):
    results = made_up.results(rounds=1)
    main.save(tmp_path / "results.json", results)
    text = (tmp_path / "results.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(results))
    assert sum(line.startswith('    {"round":') for line in text.splitlines()) == len(results["measurements"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A directory with plots and page, by the runner's own --render; made in the venv that plots are drawn with."""
    from conftest import Run

    out = tmp_path_factory.mktemp("drawn")
    try:
        install.Installer(ROOT).pypi("plots", ROOT / "bench/requirements.txt")
    except install.Skip as skip:
        pytest.skip(f"no plots: {skip}")
    main.save(out / "results.json", made_up.results())
    done = Run(["--render", str(out / "results.json"), "--out", str(out)], out, {})
    assert done.code == 0, done.complained
    return out


PLOTS = {
    "cpu-per-event.svg": ["CPU per event, us (less is better)", "HAProxy", "Sluice", "TCP relay"],
    "cpu-per-request.svg": ["CPU per request, us (less is better)", "nginx"],
    "throughput.svg": ["requests/s (more is better)", "events/s (more is better)", "no proxy"],
    "latency.svg": ["percentile", "us (less is better)", "99.9", "Sluice"],
    "memory-per-stream.svg": ["RSS per stream, KiB (less is better)", "5,000 open streams"],
    "growth.svg": ["CPU per event, us (less is better)", "10k", "Sluice"],
    "sweep.svg": ["requests/s (more is better)", "connections, requests of 1 KiB"],
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_svg_with_axes_units_and_names(drawn, name):
    root = ElementTree.parse(drawn / name).getroot()
    texts = ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text")]
    for wanted in PLOTS[name]:
        assert wanted in texts, (wanted, texts)
    assert f"]({name})" in (drawn / "README.md").read_text()


def test_the_same_results_make_the_same_plots(drawn, tmp_path):
    from conftest import Run

    main.save(tmp_path / "results.json", json.loads((drawn / "results.json").read_text()))
    assert Run(["--render", str(tmp_path / "results.json")], tmp_path, {}).code == 0
    for name in PLOTS:
        assert (tmp_path / name).read_bytes() == (drawn / name).read_bytes(), name


def test_earlier_results_are_shown_by_todays_rules(run, tmp_path):
    results = made_up.results(rounds=1)
    record = next(r for r in results["measurements"] if (r["scenario"], r["peer"]) == ("plain-1k", "sluice"))
    record["load"].update(window_seconds=1.2, longest_silence_us=1.3e6)
    assert results["summary"]["plain-1k"]["sluice"]["ok"]
    main.save(tmp_path / "results.json", results)
    shown = run("--render", str(tmp_path / "results.json"), "--no-plots")
    assert shown.code == 0, shown.complained
    assert "† Sluice: a connection stood still for the last 1.3 s" in shown.page


def test_the_results_of_this_tree_can_be_shown_anew(run):
    shown = run("--render", str(ROOT / "bench/results/results.json"), "--no-plots")
    assert shown.code == 0, shown.complained
    assert shown.page.startswith("# How fast\n")


def test_notes_beside_the_page_are_linked_and_left_alone(run, tmp_path):
    main.save(tmp_path / "results.json", made_up.results(rounds=1))
    words = ("--render", str(tmp_path / "results.json"), "--no-plots")
    assert tables.NOTES not in run(*words).page
    notes = tmp_path / "out" / tables.NOTES
    notes.write_text("Written by hand.\n")
    assert f"Why goals are missed: [{tables.NOTES}]({tables.NOTES})." in run(*words).page
    assert notes.read_text() == "Written by hand.\n"


def test_the_notes_of_this_tree_are_there():
    assert (ROOT / "bench/results" / tables.NOTES).read_text().startswith("# ")


def test_without_matplotlib_there_are_tables_and_a_line(monkeypatch, tmp_path, capfd):
    class Nothing:
        def pypi(self, name, requirements):
            raise install.Skip("pip could not install matplotlib")

    from runner import arguments, peer

    asked = arguments.parse(["--out", str(tmp_path)], ROOT)
    main.write(asked, made_up.results(), peer.Bench(ROOT, None, Nothing()))
    assert "No plots: pip could not install matplotlib" in (tmp_path / "README.md").read_text()
    assert "no plots: pip could not install matplotlib" in capfd.readouterr().err
    assert json.loads((tmp_path / "results.json").read_text())["plots_missing"]
