"""Brings the peers: Debian packages and PyPI packages, below .bench/ alone. Nothing is installed into the system.

A Debian package that is not installed is fetched and unpacked, with the libraries it lacks; no service is set up for
it. Where apt knows no such package, its lists are renewed once: the system's own, as root or by sudo. Packages from
PyPI get a virtual environment each. What cannot be had raises `Skip` with a line that says why.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Skip(Exception):
    """This peer cannot run here, because of what the line says."""


def run(command, **rest):
    try:
        return subprocess.run(command, capture_output=True, text=True, **rest)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def last_line(text):
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "e:"))]
    return (errors or lines or ["it said nothing"])[-1]


def on_path(name):
    places = os.environ.get("PATH", "") + os.pathsep + os.pathsep.join(["/usr/local/sbin", "/usr/sbin", "/sbin"])
    return shutil.which(name, path=places)


class Installer:
    def __init__(self, root, say=lambda line: None):
        self.home = Path(root) / ".bench"
        self.say = say
        self.listed = False

    # Debian

    def debian(self, package, program=None, look=on_path):
        """The path of `program`: the system's own, or that of `package` unpacked below .bench/debian."""
        program = program or package
        found = look(program)
        if found:
            return found
        home = self.home / "debian"
        private = self.unpacked(home, program)
        if private:
            return private
        if not on_path("apt-get") or not on_path("dpkg-deb"):
            raise Skip(f"{program} is not installed, and there is no apt-get to fetch it; install it by hand")
        self.say(f"fetching Debian's {package} into .bench/debian")
        self.unpack(home, self.missing_packages(package))
        private = self.unpacked(home, program)
        if not private:
            raise Skip(f"Debian's package {package} holds no {program}")
        return private

    def unpacked(self, home, program):
        for place in ("usr/sbin", "usr/bin", "sbin", "bin"):
            if os.access(home / place / program, os.X_OK):
                return str(home / place / program)
        return None

    def missing_packages(self, package):
        """`package` and those it needs that are not installed, by apt's own reckoning."""
        simulate = ["apt-get", "-qq", "-s", "--no-install-recommends", "install", package]
        done = run(simulate)
        if done.returncode != 0 and not self.listed:
            # An image without package lists. Only root may renew them: the one thing that is changed outside .bench/.
            self.listed = True
            root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            run([*root, "apt-get", "-qq", "update"])
            done = run(simulate)
        if done.returncode != 0:
            raise Skip(f"apt has no {package}: {last_line(done.stderr)}")
        names = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Inst ")]
        return names or [package]

    def unpack(self, home, packages):
        work = home / "download"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            done = run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages], cwd=work)
            if done.returncode != 0:
                raise Skip(f"apt could not fetch {' '.join(packages)}: {last_line(done.stderr)}")
            for file in sorted(work.glob("*.deb")):
                done = run(["dpkg-deb", "-x", str(file), str(home)])
                if done.returncode != 0:
                    raise Skip(f"dpkg-deb could not unpack {file.name}: {last_line(done.stderr)}")
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def library_path(self, program):
        """What LD_LIBRARY_PATH must be for `program`; None for the system's own."""
        home = self.home / "debian"
        if not str(program).startswith(str(home)):
            return None
        places = [home / "usr/lib", *sorted(home.glob("usr/lib/*-linux-gnu*")), *sorted(home.glob("lib/*-linux-gnu*"))]
        return os.pathsep.join(str(place) for place in places)

    # PyPI

    def pypi(self, name, requirements):
        """The virtual environment with the packages of the file `requirements`; made once."""
        venv = self.home / f"venv-{name}"
        stamp = venv / "stamp"
        wanted = Path(requirements).read_text()
        if stamp.is_file() and stamp.read_text() == wanted and os.access(venv / "bin/python", os.X_OK):
            return venv
        self.say(f"installing {name} from PyPI into .bench/venv-{name}")
        made = run([sys.executable, "-m", "venv", "--clear", str(venv)])
        if made.returncode != 0:
            raise Skip(f"no virtual environment could be made: {last_line(made.stdout + made.stderr)}")
        pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        done = run([*pip, "--requirement", str(requirements)])
        if done.returncode != 0:
            raise Skip(f"pip could not install {wanted.strip().splitlines()[-1]}: {last_line(done.stderr)}")
        stamp.write_text(wanted)
        return venv

    @staticmethod
    def package_version(venv, package):
        code = f"import importlib.metadata as m; print(m.version({package!r}))"
        done = run([str(Path(venv) / "bin/python"), "-c", code])
        return done.stdout.strip() or "unknown"
