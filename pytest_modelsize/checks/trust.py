"""What keeps a budget from passing on what was not looked at."""

from __future__ import annotations

from pytest_modelsize.checks.take import Taken
from pytest_modelsize.sizes.budget import Budget
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.measurement import Kind, Measurement

__all__ = ["not_known", "promise_broken"]


def promise_broken(taken: Taken) -> str:
    """Return what to say when a copy saved without optimizer state holds some; empty if it holds.

    That is never the user's fault, and never a pass.
    """
    size = int(taken.measurement.optimizer)
    if taken.subject.path is not None or taken.settings.include_optimizer or not size:
        return ""
    return (
        f"{taken.measurement.name} was to be saved without optimizer state, but holds "
        f"{exact(size)} bytes of it, so its lean size is not known. This is a defect of "
        f"pytest-modelsize with this framework version: please report it. Until then, hold the "
        "budget on an artifact that your own export writes, with path="
    )


def not_known(budget: Budget, measurement: Measurement) -> str:
    """Return what to say when ``budget`` limits sections of what nobody can look into; or nothing.

    A limit on the whole is checked all the same, and so is one on the section as which all of it
    is entered.
    """
    if problem := _types_not_known(budget, measurement):
        return problem
    known = (None, "weights", "assets")
    limited = [limit.section for limit in budget.limits if limit.section not in known]
    if budget.include_optimizer and not limited:
        return ""
    opaque = ""
    if measurement.format == "file":
        opaque = "is of no format known here"
    elif any(leaf.kind is Kind.OPAQUE for _, leaf in measurement.leaves()):
        opaque = "is a pickle" if measurement.format == "pickle" else "holds a part"
        opaque += " that could not be opened"
    if not opaque:
        return ""
    what = f"{limited[0]}=" if budget.include_optimizer else "include_optimizer=False"
    return (
        f"{measurement.name} {opaque}, so {what} cannot be held against what is inside: limit its "
        "total, or export the model in a format with sections"
    )


def _types_not_known(budget: Budget, measurement: Measurement) -> str:
    """Return what to say where weights of an unknown type may be of one that is limited."""
    unknown = bytes_by_dtype(measurement).get("", 0)
    for limit in budget.limits:
        used = limit.used(measurement)
        if limit.dtype and used <= limit.resolved(measurement).size < used + unknown:
            return (
                f"of {exact(unknown)} bytes of the weights of {measurement.name} the data type is "
                f'not known, so dtypes={{"{limit.dtype}": "{limit.written}"}} cannot be held against '
                "them: limit the total, or export the model in a format that tells each tensor's type"
            )
    return ""
