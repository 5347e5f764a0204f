"""Tells what runs, how far it is and how long it will take: on a terminal one line that changes, else plain lines."""

import sys
import time


def duration(seconds):
    seconds = max(int(seconds + 0.5), 0)
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"


class Progress:
    """`planned` is what each step is expected to take, in seconds, in order."""

    def __init__(self, planned, stream=None):
        self.planned = list(planned)
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.began = time.monotonic()
        self.done = 0

    def left(self, now):
        """Seconds to go: the plan, corrected by how it went so far."""
        past = sum(self.planned[: self.done])
        pace = (now - self.began) / past if past else 1.0
        return sum(self.planned[self.done :]) * pace

    def step(self, words):
        text = f"[{self.done + 1}/{len(self.planned)}] {words}, {duration(self.left(time.monotonic()))} left"
        if self.live:
            self.stream.write(f"\r\x1b[K{text}")
        else:
            self.stream.write(f"{text}\n")
        self.stream.flush()
        self.done += 1

    def say(self, words):
        """A line that stays."""
        self.stream.write(f"\r\x1b[K{words}\n" if self.live else f"{words}\n")
        self.stream.flush()

    def end(self):
        self.say(f"{self.done} measurements in {duration(time.monotonic() - self.began)}")
