"""Names for what a pickle holds, as its author knows them, and as paths of the ledger."""

from __future__ import annotations

from collections.abc import Collection

from pytest_modelsize.formats.torch.archive_root import PICKLE
from pytest_modelsize.formats.torch.items import Contents, Item
from pytest_modelsize.formats.torch.parameters import names_by_number
from pytest_modelsize.formats.torch.tensors import Tensor
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["Naming"]

_OBJECTS: SectionPath = ("config", "module objects")
"""Class names and attributes of modules that were pickled whole."""

_MOST_COMPARED = 1_000_000
"""Optimizers times tensors, up to which parameters are looked for."""


class Naming:
    """Names for the values of one pickle.

    What models have in common above their parameters' names is left out: with one model in the
    file, ``model_state_dict`` says nothing.
    """

    def __init__(self, contents: Contents) -> None:
        models: dict[SectionPath, list[tuple[str, Tensor]]] = {}
        groups: set[SectionPath] = set()
        for found in contents.found:
            if found.section == "weights" and not found.key:
                *group, name = found.item.path() or ("",)
                if group or found.array is not None:
                    groups.add(tuple(group))
                if found.tensor is not None:
                    models.setdefault(tuple(group), []).append((name, found.tensor))
        self._left_out = _common(groups)
        optimizers = [
            i for i in contents.items if i.optimizer is not None and i.role == "optimizer"
        ]
        self._left_out_of_slots = _common([item.path() for item in optimizers])
        self._parameters: dict[int, dict[str, str]] = {}
        if len(optimizers) * len(contents.found) <= _MOST_COMPARED:
            for item in optimizers:
                if item.optimizer is not None:
                    names = names_by_number(item.optimizer, list(models.values()))
                    self._parameters[id(item)] = names

    def path(self, item: Item, section: str) -> SectionPath:
        """Return the entry of a tensor in ``section``."""
        slot = self._slot(item) if item.state else None
        if slot is not None:
            return slot
        path = item.path() or ("(tensor)",)
        if section == "weights":
            path = path[min(self._left_out, len(path) - 1) :]
        return (section, *path)

    def speaks_of(self, item: Item) -> tuple[SectionPath, Kind]:
        """Return whose the pickle's bytes are that name and describe ``item``."""
        if item.module:
            return _OBJECTS, Kind.DATA
        sections = item.sections
        if item.state or (item.role == "optimizer" and "optimizer" in sections):
            named = item.entry or (item.state and not sections)
            return (self.path(item, "optimizer") if named else ("optimizer",)), Kind.STRUCTURE
        if not sections and item.parent is not None and item.parent.keeps:
            return self.path(item, "optimizer"), Kind.STRUCTURE
        if item.opaque and not sections:
            return self.path(item, "assets"), Kind.STRUCTURE
        if not sections:
            return _setting(item), Kind.DATA
        if len(sections) > 1:
            return ("overhead", PICKLE), Kind.STRUCTURE
        (section,) = sections
        return (self.path(item, section) if item.entry else (section,)), Kind.STRUCTURE

    def _slot(self, item: Item) -> SectionPath | None:
        """``optimizer/exp_avg/conv.weight``: below the optimizer's name where there are several."""
        slots: list[str] = []
        above: Item | None = item
        while above is not None and above.optimizer is None:
            slots.append(above.key)
            above = above.parent
        if above is None or len(slots) < 3:
            return None
        *slots, number, _ = slots
        name = self._parameters.get(id(above), {}).get(number)
        if name is None:
            name = f"param {number}" if number.isdecimal() else number
        prefix = above.path()[self._left_out_of_slots :]
        return ("optimizer", *prefix, "/".join(reversed(slots)), name)


def _setting(item: Item) -> SectionPath:
    """Return the entry of what has no tensors: a long list's, else the outermost such value's."""
    lists = [held for held in item.chain() if held.listed]
    if lists and not any(held.module for held in item.chain()):
        return ("config", *lists[0].path())
    while (
        item.parent is not None
        and item.parent.parent is not None
        and not (item.parent.sections or item.parent.module)
    ):
        item = item.parent
    if item.parent is None:
        return ("config", PICKLE)
    return _OBJECTS if item.parent.module else ("config", *item.path())


def _common(paths: Collection[SectionPath]) -> int:
    """Return how many names all paths begin with."""
    length = 0
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        length += 1
    return length
