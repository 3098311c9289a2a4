"""How a check that does not pass ends a test: exceptions and a warning that users meet by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

__all__ = [
    "ModelSizeExceeded",
    "ModelSizeFailure",
    "ModelSizeShrunk",
    "ModelSizeUnchecked",
    "ModelSizeWarning",
]

if TYPE_CHECKING:
    from pytest_modelsize.storage.check_result import CauseResult

    # The public name pytest.fail.Exception is an attribute, in which mypy sees no type.
    class ModelSizeFailure(BaseException):
        """A failure of pytest's own kind."""

        explained: tuple[str, ...]
        causes: tuple[CauseResult, ...]

        def __init__(self, msg: str, pytrace: bool = True) -> None:
            self.msg: str
else:
    ModelSizeFailure = pytest.fail.Exception


class ModelSizeExceeded(ModelSizeFailure):
    """An artifact is over its budget. The first line of the message stands alone."""

    # pytest prints the qualified name of an exception: "ModelSizeExceeded: ..." reads better.
    __module__ = "builtins"


class ModelSizeUnchecked(ModelSizeFailure):
    """A budget that could not be checked, which is never a pass."""

    __module__ = "builtins"


class ModelSizeShrunk(ModelSizeFailure):
    """An artifact is smaller than its baseline, and the ini-file wants that to be accepted."""

    __module__ = "builtins"


class ModelSizeWarning(UserWarning):
    """The user's own export writes what the measured artifact does not."""
