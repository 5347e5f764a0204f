"""Item 11: `sluice check` finds a mistake and says where it is, what was found and what is expected."""

import json
import os
import re
import subprocess

import pytest

from harness.gateway import ROOT, binary

GOOD = """\
listeners:
  - address: 127.0.0.1:8080
auth:
  keys:
    - name: tests
      value: sk-tests
clusters:
  local:
    endpoints:
      - http://127.0.0.1:8000
default_cluster: local
"""


def check(tmp_path, text, environment=None, name="sluice.yaml"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = subprocess.run(
        [binary(), "check", name], cwd=tmp_path, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=20
    )
    assert result.returncode in (0, 1, 64, 65, 78), f"{result.returncode}: {result.stderr}"
    return result.returncode, result.stdout + result.stderr


def test_a_good_file_is_good(tmp_path):
    code, said = check(tmp_path, GOOD)
    assert code == 0, said


def test_a_file_that_is_not_there_is_told(tmp_path):
    result = subprocess.run([binary(), "check", "none.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert result.returncode not in (0, -6, -4, -5, -11) and "none.yaml" in result.stdout + result.stderr


# name: (old, new, line, words that must be in the message)
MISTAKES = {
    "an unknown key": ("auth:", "autth:", 3, ["autth", "auth"]),
    "an unknown key inside": ("    endpoints:", "    endpoint:", 9, ["endpoint", "endpoints"]),
    "a wrong type": ("    endpoints:\n      - http://127.0.0.1:8000", "    endpoints: 5", 9, ["5"]),
    "a bad address": ("127.0.0.1:8080", "127.0.0.1", 2, ["127.0.0.1"]),
    "a bad port": ("127.0.0.1:8080", "127.0.0.1:80800", 2, ["80800"]),
    "a bad url": ("http://127.0.0.1:8000", "ftp://x", 10, ["ftp://x", "http"]),
    "an unknown cluster": ("default_cluster: local", "default_cluster: remote", 11, ["remote"]),
    "a negative number": ("default_cluster: local", "default_cluster: local\ntimeouts: { connect_seconds: -1 }", 12, ["-1", "connect_seconds"]),
    "a number that is none": ("default_cluster: local", "default_cluster: local\nworkers: many", 12, ["many", "workers"]),
    "a bad size": ("default_cluster: local", "default_cluster: local\nclient: { body_bytes_max: 5 parsecs }", 12, ["5 parsecs"]),
    "a bad prefix": ("default_cluster: local", "default_cluster: local\nlimits: { exempt: [10.0.0.0/99] }", 12, ["10.0.0.0/99"]),
    "a bad digest": ("      value: sk-tests", "      sha256: abc", 6, ["sha256", "64"]),
    "a variable that is not set": ("value: sk-tests", "value: ${SLUICE_TESTS_UNSET}", 6, ["SLUICE_TESTS_UNSET"]),
    "marks that cannot be": ("default_cluster: local", "default_cluster: local\nrelay: { high_bytes: 4KiB, low_bytes: 4KiB }", 12, ["4KiB"]),
    "a key given twice": ("default_cluster: local", "default_cluster: local\ndefault_cluster: local", 12, ["default_cluster"]),
    "keys and open": ("auth:", "auth:\n  open: true", 4, ["open", "keys"]),
    "bad yaml": ("default_cluster: local", "default_cluster: [local", 12, []),
    "a tab": ("  local:", "\tlocal:", 8, []),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_file_and_line(tmp_path, name):
    old, new, line, words = MISTAKES[name]
    assert old in GOOD
    code, said = check(tmp_path, GOOD.replace(old, new, 1))
    assert code != 0, said
    lines = [int(n) for n in re.findall(r"sluice\.yaml:(\d+):", said)]
    assert any(abs(n - line) <= (1 if not words else 0) for n in lines), f"expected line {line}:\n{said}"
    for word in words:
        assert word in said, said


@pytest.mark.parametrize("section", ["auth", "listeners", "clusters"])
def test_a_missing_section_is_told(tmp_path, section):
    text = re.sub(rf"^{section}:\n(?:[ ].*\n)+", "", GOOD, flags=re.M)
    code, said = check(tmp_path, text)
    assert code != 0 and section in said
    if section == "auth":
        assert "open: true" in said and "keys" in said


def test_every_mistake_of_a_file_is_told_at_once(tmp_path):
    text = GOOD.replace("127.0.0.1:8080", "nowhere").replace("ftp", "x") + "workers: many\nrelay: { high_bytes: x }\n"
    code, said = check(tmp_path, text)
    assert code != 0 and {2, 12, 13} <= {int(n) for n in re.findall(r"sluice\.yaml:(\d+):", said)}, said


def test_variables_expand(tmp_path):
    text = GOOD.replace("value: sk-tests", "value: ${TESTS_KEY}").replace("8000", "${TESTS_PORT:-8000}")
    assert check(tmp_path, text, {"TESTS_KEY": "sk-x"})[0] == 0
    code, said = check(tmp_path, text, {"TESTS_KEY": "sk-x", "TESTS_PORT": "no-port"})
    assert code != 0 and "TESTS_PORT" in said


def test_a_secret_is_not_repeated_in_a_message(tmp_path):
    text = GOOD.replace("value: sk-tests", "value: ${TESTS_KEY}\n      valu: 1")
    code, said = check(tmp_path, text, {"TESTS_KEY": "sk-very-secret"})
    assert code != 0 and "sk-very-secret" not in said


HOSTILE = {
    "nothing": b"",
    "a scalar": b"hello",
    "a list": b"- 1\n- 2\n",
    "null": b"~",
    "noise": bytes(range(256)) * 4,
    "an endless nesting": b"[" * 20_000,
    "nested maps": b"a: {" * 5_000,
    "an alias of itself": b"a: &a [*a]\n",
    "a billion laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%b]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)),
    "a long line": b"listeners: " + b"x" * 1_000_000,
    "two documents": GOOD.encode() + b"---\n" + GOOD.encode(),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "bad utf-8": GOOD.encode().replace(b"tests", b"\xff\xfe"),
    "huge numbers": GOOD.encode() + b"workers: 99999999999999999999999999\n",
    "not a number": GOOD.encode() + b"timeouts: { connect_seconds: .nan }\n",
    "infinity": GOOD.encode() + b"timeouts: { connect_seconds: .inf }\n",
    "a date": GOOD.encode() + b"workers: 2001-01-01\n",
    "a complex key": b"? [a, b]\n: c\n",
    "a tag": b"!!python/object:os.system x\n",
    "windows line ends": GOOD.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_yaml_at_all_makes_it_crash(tmp_path, name):
    code, said = check(tmp_path, HOSTILE[name])
    if code != 0:
        assert "sluice.yaml" in said, said
        assert len(said) < 100_000


@pytest.mark.parametrize("name", ["minimal.yaml", "sluice.yaml", "demo.yaml"])
def test_the_files_of_conf_are_good(tmp_path, name):
    file = ROOT / "conf" / name
    environment = {key: "x" for key in re.findall(r"\$\{(\w+)\}", file.read_text())}
    code, said = check(tmp_path, file.read_bytes(), environment)
    assert code == 0, said


def test_the_smallest_file_is_small():
    assert len((ROOT / "conf" / "minimal.yaml").read_text().splitlines()) < 15


def test_run_says_the_same_as_check(tmp_path):
    (tmp_path / "sluice.yaml").write_text(GOOD.replace("auth:", "autth:"))
    result = subprocess.run([binary(), "run", "--config", "sluice.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert result.returncode > 0 and "sluice.yaml:3:" in result.stdout + result.stderr


def test_json_is_a_configuration_too(tmp_path):
    config = {
        "listeners": [{"address": "127.0.0.1:8080"}],
        "auth": {"open": True},
        "clusters": {"local": {"endpoints": ["http://127.0.0.1:8000"]}},
        "default_cluster": "local",
    }
    assert check(tmp_path, json.dumps(config))[0] == 0
