"""pytest-modelsize: hold saved machine-learning models to a size budget, section by section.

Outside pytest: `measure` an artifact, `compare` two measurements. Everything is imported when it
is first used, so that a test session that does not use the plugin pays next to nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_modelsize.formats import measure
    from pytest_modelsize.formats.reader import Reader
    from pytest_modelsize.formats.source import ArtifactError, Source
    from pytest_modelsize.plugin.outcomes import ModelSizeWarning
    from pytest_modelsize.sizes.bytesize import SizeError
    from pytest_modelsize.sizes.comparison import Comparison, compare
    from pytest_modelsize.sizes.ledger import Ledger
    from pytest_modelsize.sizes.measurement import Kind, Measurement, Section

__all__ = [
    "ArtifactError",
    "Comparison",
    "Kind",
    "Ledger",
    "Measurement",
    "ModelSizeWarning",
    "Reader",
    "Section",
    "SizeError",
    "Source",
    "compare",
    "measure",
]

_HOMES = {
    "ArtifactError": "formats.source",
    "Comparison": "sizes.comparison",
    "Kind": "sizes.measurement",
    "Ledger": "sizes.ledger",
    "Measurement": "sizes.measurement",
    "ModelSizeWarning": "plugin.outcomes",
    "Reader": "formats.reader",
    "Section": "sizes.measurement",
    "SizeError": "sizes.bytesize",
    "Source": "formats.source",
    "compare": "sizes.comparison",
    "measure": "formats",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"pytest_modelsize.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
