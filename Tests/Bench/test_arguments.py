"""What `bench/run` takes, and how it refuses the rest."""

import pytest
from conftest import ROOT
from runner import arguments, peers, scenarios


def parsed(*words):
    return arguments.parse(words, ROOT)


@pytest.mark.parametrize(
    "words, mistake",
    [
        (["--pears"], "unrecognized arguments: --pears"),
        (["extra"], "unrecognized arguments: extra"),
        (["--full", "--smoke"], "not allowed with argument"),
        (["--rounds", "0"], "invalid number from 1 to 1000 value: '0'"),
        (["--rounds", "many"], "invalid number from 1 to 1000 value: 'many'"),
        (["--rounds"], "expected one argument"),
        (["--seed", "x"], "invalid int value"),
        (["--peers", "nginx,apache"], "found 'apache', expected some of: direct, relay, nginx"),
        (["--peers", ""], "found ''"),
        (["--scenarios", "sse"], "found 'sse', expected some of: plain-1k"),
        (["--render", "nowhere.json"], "nowhere.json is no file"),
        (["--out", __file__], "is no directory"),
    ],
)
def test_wrong_arguments_get_a_usage_line_and_exit_code_64(words, mistake, capfd):
    with pytest.raises(SystemExit) as end:
        parsed(*words)
    assert end.value.code == 64
    said = capfd.readouterr().err
    assert said.startswith("usage: bench/run [-h] [--full | --smoke]")
    assert mistake in said.splitlines()[-1]


def test_the_command_itself_does_so_too(run):
    wrong = run("--pears")
    assert wrong.code == 64 and "usage: bench/run" in wrong.complained


def test_help_and_list_go_to_standard_output(run):
    told = run("--help")
    assert told.code == 0 and "--scenarios A,B" in told.said
    listed = run("--list")
    assert listed.code == 0
    assert all(name in listed.said for name in [*peers.TABLE, *scenarios.TABLE])


def test_usual_levels():
    quick, full, smoke = parsed(), parsed("--full"), parsed("--smoke")
    assert quick.peers == ("direct", "relay", "nginx", "haproxy", "haproxy-splice", "sluice")
    assert set(full.peers) == set(peers.TABLE) and set(full.scenarios) == set(scenarios.TABLE)
    assert smoke.peers == ("direct", "relay", "sluice") and smoke.rounds == 1 and not smoke.plots
    assert (quick.rounds, full.rounds) == (3, 5)
    assert quick.out != full.out


def test_choices_keep_the_order_of_the_tables():
    chosen = parsed("--peers", "sluice, relay", "--scenarios", "sse-500,plain-1k", "--rounds", "2", "--seed", "9")
    assert chosen.peers == ("relay", "sluice") and chosen.scenarios == ("plain-1k", "sse-500")
    assert (chosen.rounds, chosen.seed) == (2, 9)


def test_a_binary_that_is_not_built_is_named_with_who_builds_it(run):
    missing = run("--smoke", environment={"SLUICE_BENCH_BINARY": "/nowhere/sluice-bench"})
    assert missing.code == 69
    assert "sluice-bench is not built: run `make tools`" in missing.complained
