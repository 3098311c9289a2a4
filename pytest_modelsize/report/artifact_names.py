"""What reports call an artifact: by its name, and no two of a test alike where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["artifact_names"]


def artifact_names(results: Sequence[CheckResult]) -> list[str]:
    """Return the name of each artifact; empty where none was found.

    Those of a test that have the same name go by what the baseline calls them, which says how each
    was saved: ``model.keras`` and ``model.keras without optimizer state``.
    """
    known = Counter((result.test, result.artifact) for result in results)
    return [
        (result.key if known[result.test, result.artifact] > 1 else "") or result.artifact
        for result in results
    ]
