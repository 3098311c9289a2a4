"""The error of a file that should hold what we write: a measurement, a report, a baseline."""

from __future__ import annotations

__all__ = ["MeasurementJsonError"]


class MeasurementJsonError(ValueError):
    """A JSON text that is not a measurement; the message says what is wrong with it."""
