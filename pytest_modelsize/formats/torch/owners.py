"""Which entry of the ledger each storage, and each byte of the pickle, belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelsize.formats.torch.contents import Contents, Found, Item
from pytest_modelsize.formats.torch.naming import Naming
from pytest_modelsize.formats.torch.tensors import StorageId, Tensor, shown
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["Owner", "charge_pickle", "owners_of", "used_of"]

_RANK = {"weights": 0, "optimizer": 1, "config": 2}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a storage belongs to.

    Attributes:
        path: its entry in the ledger.
        note: what to remark on it.
        storage: as the pickle speaks of it.
    """

    path: SectionPath
    note: str
    storage: StorageId


def owners_of(contents: Contents, naming: Naming) -> dict[str, Owner]:
    """Return the owner of each storage, by its key.

    A storage that several tensors view has one owner: the first of the weights, if there is any.
    """
    by_key: dict[str, list[Found]] = {}
    for found in contents.found:
        by_key.setdefault(found.storage.key, []).append(found)
    return {key: _owner(together, naming) for key, together in by_key.items()}


def _owner(together: list[Found], naming: Naming) -> Owner:
    first = min(together, key=lambda found: _RANK.get(found.section, 3))
    path = naming.path(first.item, first.section)
    parts = [] if first.tensor is None else [shown(first.tensor.dtype, first.tensor.shape)]
    others = dict.fromkeys("/".join(naming.path(f.item, f.section)[1:]) for f in together)
    others.pop("/".join(path[1:]), None)
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        parts.append(f"shared with {next(iter(others))}{more}")
    size = first.storage.size
    if size is not None and (waste := size - used_of([f.tensor for f in together], size)) > 0:
        parts.append(f"waste: {waste:,d} B of the storage are in no tensor")
    return Owner(path, ", ".join(filter(None, parts)), first.storage)


def used_of(views: Sequence[Tensor | None], size: int) -> int:
    """Return the most bytes of a storage of ``size`` that its views can have in use."""
    spans, counted = [], 0
    for view in dict.fromkeys(views):
        extent = None if view is None else view.extent
        if extent is None:
            return size
        start, end, most = extent
        spans.append((min(start, size), min(end, size)))
        counted += most
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return min(covered, counted)


def charge_pickle(
    ledger: Ledger, contents: Contents, naming: Naming, span: tuple[int, int]
) -> None:
    """Give every byte of the pickle at ``span`` to what it speaks of.

    Each byte counts for the innermost named value around it. Spans are nested as the values are,
    because they were on one stack; those of a broken file are cut to fit.
    """
    placed = sorted((i for i in contents.items if i is not contents.root and i.span), key=_place)
    around = [(span[1], *naming.speaks_of(contents.root))]
    at = span[0]

    def pay(stop: int, path: SectionPath, kind: Kind) -> None:
        nonlocal at
        if stop > at:
            ledger.add(path, kind, stop - at)
            at = stop

    for item in placed:
        start, end = item.span or span
        while len(around) > 1 and around[-1][0] <= start:
            pay(*around.pop())
        stop, path, kind = around[-1]
        pay(min(start, stop), path, kind)
        around.append((min(end, stop), *naming.speaks_of(item)))
    while around:
        pay(*around.pop())


def _place(item: Item) -> tuple[int, int]:
    start, end = item.span or (0, 0)
    return start, -end
