"""Which entry of the ledger each storage, and each byte of the pickle, belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_modelsize.formats.torch.items import Contents, Found, Item
from pytest_modelsize.formats.torch.naming import Naming
from pytest_modelsize.formats.torch.tensors import StorageId, Tensor, shown
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import dataclass, replace

__all__ = ["Owner", "charge_pickle", "owners_of", "types_and_shapes", "used_of"]

_RANK = {"weights": 0, "optimizer": 1, "config": 2}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a storage belongs to.

    Attributes:
        path: its entry in the ledger.
        note: what to remark on it.
        storage: as the pickle refers to it.
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
        if found.storage is not None:
            by_key.setdefault(found.storage.key, []).append(found)
    owners = {key: _owner(together, naming) for key, together in by_key.items()}
    return _with_notes(owners, by_key, naming)


def _owner(together: list[Found], naming: Naming) -> Owner:
    first = min(together, key=lambda found: _RANK.get(found.section, 3))
    assert first.storage is not None
    return Owner(naming.path(first.item, first.section), "", first.storage)


def _with_notes(
    owners: dict[str, Owner], by_key: dict[str, list[Found]], naming: Naming
) -> dict[str, Owner]:
    """Return the owners, each with a remark on all that is in its entry."""
    entries: dict[SectionPath, list[str]] = {}
    for key, owner in owners.items():
        entries.setdefault(owner.path, []).append(key)
    noted: dict[str, Owner] = {}
    for path, keys in entries.items():
        own: list[Found] = []
        others: dict[str, None] = {}
        waste = 0
        for key in keys:
            together = by_key[key]
            size = owners[key].storage.size
            if size is not None:
                waste += size - used_of([found.tensor for found in together], size)
            for found in together:
                named = naming.path(found.item, found.section)
                if named == path:
                    own.append(found)
                elif not found.key:
                    others["/".join(named[1:])] = None
        others.pop("/".join(path[1:]), None)
        note = _note(own, list(others), waste)
        noted.update((key, replace(owners[key], note=note)) for key in keys)
    return noted


def _note(own: list[Found], others: list[str], waste: int) -> str:
    parts = [types_and_shapes([found for found in own if found.shape is not None])]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        parts.append(f"shared with {others[0]}{more}")
    if waste > 0:
        parts.append(f"waste: {waste:,d} B of the storage are in no tensor")
    return ", ".join(filter(None, parts))


def types_and_shapes(own: Sequence[Found]) -> str:
    """Return type and shape of a tensor; of several, how many there are, and what is common."""
    alike = dict.fromkeys((found.dtype, found.shape or ()) for found in own)
    if not alike:
        return ""
    kinds = {dtype for dtype, _ in alike}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if len(own) == 1:
        return shown(*next(iter(alike)))
    if len(alike) == 1:
        return f"{len(own):,d} tensors, {shown(*next(iter(alike)))} each"
    return ", ".join(filter(None, (f"{len(own):,d} tensors", kind)))


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
    """Give every byte of the pickle at ``span`` to what it describes.

    Each byte counts for the innermost named value around it, and the elements of an array for the
    array. Spans are nested as the values are, because they were on one stack; those of a broken
    file are cut to fit.
    """
    own = _own_bytes(contents, span)
    for item, path, size, kind, note in _held(contents, naming):
        payer = _payer(item)
        taken = min(size, own.get(id(payer), 0))  # less than it claims only in a file that lies
        own[id(payer)] = own.get(id(payer), 0) - taken
        ledger.add(path, kind, taken)
        ledger.note(path, note)
    for item in contents.items:
        if length := own.get(id(item), 0):
            path, kind = naming.speaks_of(item)
            ledger.add(path, kind, length)
            if item.listed and path == ("config", *item.path()):
                ledger.note(path, item.listed)


def _held(contents: Contents, naming: Naming) -> Iterator[tuple[Item, SectionPath, int, Kind, str]]:
    """Yield what of the pickle's own bytes are elements of arrays, or bytes of another format."""
    arrays: dict[int, list[Found]] = {}
    for found in contents.found:
        if found.array is not None:
            arrays.setdefault(id(found.item), []).append(found)
    for together in arrays.values():
        first = together[0]
        sizes = [found.array for found in together if found.array is not None]
        note = types_and_shapes(together)
        packed, size = sum(a.stored for a in sizes), sum(a.size for a in sizes)
        if packed != size and not any(a.dtype.objects for a in sizes):
            note += f", stored as text: {packed:,d} B for {size:,d}"
        yield first.item, naming.path(first.item, first.section), packed, Kind.DATA, note
    for item in contents.items:
        if item.opaque:
            path = naming.path(item, "assets")
            yield item, path, item.opaque, Kind.OPAQUE, "bytes of a format of their own"


def _own_bytes(contents: Contents, span: tuple[int, int]) -> dict[int, int]:
    """Return the bytes around each named value that are of no value within it, by its id."""
    placed = sorted((i for i in contents.items if i is not contents.root and i.span), key=_place)
    around = [(span[1], contents.root)]
    at = span[0]
    own: dict[int, int] = {}

    def pay(stop: int, item: Item) -> None:
        nonlocal at
        if stop > at:
            own[id(item)] = own.get(id(item), 0) + stop - at
            at = stop

    for item in placed:
        start, end = item.span or span
        while len(around) > 1 and around[-1][0] <= start:
            pay(*around.pop())
        stop, outer = around[-1]
        pay(min(start, stop), outer)
        around.append((min(end, stop), item))
    while around:
        pay(*around.pop())
    return own


def _payer(item: Item) -> Item:
    """Return the innermost value around it whose place in the pickle is known."""
    while item.span is None and item.parent is not None:
        item = item.parent
    return item


def _place(item: Item) -> tuple[int, int]:
    start, end = item.span or (0, 0)
    return start, -end
