"""A ZIP archive of anything: each member is opened like a file."""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.zip import STORED, ZipMember, read_zip, unpack
from pytest_modelsize.formats.nested import add_opaque, may_unpack, read_inside
from pytest_modelsize.formats.placeholders import NO_MODEL_HERE, named_like_a_model
from pytest_modelsize.formats.source import ArtifactError, PlaceholderError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "read_any_member", "recognises"]

format = "zip"
_DEFLATED = 8


def recognises(source: Source) -> bool:
    """Return True: it begins as an archive does, and nobody else knows what is in it."""
    return True


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the archive to ``ledger``.

    Raises:
        ArtifactError: where the archive is broken. A broken member is opaque, and says so.
    """
    archive = read_zip(source)
    if not archive.members and named_like_a_model(source.title):
        raise PlaceholderError(source.name, None, f"an archive of nothing, so {NO_MODEL_HERE}")
    for member in archive.members:
        home = ("assets", member.name or "(no name)")
        ledger.add(home, Kind.STRUCTURE, member.structure)
        ledger.add(home, Kind.RESERVED, member.padding)
        read_any_member(source, member, ledger, home[1])
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), Kind.OPAQUE if kind is Kind.DATA else kind, size)


def read_any_member(source: Source, member: ZipMember, ledger: Ledger, name: str) -> None:
    """Give the stored bytes of a member to ``ledger``, under ``name``."""
    window = source.window(member.offset, member.stored, member.name)
    if member.method != STORED:
        extents.note(window, 0, member.stored, ("assets", name))
    if member.encrypted or member.method not in (STORED, _DEFLATED):
        why = "encrypted" if member.encrypted else f"compressed by method {member.method}"
        add_opaque(ledger, name, member.stored, why)
        return
    depth = source.depth + 1
    if member.method == STORED:
        read_inside(window, name, ledger, stored=member.stored, depth=depth)
        return
    if not may_unpack(member.stored, member.unpacked):
        why = f"unpacks to {member.unpacked:,d} B, more than is looked into"
        add_opaque(ledger, name, member.stored, why)
        return
    try:
        data = unpack(source, member, member.unpacked)
    except ArtifactError as error:
        add_opaque(ledger, name, member.stored, error.problem)
        return
    content = Source.of_bytes(window.name, data)
    content.title = window.title
    read_inside(content, name, ledger, stored=member.stored, depth=depth, packed="compressed")
