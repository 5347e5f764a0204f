"""Words of programs, made fit for results that are published: one line, no colours, no paths of this machine."""

import re

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PATH = re.compile(r"(?<![A-Za-z0-9_.}/-])/(?:home|root|Users|work|workspace|tmp|var|opt)/[^\s:,;'\"]+")


def fit(text, **names):
    """`text` with what `names` call by name (directories) replaced, and every other such path as PATH."""
    for name, place in names.items():
        text = text.replace(str(place), name)
    return PATH.sub("PATH", " ".join(COLOUR.sub("", text).split()))
