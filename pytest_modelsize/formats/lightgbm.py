"""LightGBM's models, the text that ``Booster.save_model`` writes.

src/boosting/gbdt_model_text.cpp and src/io/tree.cpp of github.com/microsoft/LightGBM: a head of
``key=value`` lines, ``Tree=0`` and its arrays as ``key=value value ...``, one line each; then the
features' importances, the parameters in brackets, and what pandas knew of categories.
"""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.lines import BEGINNING, Line, lines
from pytest_modelsize.formats.containers.part import TooManyParts
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.patterns import late

__all__ = ["format", "read", "recognises"]

format = "lightgbm"
_BEGINS = late(rb"tree\r?\n(?:[a-z_]+(?:=[^\n]*)?\r?\n)*?max_feature_idx=\d")
_TREE = late(rb"Tree=\d{1,12}")
_SIZES = b"tree_sizes"
_NUMBERS = b"0123456789 \t\r"
_LONGEST_NUMBER = 12
_LONGEST_SIZES = 2**20
"""Bytes of the line of sizes that is read."""
_END_OF_TREES = b"end of trees"
_IMPORTANCES = (b"feature_importances:", b"feature importances:")
_PARAMETERS, _END_OF_PARAMETERS = b"parameters:", b"end of parameters"
_PARAMETER = late(rb"\[([a-z_0-9]{1,80}): ")
_KEY = late(rb"([A-Za-z_][A-Za-z_0-9]{0,80})[=:]")
_MOST_ENTRIES = 2000
_HEAD: SectionPath = ("config",)
_TREES: SectionPath = ("weights", "trees")
_IN_PARAMETERS: SectionPath = ("config", "parameters")


def recognises(source: Source) -> bool:
    """Return whether the text begins as such a model does."""
    return _BEGINS.match(source.head) is not None


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to ``ledger``: trees by array to the weights, all else to config.

    Raises:
        ArtifactError: where the text is shorter than its trees are said to be, or was cut off.
    """
    model = _Model(source, ledger)
    given = 0
    try:
        for line in lines(source):
            model.enter(line)
            given += line.size
    except TooManyParts as error:
        ledger.add(_TREES, Kind.OPAQUE, source.size - given)
        ledger.note(_TREES, f"not opened from byte {given:,d}: {error}")
        return
    model.close()


class _Model:
    """Enters lines in a ledger; `home` is what the lines belong to that come now."""

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self.source, self.ledger = source, ledger
        self.home = _HEAD
        self._sizes: list[int] | None = None
        self._first_tree: int | None = None
        self._trees = 0
        self._ended = False
        self._known: set[SectionPath] = set()
        self._arrays: dict[SectionPath, int] = {}

    def enter(self, line: Line) -> None:
        """Enter one line."""
        begin = line.begin
        if _TREE.fullmatch(begin) and self.home in (_HEAD, _TREES):
            self.home = _TREES
            self._trees += 1
            if self._first_tree is None:
                self._first_tree = line.start
        elif begin == _END_OF_TREES:
            self.ledger.add(_TREES, Kind.STRUCTURE, line.size)
            self.home, self._ended = _HEAD, True
            return
        elif begin in _IMPORTANCES:
            # Before version 3 nothing else ended the trees.
            self.home, self._ended = ("config", "feature_importances"), True
        elif begin == _PARAMETERS:
            self.home = _IN_PARAMETERS
        elif self.home == _TREES:
            self._array(line)
            return
        elif begin and begin not in (_END_OF_PARAMETERS, b"tree"):
            self._setting(line)
            return
        self.ledger.add(self.home, Kind.STRUCTURE, line.size)
        if begin == _END_OF_PARAMETERS:
            self.home = _HEAD

    def close(self) -> None:
        """Remark on each array how long all of them are together.

        Raises:
            ArtifactError: where trees are missing, or what the writer puts behind trees and
                parameters.
        """
        trees = f"{self._trees:,d} tree{'s' if self._trees != 1 else ''}"
        for home, count in self._arrays.items():
            self.ledger.note(home, f"{count:,d} numbers, {trees}")
        if self._sizes is None and not self._trees:
            raise self.source.error(self.source.size, "trees expected, but there are none")
        if self._sizes is not None:
            self._count(self._sizes)
        # With the trees whole, what stands behind them may still be cut off.
        for ended, line in (
            (self._ended, _END_OF_TREES),
            (self.home != _IN_PARAMETERS, _END_OF_PARAMETERS),
        ):
            if not ended:
                problem = f"the line {line.decode()!r} expected: the text was cut off"
                raise self.source.error(self.source.size, problem)

    def _count(self, sizes: list[int]) -> None:
        begin = self._first_tree if self._first_tree is not None else self.source.size
        claimed, left = sum(sizes), self.source.size - begin
        if claimed > left or len(sizes) > self._trees:
            raise self.source.error(
                self.source.size,
                f"{len(sizes):,d} trees of {claimed:,d} bytes expected from byte {begin:,d}, "
                f"but there are {self._trees:,d}, and {left:,d} bytes",
            )

    def _array(self, line: Line) -> None:
        key, equals, _ = line.begin.partition(b"=")
        if not equals or not _KEY.match(line.begin):
            self.ledger.add(_TREES, Kind.STRUCTURE, line.size)
            return
        home = self._entry((*_TREES, key.decode("ascii", "replace")), _TREES)
        data = line.size - line.past - len(key) - 1
        self.ledger.add(home, Kind.DATA, data)
        self.ledger.add(home, Kind.STRUCTURE, line.size - data)
        # Two arrays that are equal, or full of zeros, are not waste: a tree needs each.
        extents.note(self.source, line.start + len(key) + 1, data, home, content=False)
        if home != _TREES:
            # The key is a word with the first of the numbers, or by itself.
            first = line.begin[len(key) + 1 : len(key) + 2]
            count = line.words - (not first.strip())
            self._arrays[home] = self._arrays.get(home, 0) + count

    def _setting(self, line: Line) -> None:
        """Enter a line of the head or behind the trees: a key with its value, by the key."""
        if self.home == ("config", "feature_importances"):
            if not line.begin.startswith((b"pandas_categorical", b"[")):
                self.ledger.add(self.home, Kind.DATA, line.size)
                return
            self.home = _HEAD
        match = _PARAMETER.match(line.begin) or _KEY.match(line.begin)
        if match is None:
            self.ledger.add(self.home, Kind.DATA, line.size)
            return
        key = match[1]
        if key == _SIZES and self.home == _HEAD:
            self._read_sizes(line)
            self.ledger.add((*_TREES, key.decode()), Kind.STRUCTURE, line.size)
            return
        home = self._entry((*self.home, key.decode()), self.home)
        self.ledger.add(home, Kind.DATA, line.size - line.past)
        self.ledger.add(home, Kind.STRUCTURE, line.past)
        if key == b"feature_names":
            self.ledger.note(home, f"{line.words:,d} names")

    def _read_sizes(self, line: Line) -> None:
        if line.size > _LONGEST_SIZES:
            return
        whole = line.size > BEGINNING
        text = self.source.read(line.start, line.size - line.past) if whole else line.begin
        numbers = text.partition(b"=")[2]
        sizes = numbers.split()
        if numbers.translate(None, _NUMBERS) or max(map(len, sizes), default=0) > _LONGEST_NUMBER:
            raise self.source.error(line.start, "the sizes of all trees expected")
        self._sizes = [int(size) for size in sizes]

    def _entry(self, home: SectionPath, otherwise: SectionPath) -> SectionPath:
        """Return ``home``, or what is around it where there are too many entries."""
        if home not in self._known:
            if len(self._known) >= _MOST_ENTRIES:
                return otherwise
            self._known.add(home)
        return home
