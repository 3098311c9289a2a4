"""The other models that one budget is for, below the failure of one of them."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.report.table import columns
from pytest_modelsize.sizes.bytesize import human
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Beside", "beside"]


@dataclass(frozen=True, slots=True)
class Beside:
    """Another artifact of the same test.

    Attributes:
        name: how the test calls it.
        size: bytes; None where they are not known.
        state: ``within``, ``over`` or ``not checked``.
        argument: what picks it on the marker; empty where nothing does.
    """

    name: str
    size: int | None
    state: str
    argument: str


def beside(others: Sequence[Beside]) -> str:
    """Return one line for each of the others, with the argument that picks it alone."""
    rows = [
        (
            printable(other.name),
            "?" if other.size is None else human(other.size),
            other.state,
            printable(other.argument) or "hand it to the model_size fixture",
        )
        for other in others
    ]
    title = "  the budget is for each model of the test; to pick one, write its argument:"
    return "\n".join([title, *columns(rows, "<><<", indent=4)])
