"""Python's search for garbage in cycles, put off while files are read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["gc_paused"]


@contextmanager
def gc_paused() -> Iterator[None]:
    """Suspend the search for garbage in cycles while the block runs.

    Readers create hardly any cycles, and each search goes through everything that a framework has
    created: up to a third of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
