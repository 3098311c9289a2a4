"""Markers on classes and modules, and those of their tests that have no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["without_model", "without_use"]

Seen = Mapping[str, "bool | None"]
"""Of one test, the places of markers, and whether it had a model; None where that is not known."""


def without_model(tests: Mapping[str, Seen]) -> list[str]:
    """Return the tests in which no marker on their class or module had a model."""
    return [test for test, seen in tests.items() if seen and set(seen.values()) == {False}]


def without_use(tests: Iterable[Seen]) -> list[tuple[str, int]]:
    """Return the places of markers that had a model in no test, with the number of their tests.

    One that has a test which failed, or was skipped, may have had one.
    """
    found: dict[str, list[bool | None]] = {}
    for seen in tests:
        for place, had in seen.items():
            found.setdefault(place, []).append(had)
    return [(place, len(had)) for place, had in found.items() if set(had) == {False}]
