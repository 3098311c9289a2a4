"""XGBoost's models in JSON and UBJSON, as ``save_model`` and ``save_raw`` write them.

doc/model.schema of github.com/dmlc/xgboost: ``learner`` has ``gradient_booster`` with the trees,
each an object of arrays by node, or with the weights of a linear model; and beside it attributes,
names of features and parameters. Dropped trees (dart) have their model one key deeper. What a
pickled booster holds has the same below ``Model``, and its settings below ``Config``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.json_parts import json_parts
from pytest_modelsize.formats.containers.part import Part, PartPath, TooManyParts
from pytest_modelsize.formats.containers.ubjson import ubjson_parts
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.patterns import late

__all__ = ["format", "read", "recognises"]

format = "xgboost"
_BOOSTER, _TREES, _CATEGORIES = "gradient_booster", "trees", "cats"
_KEYS = rb"(?:learner|version|Model|Config)"
_JSON = late(rb'\s*\{\s*"' + _KEYS + rb'"\s*:')
_UBJSON = late(rb"\{(?:[iU].|I..|l.{4}|L.{8})" + _KEYS, re.DOTALL)
_LEARNER = late(rb'learner(?:"\s*:\s*)?\{')
_EVIDENCE = late(rb'(?:learner_model_param|gradient_booster|learner_train_param)(?:"\s*:\s*)?\{')
"""Keys that every learner has: of these one is in the first 4 kB or in the last."""
_LARGEST_JSON = 128 * 2**20
"""Bytes of JSON that are opened; UBJSON is read a page at a time."""
_MOST_ENTRIES = 50_000
_DEEPEST = 6


def recognises(source: Source) -> bool:
    """Return whether the document begins with a key of such a model, and holds a learner."""
    head = source.head
    if not (_JSON.match(head) or _UBJSON.match(head)) or not _LEARNER.search(head):
        return False
    return any(map(_EVIDENCE.search, (head, source.tail)))


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to ``ledger``: trees by array to the weights, what describes them to config.

    Raises:
        ArtifactError: where the document is broken.
    """
    home = ("weights", source.title)
    text = _JSON.match(source.head) is not None
    if text and source.size > _LARGEST_JSON:
        ledger.add(home, Kind.OPAQUE, source.size)
        ledger.note(home, f"not opened: JSON of {source.size:,d} bytes")
        return
    entries = _Entries(source, ledger)
    try:
        for part in json_parts(source) if text else ubjson_parts(source):
            entries.enter(part)
    except TooManyParts as error:
        ledger.add(home, Kind.OPAQUE, source.size - entries.given)
        ledger.note(home, str(error))
    entries.close()


class _Entries:
    """Enters the parts of a model in a ledger.

    Attributes:
        given: bytes entered so far.
    """

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self.source, self.ledger = source, ledger
        self.given = 0
        self._sizes: dict[SectionPath, list[int]] = {}  # of content, and of what describes it
        self._arrays: dict[SectionPath, tuple[str, int, int]] = {}

    def enter(self, part: Part) -> None:
        """Enter one part."""
        self.given += part.size
        home = self._bounded(_home(part))
        sizes = self._sizes.get(home) or self._sizes.setdefault(home, [0, 0])
        if part.container or (home[:2] == ("weights", _TREES) and part.length is None):
            sizes[1] += part.size
            return
        sizes[0] += part.data
        sizes[1] += part.size - part.data
        if part.length is None:
            return
        if home[0] == "weights":
            # Two arrays that are equal, or full of zeros, are not waste: a tree needs each.
            extents.note(self.source, part.start, part.data, home, content=False)
        if home[:2] == ("weights", _TREES):
            self._sum(home, part)
        else:
            self.ledger.note(home, _counted(part.dtype, part.length))

    def close(self) -> None:
        """Give the sums to the ledger, and remark how long the arrays of all trees are together."""
        for home, (data, structure) in self._sizes.items():
            self.ledger.add(home, Kind.DATA, data)
            self.ledger.add(home, Kind.STRUCTURE, structure)
        for home, (dtype, count, trees) in self._arrays.items():
            told = f"{_counted(dtype, count)}, {trees:,d} tree{'s' if trees != 1 else ''}"
            self.ledger.note(home, told)

    def _sum(self, home: SectionPath, part: Part) -> None:
        dtype, count, trees = self._arrays.get(home, (part.dtype, 0, 0))
        if part.length and dtype != part.dtype:
            dtype = "" if count else part.dtype
        self._arrays[home] = (dtype, count + (part.length or 0), trees + 1)

    def _bounded(self, home: SectionPath) -> SectionPath:
        return home if home in self._sizes or len(self._sizes) < _MOST_ENTRIES else home[:2]


def _home(part: Part) -> SectionPath:
    """Return the entry of a part. An array has one for all trees, as there may be thousands."""
    path = part.path
    if _BOOSTER not in path:
        return ("config", *_named(path))
    below = path[path.index(_BOOSTER) + 1 :]
    if _TREES in below:
        of_tree = below[below.index(_TREES) + 1 :]
        return ("weights", _TREES, *of_tree[1:2])
    if part.length is not None and part.dtype != "text" and _CATEGORIES not in below:
        return ("weights", *below[-1:])
    return ("config", *_named(path))


def _named(path: PartPath) -> Iterator[str]:
    yield from (key for key in path[:_DEEPEST] if key != "learner")


def _counted(dtype: str, count: int) -> str:
    if not count:
        return "empty"
    words = {"": "elements", "numbers": "numbers", "text": "texts"}
    return f"{count:,d} {words[dtype]}" if dtype in words else type_and_shape(dtype, [count])
