"""What a pickle describes, as symbols: containers, names of globals, calls that are never made."""

from __future__ import annotations

from pytest_modelsize.sizes.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Blob", "Call", "CutText", "Dictionary", "Global", "Items", "Reference"]


class Global(NamedTuple):
    """A class or function by name. It is never imported."""

    module: str
    name: str


class Blob(NamedTuple):
    """Bytes that were passed over.

    Attributes:
        start: where they begin in the source.
        size: how many they are.
    """

    start: int
    size: int


class CutText(str):
    """The beginning of a text that was too long to be kept.

    Attributes:
        size: bytes of the whole text in UTF-8, as stored.
        start: where they begin in the source.
    """

    __slots__ = ("size", "start")
    size: int
    start: int

    @classmethod
    def of(cls, beginning: str, size: int, start: int) -> CutText:
        """Return ``beginning`` as that of a text of ``size`` bytes from ``start``."""
        self = cls(beginning)
        self.size, self.start = size, start
        return self


class Items:
    """A list or a set."""

    __slots__ = ("values",)

    def __init__(self, values: list[Any]) -> None:
        self.values = values


class Dictionary:
    """A dictionary in the order of writing.

    Attributes:
        keys, values: as written; a key may occur twice.
        spans: where in the pickle each key begins and each value ends.
        state: what was set on it besides, such as the ``_metadata`` of a state_dict.
    """

    __slots__ = ("keys", "spans", "state", "values")

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.spans: list[tuple[int, int]] = []
        self.state: Any = None

    def get(self, key: str) -> Any:
        """Return the last value under a text ``key``, or None."""
        for known, value in zip(reversed(self.keys), reversed(self.values), strict=True):
            if type(known) is str and known == key:
                return value
        return None


class Call:
    """A call of ``target`` with ``arguments``, or an object of that class with them and a state."""

    __slots__ = ("arguments", "state", "target")

    def __init__(self, target: Any, arguments: Any) -> None:
        self.target, self.arguments = target, arguments
        self.state: Any = None


class Reference:
    """A persistent id: how PyTorch refers to a storage that lies outside of the pickle."""

    __slots__ = ("at", "id")

    def __init__(self, id: Any, at: int) -> None:
        self.id, self.at = id, at
