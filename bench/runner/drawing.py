"""Calls plots.py in a virtual environment of its own: the runner itself needs no packages."""

from .install import Skip, last_line, run


def draw(installer, root, directory):
    """Draws what `directory`/results.json has; the names of the files."""
    venv = installer.pypi("plots", root / "bench/requirements.txt")
    done = run([str(venv / "bin/python"), "-m", "runner.plots", str(directory.resolve())], cwd=root / "bench")
    if done.returncode != 0:
        raise Skip(f"they could not be drawn: {last_line(done.stderr)}")
    return done.stdout.split()
