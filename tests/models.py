"""Measurements made by hand, for tests of what is done with them."""

from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, Measurement


def measured(sizes, name="model.keras", format="keras"):
    """A measurement with these bytes by path; ``"weights/dense/kernel"`` names one."""
    ledger = Ledger()
    for path, size in sizes.items():
        ledger.add(tuple(path.split("/")), Kind.DATA, size)
    return Measurement(name, format, sum(sizes.values()), ledger.sections())
