"""`sluice keys`, as an operator uses it: the real binary, its output and its exit code."""

import json
import subprocess

from .gateway import binary

PREFIX = "mp_live_"


class KeyStore:
    """The store at `path`, by the command line."""

    def __init__(self, path):
        self.path = path

    def command(self, *arguments):
        return [binary(), "keys", *arguments, "--store", str(self.path)]

    def run(self, *arguments, **rest):
        """What the command says, whatever its exit code."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=30, **rest)

    def good(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, done
        return done.stdout

    def create(self, name, *arguments):
        """A new key, as an object with its secret in `key`."""
        return json.loads(self.good("create", "--name", name, "--json", *arguments))

    def list(self):
        return json.loads(self.good("list", "--json"))["data"]

    def revoke(self, key):
        return self.good("revoke", key)

    def rotate(self, key, *arguments):
        return json.loads(self.good("rotate", key, "--json", *arguments))

    def files(self):
        """The store and what SQLite keeps beside it, as far as they are there."""
        return [one for one in (self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm")) if one.exists()]

    def remove(self):
        for file in self.files():
            file.unlink()
