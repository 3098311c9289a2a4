"""Content that became text, or a list of Python's, in the configuration or in the graph.

Vocabularies, arrays, histories and code.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.training_data import HYPER_PARAMETERS
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.comparison import Entry
from pytest_modelsize.sizes.patterns import late

__all__ = ["find"]

_OBJECTS = "object graph"
"""A string too, which says what a SavedModel's variables belong to."""
_SHARE = 20
"""One part in so many of the artifact must be such text."""
_PICKLED = ("torch", "pickle")
_IN_PICKLES = {
    "numbers as text": (
        "lists of numbers",
        "leave out what only training needs, and keep the rest as an array",
    )
}
"""What is said of pickles, where a number is not a text."""
_KINDS = (
    (late(r"^a text of", holds=("a text of",)), "text",
     "keep it in a file, if anything reads it"),
    (late(r"strings?\b|string const|vocabulary", holds=("string", "vocabulary")), "vocabulary",
     "keep it in a file beside the model, or load it when the model starts"),
    (late(r"numbers", holds=("numbers",)), "numbers as text",
     "keep the array as a weight: as text a number takes three to five times its bytes"),
    (late(r"marshalled|base64", holds=("marshalled", "base64")), "code as text",
     "write a registered function or layer in place of the Lambda"),
)  # fmt: skip


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield each kind of text that takes up a twentieth of the artifact or more."""
    measurement = evidence.measurement
    if measurement.format == "gguf":
        return  # its tokenizer has no other place
    pickled = measurement.format in _PICKLED
    found: dict[str, list[Entry]] = {}
    for name in ("config", "graph"):
        for entry in evidence.entries(name):
            for pattern, kind, _ in _KINDS:
                said = pattern.search(entry.note) and entry.name != _OBJECTS
                if said and not (pickled and HYPER_PARAMETERS.search(entry.name)):
                    found.setdefault(kind, []).append(entry)
                    break
    for _, told, usual in _KINDS:
        kind, fix = told, usual
        held = found.get(kind, [])
        size = sum(entry.size for entry in held)
        if not held or size * _SHARE < measurement.bytes_on_disk:
            continue
        where = held[0].path[0]
        place = "the configuration" if where == "config" else "the graph"
        changes: tuple[tuple[str, Change], ...] = ()
        if pickled:
            kind, fix = _IN_PICKLES.get(kind, (kind, fix))
            changes = (("", Change(without=frozenset(entry.path for entry in held))),)
        yield Cause(
            kind=f"{kind} in {place}",
            text=f"{held[0].name} ({held[0].note})",
            size=size,
            fix=fix,
            section=where,
            entries=tuple(entry.name for entry in held[:3]),
            changes=changes,
        )
