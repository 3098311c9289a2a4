"""The markers: their names, and whether a test has one. Every session asks this of every test."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest

__all__ = [
    "GROWTH_MARKER",
    "MARKER",
    "MARKERS",
    "concerns",
    "has_markers",
    "is_marked",
    "register",
    "uses_fixture",
]

MARKER = "max_model_size"
GROWTH_MARKER = "max_model_growth"
MARKERS = (MARKER, GROWTH_MARKER)

_KEYWORDS = (
    "(limit, *, model=None, path=None, format=None, include_optimizer=True, save_options=None, "
    "compression=None, reason=None, allow_opaque=(), weights=None, optimizer=None, config=None, "
    "graph=None, assets=None, overhead=None"
)
_HELP = (
    (
        f"{MARKER}{_KEYWORDS}, dtypes=None): "
        'hold the saved size of the test\'s model, and of its sections, to a budget such as "2MB".'
    ),
    (
        f"{GROWTH_MARKER}{_KEYWORDS}): "
        'hold how far that size may grow past the committed baseline, such as "5%" or "50 kB".'
    ),
)


def register(config: pytest.Config) -> None:
    """Make the markers known to ``--markers`` and ``--strict-markers``."""
    for line in _HELP:
        config.addinivalue_line("markers", line)


def is_marked(item: pytest.Item) -> bool:
    """Return whether the test has a budget.

    It may be on the test, on its class, module or package, or on the session; and a fixture, a hook
    or the test's body may have put it there since. `iter_markers` finds the same, in three times as
    long.
    """
    node: pytest.Item | pytest.Collector | None = item
    while node is not None:
        for mark in node.own_markers:
            if mark.name in MARKERS:
                return True
        node = node.parent
    return False


def has_markers(item: pytest.Item) -> bool:
    """Return whether the test has any marker, of whatever name."""
    node: pytest.Item | pytest.Collector | None = item
    while node is not None:
        if node.own_markers:
            return True
        node = node.parent
    return False


def uses_fixture(item: pytest.Item) -> bool:
    """Return whether the test asks for the ``model_size`` fixture."""
    return "model_size" in getattr(item, "fixturenames", ())


def concerns(item: pytest.Item) -> bool:
    """Return whether the test has a budget, or asks for the ``model_size`` fixture."""
    return uses_fixture(item) or is_marked(item)
