"""OpenVINO's IR: a graph in XML, and its constants one after the other in the ``.bin`` beside it.

docs/articles_en/documentation/openvino-ir-format of github.com/openvinotoolkit/openvino, and
src/core/xml_util: each constant says where it lies in the ``.bin``; equal constants share a place.
The XML does not name the ``.bin``, which has the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.containers.part import TooManyParts
from pytest_modelsize.formats.containers.xml_scanner import scan_tags
from pytest_modelsize.formats.dotted_names import Homes
from pytest_modelsize.formats.openvino.tags import LayerTags, PlacedConstant
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.patterns import late

__all__ = ["companions", "format", "read", "recognises"]

format = "openvino"
_BEGINS = late(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<net\s[^>]*version=[^>]*>"
    rb"\s*<(?:layers|pre-process|meta_data)\b",
    re.DOTALL,
)
_MOST_NAMED = 20_000
"""Layers that have entries of their own."""
_PADDING = 64
"""Bytes below which what lies between two constants is there to align them."""


def recognises(source: Source) -> bool:
    """Return whether the XML is of such a graph: a ``net`` with a version, and layers in it."""
    return _BEGINS.match(source.head) is not None


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the XML, and of the ``.bin`` beside it, to ``ledger``.

    Raises:
        ArtifactError: where the XML is broken, the ``.bin`` is missing though there are constants,
            or these overlap or leave it.
    """
    tags = LayerTags(source)
    try:
        scan_tags(source, tags.start, tags.end)
    except TooManyParts as error:
        ledger.add(("graph", source.title), Kind.OPAQUE, source.size)
        ledger.note(("graph", source.title), f"not opened: {error}")
        with open_beside(source, _data(source)) as data:
            ledger.add(("weights", data.title), Kind.OPAQUE, data.size)
        return
    tags.close()
    homes = _homes(tags)
    for part in tags.parts:
        home = homes[part.constant] if part.constant else part.home
        if not part.constant and len(tags.parts) > _MOST_NAMED:
            home = home[:3]
        structure = bool(part.constant) or home == ("graph",)
        ledger.add(home, Kind.STRUCTURE if structure else Kind.DATA, part.size)
    if any(claim.start < claim.end for claim in tags.constants) or _there(source):
        with open_beside(source, _data(source)) as data:
            _settle(data, tags.constants, homes, ledger)
            told = f"{data.size:,d} B of the whole are beside the graph, in {data.title}"
            ledger.note(("weights",), told)


def companions(source: Source) -> frozenset[Path]:
    """Return the ``.bin`` of the same name, if there is one."""
    return frozenset({beside(source, _data(source))} if _there(source) else ())


def _data(source: Source) -> str:
    return PurePath(source.title).with_suffix(".bin").name


def _there(source: Source) -> bool:
    return source.folder is not None and beside(source, _data(source)).is_file()


def _homes(tags: LayerTags) -> dict[str, SectionPath]:
    """Return the entry of each constant; names are parted at slashes and dots."""
    names = {part.constant for part in tags.parts if part.constant}
    names |= {claim.name for claim in tags.constants}
    parted = Homes(name.replace("/", ".") for name in names)
    return {name: parted.of(name.replace("/", ".")) for name in names}


def _settle(
    data: Source,
    constants: Sequence[PlacedConstant],
    homes: Mapping[str, SectionPath],
    ledger: Ledger,
) -> None:
    position, last = 0, None
    for claim in sorted(constants, key=lambda claim: (claim.start, claim.end)):
        home = homes[claim.name]
        if claim.start == claim.end:
            ledger.note(home, claim.note)
            continue
        if claim.end > data.size:
            raise data.error(
                min(claim.start, data.size),
                f"{claim.name!r:.80} claims bytes {claim.start:,d} to {claim.end:,d} of "
                f"{data.size:,d}",
            )
        if last is not None and (claim.start, claim.end) == (last.start, last.end):
            ledger.note(home, f"{claim.note}, shared with {last.name}")
            continue
        if claim.start < position:
            raise data.error(claim.start, f"{claim.name!r:.80} overlaps another constant here")
        _gap(data, claim.start - position, ledger)
        ledger.add(home, Kind.DATA, claim.end - claim.start)
        ledger.note(home, claim.note)
        extents.note(data, claim.start, claim.end - claim.start, home)
        position, last = claim.end, claim
    _gap(data, data.size - position, ledger)


def _gap(data: Source, size: int, ledger: Ledger) -> None:
    if size:
        small = size < _PADDING
        kind = Kind.RESERVED if small else Kind.SLACK
        ledger.add(("overhead", data.title, "padding" if small else "unused"), kind, size)
