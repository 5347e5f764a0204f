#!/usr/bin/env python3
"""Stands in for our binaries: mock, load, relay and gateway, told apart by their arguments, fast and without measuring.

PRETENDED_LOAD names a file with what `load` prints; the processes it is told to watch are filled in. PRETENDED_FAILS
names those that end at once with a complaint; with `-once` behind the name, only at the first start in a directory.
"""

import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def serve(port):
    ThreadingHTTPServer(("127.0.0.1", port), Answers).serve_forever()


def load(words):
    with open(os.environ["PRETENDED_LOAD"]) as file:
        told = json.load(file)
    pids = [int(word) for before, word in zip(words, words[1:]) if before == "--watch"]
    told["mode"] = words[words.index("--mode") + 1]
    told["watched"] = [dict(told["watched"][0], pid=pid) for pid in pids]
    print(json.dumps(told))
    return 0 if told["ok"] else 1


def is_first(role):
    """Whether nobody of this role was started in this directory before."""
    try:
        with open(f"{role}.was-here", "x"):
            return True
    except FileExistsError:
        return False


def main(words):
    role = {"mock": "mock", "load": "load", "run": "sluice", "version": "version"}.get(words[0], "relay")
    fails = os.environ.get("PRETENDED_FAILS", "").split(",")
    if role in fails or (f"{role}-once" in fails and is_first(role)):
        print(f"{role}: cannot, in {os.getcwd()}/file")
        return 3
    if role == "version":
        print("sluice 0.0.0, pretended")
    elif role == "load":
        return load(words)
    elif role == "mock":
        serve(int(words[words.index("--address") + 1].rpartition(":")[2]))
    elif role == "sluice":
        with open(words[words.index("--config") + 1]) as file:
            serve(int(re.search(r"address: 127\.0\.0\.1:(\d+)", file.read())[1]))
    else:
        serve(int(words[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
