"""A file of pickles becomes sections: arrays are weights, and what describes the object is config.

Nothing is loaded: the opcodes are followed with symbols. What cannot be followed is one entry that
says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_modelsize.formats.containers.pickle import follow
from pytest_modelsize.formats.nested import read_model
from pytest_modelsize.formats.pickle.attributes import Node, nodes_of
from pytest_modelsize.formats.pickle.compressed import CUT_OFF, compression_of, unpacked
from pytest_modelsize.formats.pickle.inline import inline_array
from pytest_modelsize.formats.pickle.mirrored_state import mark_mirrored
from pytest_modelsize.formats.pickle.slots import mark_slots
from pytest_modelsize.formats.placeholders import NO_MODEL_HERE
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.shares import rescaled

__all__ = ["NOT_OPENED", "format", "read", "recognises"]

format = "pickle"
NOT_OPENED = "never loaded: what is inside is not known"
"""How the note of a pickle that was not opened ends, wherever it lies."""
_PROTO, _STOP = 0x80, b"."
_PROTOCOLS = range(2, 6)
"""Protocols that begin with their number; those before are told by suffix."""
_SUFFIXES = {".pkl", ".pickle", ".joblib"}
_MOST_PICKLES = 1000
"""Pickles behind one another in a file that are opened."""
_MOST_MODELS = 1000
"""Bytes of a format of their own that are looked at, whether they are a model."""
_OWN_ENTRY = 256
"""Bytes from which on a parameter has an entry of its own."""


def recognises(source: Source) -> bool:
    """Return whether the content is a pickle, or its name says so and the content may be one."""
    if source.size < 2:
        return False
    return _begins(source, 0) or (
        _named_so(source.title)
        and (bool(compression_of(source)) or source.read(source.size - 1, 1) == _STOP)
    )


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of ``source`` to ``ledger``."""
    compression = "" if _begins(source, 0) else compression_of(source)
    inner = Ledger()
    try:
        content = unpacked(source, compression) if compression else source
        if content is None:
            raise source.error(0, f"{compression} is not unpacked here")
        _read_all(content, inner)
    except ArtifactError as error:
        ends = error.problem != CUT_OFF if compression else source.tail.endswith(b".")
        if not ends:
            raise source.error(
                error.offset,
                f"a pickle that was cut off, so {NO_MODEL_HERE}: a save or download that broke off",
            ) from error
        home = ("weights", source.title)
        ledger.add(home, Kind.OPAQUE, source.size)
        ledger.note(home, f"{error.problem}; {NOT_OPENED}")
        return
    sections = inner.sections()
    if compression:
        sections = rescaled(sections, source.size)
    for section in sections:
        ledger.graft((section.name,), section)
    if compression:
        note = f"{compression}, {content.size:,d} B unpacked: shares of its parts are approximate"
        ledger.note(("config",), note)


def _begins(source: Source, at: int) -> bool:
    if source.size - at < 2:
        return False
    head = source.read(at, 2)
    return head[0] == _PROTO and head[1] in _PROTOCOLS


def _named_so(file_name: str) -> bool:
    return bool(_SUFFIXES & {suffix.lower() for suffix in Path(file_name).suffixes[-2:]})


def _read_all(source: Source, ledger: Ledger) -> None:
    """Read the pickles that lie behind one another in ``source``."""
    at, count = 0, 0
    while at < source.size:
        if count and (count == _MOST_PICKLES or not _begins(source, at)):
            ledger.add(("overhead", "behind the pickle"), Kind.OPAQUE, source.size - at)
            return
        value, end = follow(source, at, inline_array)
        prefix = (f"object {count}",) if count else ()
        _charge(source, nodes_of(source, value, (at, end)), prefix, ledger)
        at, count = end, count + 1


def _charge(source: Source, nodes: list[Node], prefix: SectionPath, ledger: Ledger) -> None:
    """Give each byte of a pickle to the innermost named value around it."""
    own = {id(node): length for node, length in _own_bytes(nodes)}
    mark_mirrored(source, nodes)
    unclear, tried = mark_slots(nodes), 0
    for node in nodes:
        held = node.array.stored + node.array.padding if node.array else 0
        held = node.blob.size if node.blob else held
        if not held:
            continue
        payer = _payer(node)
        held = min(held, own[id(payer)])  # less than it claims only in a file that lies
        own[id(payer)] -= held
        tried += node.blob is not None
        if tried > _MOST_MODELS or not _is_model(source, node, held, prefix, ledger):
            _place(node, held, prefix, ledger, unclear=id(node) in unclear)
    for node in nodes:
        if length := own.get(id(node), 0):
            path, kind = _home(node, length, prefix)
            ledger.add(path, kind, length)
            if (
                node.listed
                and node.parent is not None
                and path == ("config", *prefix, *node.path())
            ):
                ledger.note(path, node.listed)
    if root := nodes[0].cls:
        ledger.note(("config", *prefix), root)


def _place(node: Node, held: int, prefix: SectionPath, ledger: Ledger, *, unclear: bool) -> None:
    path = _weights(node, prefix)
    if node.array is None:
        ledger.add(path, Kind.OPAQUE, held)
        ledger.note(path, "bytes of a format of their own")
        return
    padding = min(node.array.padding, held)
    ledger.add(path, Kind.RESERVED, padding)
    ledger.add(path, Kind.OPAQUE if unclear else Kind.DATA, held - padding)
    told = ", weights or an optimizer's state: by its name alone that is not known"
    ledger.note(path, node.array.note + (told if unclear else ""))


def _is_model(source: Source, node: Node, held: int, prefix: SectionPath, ledger: Ledger) -> bool:
    """Read what a booster pickles, and whatever else is a model by itself; else return False."""
    if node.blob is None or node.blob.size != held or node.optimizer:
        return False
    content = source.window(node.blob.start, held, node.name)
    return read_model(content, _weights(node, prefix)[1:], ledger, depth=source.depth + 1)


def _weights(node: Node, prefix: SectionPath) -> SectionPath:
    return ("optimizer" if node.optimizer else "weights", *prefix, *(node.path() or ("(array)",)))


def _home(node: Node, length: int, prefix: SectionPath) -> tuple[SectionPath, Kind]:
    """Return where the bytes that describe a value are entered."""
    if node.array is not None or node.arrays or node.optimizer:
        return _weights(node, prefix), Kind.STRUCTURE
    path = node.path()
    if path and length < _OWN_ENTRY and not node.cls:
        path = path[:-1]
    return ("config", *prefix, *path), Kind.DATA if path else Kind.STRUCTURE


def _payer(node: Node) -> Node:
    """Return the innermost value around it whose place in the pickle is known."""
    while node.span is None and node.parent is not None:
        node = node.parent
    return node


def _own_bytes(nodes: list[Node]) -> Iterator[tuple[Node, int]]:
    """Yield each value that has a place with the bytes there that are of no value within it."""
    placed = [(node, *node.span) for node in nodes if node.span is not None]
    placed.sort(key=lambda entry: (entry[1], -entry[2]))
    around: list[tuple[Node, int, int]] = []
    at = placed[0][1] if placed else 0
    own: dict[int, int] = {}

    def pay(node: Node, stop: int) -> None:
        nonlocal at
        if stop > at:
            own[id(node)] = own.get(id(node), 0) + stop - at
            at = stop

    for node, start, end in placed:
        while around and around[-1][2] <= start:
            pay(around[-1][0], around[-1][2])
            around.pop()
        if around:
            pay(around[-1][0], min(start, around[-1][2]))
        within = min(end, around[-1][2]) if around else end
        around.append((node, start, within))
    while around:
        node, _, end = around.pop()
        pay(node, end)
    for node, _, _ in placed:
        yield node, own.get(id(node), 0)
