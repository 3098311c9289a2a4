"""The tags of an XML document, each with its place.

The standard library's expat does the parsing, since it gives positions. A document that declares a
type is refused: such a declaration is where entities come from that expand without bounds, or that
name other files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.parsers import expat

from pytest_modelsize.formats.containers.part import TooManyParts
from pytest_modelsize.formats.source import ArtifactError, Source

__all__ = ["scan_tags"]

_LARGEST = 64 * 2**20
"""Bytes of a document that is opened. It is parsed in one piece, because expat before 2.6 looks at
a tag again with each piece of it that comes."""
_MOST_TAGS = 1_000_000
_DEEPEST = 200


def scan_tags(
    source: Source,
    on_start: Callable[[str, Mapping[str, str], int], None],
    on_end: Callable[[str, int], None],
) -> None:
    """Call back for each tag of the XML document that ``source`` is, in their order.

    Args:
        source: the document.
        on_start: called with an element's name, its attributes, and the byte where it begins.
        on_end: called with an element's name and the byte where its end tag is; of an element
            without one, the byte where the element is.

    Raises:
        ArtifactError: where it is not XML, or declares a type.
        TooManyParts: where it is too large, or has too many tags.
    """
    if source.size > _LARGEST:
        raise TooManyParts(f"XML of {source.size:,d} bytes")
    parser = expat.ParserCreate(namespace_separator=None)
    count = depth = 0

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > _MOST_TAGS:
            raise TooManyParts(f"XML of more than {_MOST_TAGS:,d} elements")
        if depth > _DEEPEST:
            raise source.error(parser.CurrentByteIndex, f"more than {_DEEPEST} elements in another")
        on_start(name, attributes, parser.CurrentByteIndex)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        on_end(name, parser.CurrentByteIndex)

    def refuse(*_: object) -> None:
        raise source.error(parser.CurrentByteIndex, "a document type declared, which is not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(source.read(0, source.size), True)  # noqa: FBT003 - expat takes no keywords
    except (ArtifactError, TooManyParts):
        raise
    except expat.ExpatError as error:
        at = min(max(parser.ErrorByteIndex, 0), source.size)
        raise source.error(at, f"XML expected: {expat.ErrorString(error.code)}") from error
    except (ValueError, LookupError) as error:
        raise source.error(0, f"XML expected: {error}") from error
