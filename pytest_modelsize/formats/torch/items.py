"""What a pickle holds, as values with names, and the tensors among them."""

from __future__ import annotations

from pytest_modelsize.formats.containers.pickle.values import Dictionary
from pytest_modelsize.formats.pickle.arrays import Array
from pytest_modelsize.formats.torch.tensors import StorageId, Tensor
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Contents", "Found", "Item"]


@dataclass(slots=True, eq=False)
class Item:
    """A named value inside another.

    Attributes:
        key: as text.
        parent: None for the pickle itself.
        span: where in the pickle; None where that is not known.
        module: the value is a module, whose members' names go on with a dot.
        member: it is a parameter or a buffer of a module.
        container: the value holds others.
        numbered: these have numbers or parameters for keys, or none.
        modules: names of the modules whose parameters it holds, as a state_dict says.
        object: the value is an object with attributes.
        optimizer_class: the value is of a class that is called like an optimizer's.
        role: ``optimizer``, ``weights`` or ``config`` where the structure or a key says so.
        optimizer: the value is an optimizer's state_dict, and ``its_state`` the state in it.
        state: it is, or is within, the state in one, which is not empty.
        keeps: it holds slots, and what else it holds goes with them.
        entry: it is a tensor.
        opaque: bytes of a format of their own that are its value.
        listed: how many strings or numbers it holds, where it is a long list of them.
        depth, length: of the whole name, in names and in bytes.
        sections: of the tensors within.
    """

    key: str
    parent: Item | None
    span: tuple[int, int] | None
    module: bool = False
    member: bool = False
    container: bool = False
    numbered: bool = False
    modules: tuple[str, ...] = ()
    object: bool = False
    optimizer_class: bool = False
    role: str = ""
    optimizer: Dictionary | None = None
    its_state: Any = None
    state: bool = False
    keeps: bool = False
    entry: bool = False
    opaque: int = 0
    listed: str = ""
    depth: int = 0
    length: int = 0
    sections: frozenset[str] = frozenset()

    def chain(self) -> list[Item]:
        """The items from below the pickle itself down to this one."""
        found: list[Item] = []
        item: Item | None = self
        while item is not None and item.parent is not None:
            found.append(item)
            item = item.parent
        found.reverse()
        return found

    def path(self) -> tuple[str, ...]:
        """Names from the pickle down; modules' members are joined: ``("model", "conv.weight")``."""
        names: list[str] = []
        joined = False
        for item in self.chain():
            member = item.parent is not None and item.parent.module
            if member and joined:
                names[-1] += f".{item.key}"
            else:
                names.append(item.key)
            joined = member
        return tuple(names)


@dataclass(slots=True)
class Found:
    """A tensor at a place in the pickle.

    Attributes:
        item: the place; that of a list for each of the tensors in it.
        storage: where its elements are; None for an array, whose elements the pickle itself holds.
        tensor: the view of the storage; None for a storage by itself.
        array: the array.
        section: what it serves.
        key: it is a key of a dictionary, where it says whose something is.
    """

    item: Item
    storage: StorageId | None
    tensor: Tensor | None
    array: Array | None = None
    section: str = ""
    key: bool = False

    @property
    def shape(self) -> tuple[int, ...] | None:
        """In elements; None where it is not known."""
        if self.array is not None:
            return self.array.shape
        return None if self.tensor is None else self.tensor.shape

    @property
    def dtype(self) -> str:
        """Of the elements; empty where it is not known."""
        if self.array is not None:
            return self.array.dtype.name
        return "" if self.tensor is None else self.tensor.dtype


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a pickle holds.

    Attributes:
        root: the pickle itself.
        items: named values, each behind what it is in; ``root`` is among them.
        found: tensors, in the order of writing.
    """

    root: Item
    items: list[Item]
    found: list[Found]
