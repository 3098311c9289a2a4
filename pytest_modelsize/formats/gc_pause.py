"""Python's search for garbage in cycles, put off while files are read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["gc_paused"]


@contextmanager
def gc_paused() -> Iterator[None]:
    """Put the search off meanwhile.

    What readers make has no cycles to speak of, and each search goes through all that a framework
    has made: up to a third of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
