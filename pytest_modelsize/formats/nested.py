"""What lies in a container: opened like a file, within bounds; else one opaque entry that says why.

A member that cannot be read is no error, since nobody has called it a model. Its content is not
known, and a budget that depends on it is not checked.
"""

from __future__ import annotations

from pytest_modelsize.formats import extents, registry
from pytest_modelsize.formats.placeholders import refuse_placeholder
from pytest_modelsize.formats.source import ArtifactError, PlaceholderError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, Section, SectionPath
from pytest_modelsize.sizes.shares import rescaled

__all__ = [
    "DEEPEST",
    "LARGEST_UNPACKED",
    "add_opaque",
    "find_model",
    "may_unpack",
    "read_inside",
    "read_model",
]

DEEPEST = 4
"""Containers within containers that are opened."""
LARGEST_UNPACKED = 32 * 2**20
"""Bytes of the largest content that is unpacked to look inside."""
_MOST_RATIO = 256
"""Bytes unpacked for each byte stored: zeros apart, models compress far less."""


def may_unpack(stored: int, unpacked: int) -> bool:
    """Return whether ``stored`` bytes may be unpacked to ``unpacked`` ones to look inside."""
    return unpacked <= min(LARGEST_UNPACKED, _MOST_RATIO * stored + 65_536)


def add_opaque(ledger: Ledger, name: str, size: int, why: str, section: str = "assets") -> None:
    """Give ``size`` bytes to an entry that says that nobody has opened it."""
    ledger.add((section, name), Kind.OPAQUE, size)
    ledger.note((section, name), f"opaque: {why}")


def read_inside(
    content: Source, name: str, ledger: Ledger, *, stored: int, depth: int, packed: str = ""
) -> None:
    """Give the bytes of a member to ``ledger``: to ``section/name`` and below, for each section.

    Args:
        content: the member, unpacked.
        name: the member's name in its container.
        ledger: takes the bytes.
        stored: bytes that the member has in the container, which are shared by what it unpacks to.
        depth: containers around it.
        packed: how it is compressed; empty where it is not.

    Raises:
        PlaceholderError: where the member stands in for a model.
    """
    refuse_placeholder(content)
    if depth > DEEPEST:
        add_opaque(ledger, name, stored, f"in more than {DEEPEST} containers")
        return
    content.depth = depth
    inner = Ledger()
    try:
        registry.read(content, inner)
        sections: tuple[Section, ...] = inner.sections()
    except PlaceholderError:
        raise
    except ArtifactError as error:
        add_opaque(ledger, name, stored, f"cannot be read: {error.problem}")
        return
    if packed:
        sections = rescaled(sections, stored)
        extents.note(content, 0, content.size, ("assets", name))
    for section in sections:
        alone = [part.name for part in section.children] == [content.title]
        ledger.graft((section.name, name), section.children[0] if alone else section)
        if packed:
            note = f"{packed}, {content.size:,d} B unpacked: shares of its parts are approximate"
            own = section.children[0].note if alone else section.note
            ledger.note((section.name, name), f"{own}, {note}" if own else note)
    if not sections and stored:
        add_opaque(ledger, name, stored, "unpacks to nothing")


def find_model(content: Source) -> registry.Format | None:
    """Return the format of bytes that are a model, whatever they are called; None for others."""
    line = registry.find_artifact(content)
    return None if line is None or line.weak else line


def read_model(content: Source, path: SectionPath, ledger: Ledger, *, depth: int) -> bool:
    """Give the bytes of a model to ``ledger``: to ``section`` and ``path``, for each section.

    Args:
        content: bytes that may be a model.
        path: what they are called in what holds them.
        ledger: takes the bytes.
        depth: containers around it.

    Returns:
        Whether they are one. Nothing is entered where they are not, or where it is broken.
    """
    if depth > DEEPEST:
        return False
    content.depth = depth
    inner = Ledger()
    try:
        line = find_model(content)
        if line is None:
            return False
        format = registry.read(content, inner, line)
    except ArtifactError:
        return False
    for section in inner.sections():
        ledger.graft((section.name, *path), section)
    ledger.note(("weights", *path), f"a model of the format {format}")
    return True
