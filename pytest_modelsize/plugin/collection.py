"""What pytest has collected, before any plugin picked from it."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Collection"]


class Collection:
    """The tests that exist, as far as this run has seen.

    Attributes:
        tests: node ids of all tests, marked or not, whether they are to run or not.
        unseen: node ids of the files and classes that were skipped or failed to be collected.
        partial: why tests were left out; or empty.
    """

    def __init__(self) -> None:
        self.tests: set[str] = set()
        self.unseen: set[str] = set()
        self.partial = ""

    def merge(self, other: Mapping[str, object]) -> None:
        """Take over what a worker has collected, as `as_json` returns it."""
        tests, unseen = other["tests"], other["unseen"]
        assert isinstance(tests, list)
        assert isinstance(unseen, list)
        self.tests.update(tests)
        self.unseen.update(unseen)
        self.partial = self.partial or str(other["partial"])

    def as_json(self) -> dict[str, object]:
        """Return it in built-in types, for the way from a worker to its controller."""
        return {
            "tests": sorted(self.tests),
            "unseen": sorted(self.unseen),
            "partial": self.partial,
        }
