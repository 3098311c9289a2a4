"""Keep warnings that concern only the framework itself out of the user's test."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

_OWN_AFFAIRS = ("HDF5 file via `model.save()`", "saving your model as an HDF5 file")

_LOCK = threading.RLock()
"""The list of filters is the process's: restored in another order, it would stay as we made it."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings that HDF5 is legacy, and those of the framework's own deprecations."""
    logger = logging.getLogger("absl")

    def worth_telling(record: logging.LogRecord) -> bool:
        return not any(remark in record.getMessage() for remark in _OWN_AFFAIRS)

    with _LOCK:
        logger.addFilter(worth_telling)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                for remark in _OWN_AFFAIRS:
                    warnings.filterwarnings("ignore", message=f"(?s).*{remark}")
                yield
        finally:
            logger.removeFilter(worth_telling)
