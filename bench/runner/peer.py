"""What a peer is: brought by `prepare`, configured by its file in bench/peers/, started by `command`."""

import os
from dataclasses import dataclass, field
from pathlib import Path

KEY = "sk-bench-0123456789abcdef"
# Client connections that a proxy must be able to hold, each with one to the backend, where descriptors allow so many.
CLIENTS = 12_000


@dataclass(frozen=True)
class Start:
    """What one start of a peer is given."""

    directory: Path
    port: int
    backend: int
    workers: int = 1
    descriptors: int = 65_536


@dataclass
class Ready:
    """A peer that can be started on this machine."""

    command: list
    version: str
    environment: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """What peers are made ready with."""

    root: Path
    tools: object
    installer: object

    @property
    def folder(self):
        return self.root / "bench/peers"


@dataclass(frozen=True)
class Peer:
    name: str
    title: str
    note: str  # how it is configured, where a reader may ask
    prepare: object  # (Bench) -> Ready; raises Skip
    arguments: object  # (Start, file) -> what follows the command
    template: str | None = None  # its file in bench/peers/
    values: dict = field(default_factory=dict)  # what the file has between @ and @, beside `values`
    full_only: bool = False
    only: tuple = ()  # scenarios, where not all
    slow: bool = False  # gets a fraction of the load, in the scenarios that say which
    many_workers: bool = True
    is_rival: bool = True  # whether it counts when the best of the others is asked for
    start_seconds: float = 10

    def command(self, ready, start, folder, changed=None):
        """The command line; writes the configuration into the start's directory."""
        file = None
        if self.template:
            file = start.directory / self.template
            known = {**values(start), **self.values, **(changed or {})}
            file.write_text(filled((folder / self.template).read_text(), known))
        return [str(word) for word in (*ready.command, *self.arguments(start, file))]


def clients(descriptors):
    """Client connections a proxy can hold with so many descriptors, some left for itself."""
    return max(min(CLIENTS, (descriptors - 100) // 2 - 50), 10)


def values(start):
    return {
        "DIRECTORY": start.directory,
        "PORT": start.port,
        "BACKEND": start.backend,
        "WORKERS": start.workers,
        "KEY": KEY,
        "DESCRIPTORS": start.descriptors,
        "CLIENTS": clients(start.descriptors),
        # More than there are: nginx closes idle connections when a sixteenth is left.
        "CONNECTIONS": 2 * clients(start.descriptors) * 9 // 8,
        "USER": "user root;" if os.geteuid() == 0 else "",
    }


def filled(text, known):
    """`text` with every @NAME@ that is known replaced."""
    for name, value in known.items():
        text = text.replace(f"@{name}@", str(value))
    return text
