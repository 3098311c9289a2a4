"""Measurements made by hand, for tests of what is done with them."""

from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, Measurement


def measured(sizes, name="model.keras", format="keras", *, notes=None, kinds=None):
    """A measurement with these bytes by path; ``"weights/dense/kernel"`` names one.

    A path whose names have slashes is a tuple. ``notes`` has readers' remarks by path, and
    ``kinds`` what is not `Kind.DATA`.
    """
    ledger = Ledger()
    for path, size in sizes.items():
        ledger.add(names(path), (kinds or {}).get(path, Kind.DATA), size)
    for path, note in (notes or {}).items():
        ledger.note(names(path), note)
    return Measurement(name, format, sum(sizes.values()), ledger.sections())


def of_sections(**sizes):
    """A measurement with one entry in each of these sections."""
    return measured({f"{name}/entry": size for name, size in sizes.items()})


def names(path):
    return tuple(path.split("/")) if isinstance(path, str) else path
