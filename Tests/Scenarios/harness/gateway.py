"""Starts the real binary with a configuration, and stops it again with every promise of a clean end asserted."""

import atexit
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from .client import Client
from .waiting import until

ROOT = Path(__file__).resolve().parents[3]
KEY = "sk-tests-0123456789abcdef"

# What a trap, a sanitizer or the runtime writes when it gives up.
CRASHES = ("Fatal error", "Crash:", "crashed", "AddressSanitizer", "ThreadSanitizer", "Illegal instruction", "precondition")


def binary():
    path = Path(os.environ.get("SLUICE_BINARY") or ROOT / ".build/release/sluice").resolve()
    assert path.exists(), f"{path} is not there: run `make build`, or name a binary in SLUICE_BINARY"
    return str(path)


def free_port(host="127.0.0.1"):
    """A port that nobody has, and that no other suite on this machine was given and may be about to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        if reserved(port):
            return port


def reserved(port):
    """Whether `port` is this process's until it ends: a file tells the others."""
    mark = Path(tempfile.gettempdir()) / f"sluice-tests-port-{port}"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        # One that a killed run has left behind is not kept for ever.
        with contextlib.suppress(OSError):
            if time.time() - mark.stat().st_mtime > 3600:
                mark.unlink()
        return False
    atexit.register(mark.unlink, missing_ok=True)
    return True


def merged(base, changes):
    """`base` with `changes` laid over it, section by section; a value of None removes a key."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


class Gateway:
    """One running gateway. `config` is the whole configuration; JSON is YAML, so it is written as JSON.

    `command` is what runs it, in front of the arguments: the binary unless told, or the binary under an instrument.
    """

    def __init__(self, directory, config, environment=None, descriptors=None, address=None, command=None):
        self.directory = Path(directory)
        self.file = self.directory / "sluice.yaml"
        self.config = config
        self.environment = environment or {}
        self.descriptors = descriptors
        self.command = command
        self.address = address or self.first_address()
        self.output = []
        self.errors = []
        self.changed = threading.Condition()
        self.process = None
        self.readers = []

    def first_address(self):
        given = self.config["listeners"][0]["address"]
        if given.startswith("unix:"):
            return given[5:]
        host, _, port = given.rpartition(":")
        return (host.strip("[]") or "127.0.0.1", int(port))

    # Life

    def write(self, config=None, text=None):
        self.config = config or self.config
        self.file.write_text(text if text is not None else json.dumps(self.config, indent=2) + "\n")

    def start(self, ready=True, seconds=10):
        """Starts it; `ready` awaits, up to `seconds`, that it listens."""
        self.write()
        limit = self.descriptors

        def lower_descriptor_limit():
            if limit:
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        self.process = subprocess.Popen(
            [*(self.command or [binary()]), "run", "--config", str(self.file)],
            cwd=self.directory,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lower_descriptor_limit if limit else None,
        )
        for stream, lines in ((self.process.stdout, self.output), (self.process.stderr, self.errors)):
            reader = threading.Thread(target=self.collect, args=(stream, lines), daemon=True)
            reader.start()
            self.readers.append(reader)
        if ready:
            until("the gateway to listen", self.listens, seconds)
        return self

    def collect(self, stream, lines):
        for line in stream:
            with self.changed:
                lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.changed.notify_all()

    def listens(self):
        assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}:\n{self.text()}"
        try:
            Client(self.address, timeout=1).close()
            return True
        except OSError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=10):
        """The exit code, once it has ended by itself."""
        code = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(5)
        return code

    def stop(self):
        """SIGTERM; asserts that it ends with 0 and never complained about itself."""
        if self.process is None:
            return
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
            code = self.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the gateway did not end after SIGTERM:\n{self.text()}") from None
        text = self.text()
        assert code == 0, f"the gateway ended with {code}:\n{text}"
        assert not any(mark in text for mark in CRASHES), text

    # What it says

    def text(self):
        with self.changed:
            return "\n".join(self.errors[-100:] + self.output[-5:])

    def access(self):
        """The access log's records so far."""
        records = []
        with self.changed:
            lines = list(self.output)
        for line in lines:
            if line.startswith("{"):
                records.append(json.loads(line))
        return records

    def logged(self, seconds=5.0, **wanted):
        """The first access record with these members, awaited: the log is buffered."""
        return until(
            f"an access record with {wanted}",
            lambda: next((r for r in self.access() if all(r.get(k) == v for k, v in wanted.items())), None),
            seconds,
        )

    # Talking to it

    def client(self, **rest):
        rest.setdefault("key", KEY)
        return Client(rest.pop("address", self.address), **rest)

    @property
    def origin(self):
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def resident_bytes(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def basic_config(port, backend=None, **changes):
    """One listener, one worker, one key, no limit, and `m` served by `backend` (a url or a backend)."""
    config = {
        "workers": 1,
        "listeners": [{"address": f"127.0.0.1:{port}"}],
        "auth": {"keys": [{"name": "tests", "value": KEY}]},
        "limits": {"per_ip": "off"},
        "shutdown": {"drain_seconds": 0.5},
        "log": {"access": "stdout"},
    }
    if backend is not None:
        config["clusters"] = {"local": {"endpoints": [getattr(backend, "url", backend)]}}
        config["models"] = {"m": {"cluster": "local"}}
        config["default_cluster"] = "local"
    return merged(config, changes)
