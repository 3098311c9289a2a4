"""Settles what a reader of a FlatBuffer has claimed: cuts, gaps and padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.flatbuffer import Claim, FlatBuffer
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["settle"]

_PADDING = 64
"""Bytes of zeros that may lie between two structures, to align the second."""


def settle(
    buffer: FlatBuffer,
    ledger: Ledger,
    *,
    padding: int = _PADDING,
    appended: Callable[[int], int] = lambda position: position,
) -> None:
    """Give every byte of the buffer's source to ``ledger``.

    Args:
        buffer: whose structures are claimed.
        ledger: takes the bytes.
        padding: below so many bytes, zeros between two structures align the second.
        appended: accounts for what follows the last structure, and returns where that ends.

    Raises:
        ArtifactError: where structures overlap.
    """
    source, position = buffer.source, 0
    for claim in _trimmed(buffer):
        _gap(source, ledger, position, claim.start, padding)
        ledger.add(claim.owner, claim.kind, claim.end - claim.start)
        size, content = claim.end - claim.start, claim.kind is Kind.DATA
        extents.note(source, claim.start, size, claim.owner, content=content)
        position = claim.end
    if position < source.size:
        position = appended(position)
    _gap(source, ledger, position, source.size, padding)


def _trimmed(buffer: FlatBuffer) -> Iterator[Claim]:
    """Yield the claims, tables cut to their fields where the next structure begins."""
    held: Claim | None = None
    for claim in sorted(buffer.claims, key=lambda claim: (claim.start, claim.end)):
        if held is not None:
            if claim.start < held.end:
                if claim.start < held.least:
                    raise buffer.error(claim.start, "two structures overlap here")
                held.end = claim.start
            yield held
        held = claim
    if held is not None:
        yield held


def _gap(source: Source, ledger: Ledger, start: int, end: int, padding: int) -> None:
    if end <= start:
        return
    if end - start < padding and not any(source.read(start, end - start)):
        ledger.add(("overhead", "padding"), Kind.RESERVED, end - start)
    else:
        ledger.add(("overhead", "not known here"), Kind.SLACK, end - start)
