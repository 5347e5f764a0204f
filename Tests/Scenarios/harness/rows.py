"""The behaviours that clients were promised, and the tests that say they show them.

`rows.json` has one line for each: its id, what a client sees, and `pending` while no test shows it. A test claims what it
shows with `@row("MP-53", "MP-54")`, and test_rows.py holds the two together.
"""

import ast
import json
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).resolve().parents[1]
ROWS = SCENARIOS / "rows.json"
DIRECTORIES = (SCENARIOS, SCENARIOS.parent / "Clients")

# `@row("MP-53", "MP-54")` above a test, or above a class of tests: these rows are shown here. Ids stand there as plain
# strings, because `claimed` reads the source without running it.
row = pytest.mark.row


def promises(file=ROWS):
    """The rows by their ids, in the order of the file. An id that stands twice is an error."""
    return json.loads(file.read_text(), object_pairs_hook=once)


def once(pairs):
    """The members of a JSON object, none of which may be named again."""
    members = dict(pairs)
    names = [name for name, _ in pairs]
    twice = [name for name in members if names.count(name) > 1]
    if twice:
        raise ValueError(f"stands twice: {', '.join(twice)}")
    return members


def claimed(directories):
    """The ids that tests claim, each with the names of those tests, as pytest writes them."""
    claims = {}
    for directory in directories:
        for file in sorted(directory.rglob("test_*.py")):
            name = str(file.relative_to(directory.parent))
            for test, ids in tests_of(ast.parse(file.read_text(), str(file)), name):
                for one in dict.fromkeys(ids):
                    claims.setdefault(one, []).append(test)
    return claims


def tests_of(scope, name, inherited=()):
    """Each test within a module or class, with the ids it claims itself and those that its class claims."""
    for node in scope.body:
        match node:
            case ast.ClassDef() if node.name.startswith("Test"):
                yield from tests_of(node, f"{name}::{node.name}", (*inherited, *ids_above(node, name)))
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test"):
                yield f"{name}::{node.name}", (*inherited, *ids_above(node, name))
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if [*ids_above(node, name)]:
                    raise ValueError(f"{name}:{node.lineno}: {node.name} claims rows, and is no test")


def ids_above(node, name):
    """The arguments of the `row` decorators of a function or class."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called) not in ("row", "pytest.mark.row"):
            continue
        arguments = decorator.args if isinstance(decorator, ast.Call) else []
        if not arguments or not all(isinstance(a, ast.Constant) and isinstance(a.value, str) for a in arguments):
            raise ValueError(f"{name}:{decorator.lineno}: a row's ids must be plain strings, and at least one")
        yield from (argument.value for argument in arguments)
