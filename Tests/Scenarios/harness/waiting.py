"""Waiting for something to become true, with a bound. The only place that lets time pass."""

import threading
import time


def until(what, condition, seconds=5.0):
    """Returns the first truthy value of `condition()`; fails with `what` when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for: {what}")
        pause.wait(0.005)


def never(what, condition, seconds=0.3):
    """Fails when `condition()` becomes true within `seconds`: a bounded look, for claims of the form "does not happen"."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        assert not condition(), f"happened, and must not: {what}"
        pause.wait(0.01)


def stands_still(connection, seconds=0.5):
    """Whether a flooding backend connection sent something, and nothing more for `seconds`."""
    sent = connection.bytes_sent
    threading.Event().wait(seconds)
    return sent > 0 and connection.bytes_sent == sent
