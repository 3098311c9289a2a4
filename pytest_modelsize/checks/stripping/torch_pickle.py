"""The pickle of a PyTorch archive with a change: entries left out, storages and names replaced."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from pytest_modelsize.checks.stripping.archives import laid_out, storages_of
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.checks.stripping.pickles import (
    NoAnswer,
    Op,
    Plan,
    RewrittenStorage,
    ops_of,
    rewritten,
)
from pytest_modelsize.checks.stripping.torch_storages import Placed, narrowed, tied, tightened
from pytest_modelsize.formats.containers.pickle.machine import follow
from pytest_modelsize.formats.containers.zip import ZipArchive
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.items import Contents, Item
from pytest_modelsize.formats.torch.naming import Naming
from pytest_modelsize.formats.torch.slots.names import like_an_optimizer
from pytest_modelsize.formats.torch.state import contents_of
from pytest_modelsize.formats.torch.tensors import StorageId
from pytest_modelsize.sizes.measurement import SectionPath

__all__ = ["SavedArchive"]

_BATCH = 1000
"""Items that `pickle` writes at once (Modules/_pickle.c, ``BATCHSIZE``)."""


class SavedArchive:
    """An archive of ``torch.save``, and what its pickle would be with a change.

    Raises:
        NoAnswer: where the archive is not written as PyTorch writes it.
    """

    def __init__(self, archive: ZipArchive, root: str, pickle: Source) -> None:
        self.archive, self.root = archive, root
        value, end = follow(pickle)
        self.contents = contents_of(pickle, value, (0, end))
        self.naming = Naming(self.contents)
        self.ops = ops_of(pickle)
        self.sizes = storages_of(archive, root)
        self.placed = [
            Placed(found, found.storage, self.naming.path(found.item, found.section))
            for found in self.contents.found
            if found.storage is not None
        ]
        self.plain = {held.storage.at: self._as_it_is(held.storage) for held in self.placed}
        if len(self.plain) != sum(op.name == "BINPERSID" for op in self.ops):
            raise NoAnswer
        size, storages = rewritten(self.ops, Plan(self.plain))
        same = size == pickle.size and laid_out(
            archive, root, pickle=size, storages=storages
        ) == laid_out(archive, root)
        if not same:
            raise NoAnswer

    def _as_it_is(self, storage: StorageId) -> RewrittenStorage:
        if storage.key not in self.sizes:
            raise NoAnswer
        return RewrittenStorage(storage.key, self.sizes[storage.key])

    def with_change(self, change: Change) -> int:
        """Return the bytes of the archive with ``change``."""
        gone = _all_state(self.contents) if change.state else set()
        if change.without:
            gone |= self._left_out(change.without)
        spans, saved = _cut(self.contents, gone, self.ops) if gone else ((), 0)
        if (change.state or change.without) and not spans:
            raise NoAnswer
        kept = [held for held in self.placed if not _inside(held.storage.at, spans)]
        stored = dict(self.plain)
        if change.tight:
            stored.update(tightened(kept, self.sizes))
        if change.narrowed:
            stored.update(narrowed(kept, dict(change.narrowed), stored))
        if change.tied:
            stored.update(tied(kept, dict(change.tied), stored))
        if change.turned:
            raise NoAnswer
        names = self._renamed(dict(change.renamed))
        plan = Plan(stored=stored, spans=spans, saved=saved, names=names)
        size, storages = rewritten(self.ops, plan)
        return laid_out(self.archive, self.root, pickle=size, storages=storages)

    def _left_out(self, paths: frozenset[SectionPath]) -> set[int]:
        """Return the ids of the values that belong to the entries ``paths``."""
        gone: set[int] = set()
        met: set[SectionPath] = set()
        tensors: dict[int, list[SectionPath]] = defaultdict(list)
        for found in self.contents.found:
            if not found.key:
                tensors[id(found.item)].append(self.naming.path(found.item, found.section))
        for item in self.contents.items:
            own = tensors.get(id(item))
            whole = item.sections if own is None else ()
            path = own[0] if own else self.naming.speaks_of(item)[0]
            if path in paths and not whole and item.parent is not None:
                gone.add(id(item))
                met.add(path)
        if met != paths:
            raise NoAnswer
        gone |= self._objects_without(gone)
        left = Counter(id(item.parent) for item in self.contents.items)
        for item in reversed(self.contents.items):
            if left.get(id(item)) == 0:
                gone.add(id(item))
            if id(item) in gone:
                left[id(item.parent)] -= 1
        gone.discard(id(self.contents.root))
        return gone

    def _objects_without(self, gone: set[int]) -> set[int]:
        """Return the ids of objects that are left without any of their tensors: modules."""
        kept: set[int] = set()
        held: dict[int, Item] = {}
        for found in self.contents.found:
            item: Item | None = found.item
            stays = not found.key and id(found.item) not in gone
            while item is not None and not (stays and id(item) in kept):
                if stays:
                    kept.add(id(item))
                held[id(item)] = item
                item = item.parent
        return {at for at, item in held.items() if item.object and at not in kept}

    def _renamed(self, names: Mapping[SectionPath, str]) -> dict[int, int]:
        """Return the bytes of each new name, by where in the pickle it is to stand."""
        found: dict[int, int] = {}
        for held in self.placed:
            name = names.get(held.path)
            if name is None:
                continue
            if held.found.item.span is None or held.found.item.key != held.path[-1]:
                raise NoAnswer
            found[held.found.item.span[0]] = len(name.encode())
        if len(found) != len(names):
            raise NoAnswer
        return found


def _inside(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _cut(
    contents: Contents, gone: set[int], ops: Sequence[Op]
) -> tuple[tuple[tuple[int, int], ...], int]:
    """Return where the outermost values are that are left out, and bytes that go with them."""
    spans: list[tuple[int, int]] = []
    parents: Counter[int] = Counter()
    siblings: dict[int, list[Item]] = defaultdict(list)
    for item in contents.items:
        siblings[id(item.parent)].append(item)
        if id(item) not in gone or (item.parent is not None and id(item.parent) in gone):
            continue
        if item.span is None or item.parent is None or item.parent.object:
            raise NoAnswer
        spans.append(item.span)
        parents[id(item.parent)] += 1
    if spans and contents.root.role == "optimizer":
        raise NoAnswer
    places = {op.start: number for number, op in enumerate(ops)}
    saved = 0
    for parent, count in parents.items():
        held = siblings[parent]
        left = len(held) - count
        if parent == id(contents.root) and not left:
            raise NoAnswer
        if len(held) > 1:
            first = min(item.span or (0, 0) for item in held)[0]
            at = places.get(first, 0)
            plain = at > 2 and ops[at - 3].name == "EMPTY_DICT"
            saved += _marks(len(held), plain=plain) - _marks(left, plain=plain)
    return tuple(sorted(spans)), saved


def _marks(items: int, *, plain: bool) -> int:
    """Return the bytes around the items of a dictionary.

    Modules/_pickle.c, ``batch_dict_exact`` for a plain one, ``batch_dict`` for its subclasses.
    """
    batches, rest = divmod(items, _BATCH)
    if items < 2:
        return items
    return 2 * (batches + 1) if plain else 2 * batches + min(rest, 2)


def _all_state(contents: Contents) -> set[int]:
    """Return the ids of the values that are an optimizer's, with all that is in them."""
    mixed: set[int] = set()
    whole: set[int] = set()
    for item in reversed(contents.items):  # what is in a value comes behind it
        if item.parent is None:
            continue
        beside = item.parent.keeps and not item.sections
        only = item.sections == {"optimizer"}
        # Its hyper-parameters, and weights that are pickled with it, go with an optimizer.
        own = item.state or (item.role == "optimizer" and "optimizer" in item.sections)
        named = like_an_optimizer(item.key) or item.optimizer_class
        if own or beside or (only and (named or id(item) not in mixed)):
            whole.add(id(item))
        else:
            mixed.add(id(item.parent))
    return whole
