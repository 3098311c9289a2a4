"""``.keras``: a ZIP archive, or the same unzipped, of configuration, weights and assets.

The members are those of keras/src/saving/saving_lib.py: ``config.json``, ``metadata.json``,
``model.weights.h5`` (or ``model.weights.json`` with several ``model_NNNNN.weights.h5``) and
``assets/``.
"""

from __future__ import annotations

from contextlib import suppress

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.zip import (
    STORED,
    ZipArchive,
    ZipMember,
    list_zip,
    read_zip,
    unpack,
)
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.nested import read_inside
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.zip_archive import read_any_member
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import replace
from pytest_modelsize.sizes.shares import proportional

__all__ = ["CONFIG", "METADATA", "format", "read", "read_member", "recognises", "weights_members"]

format = "keras"
CONFIG = "config.json"
METADATA = "metadata.json"
_ASSETS = "assets/"
_WEIGHTS = ".weights.h5"
_SHARDS = "model.weights.json"
_LARGEST_TEXT = 32 * 2**20
"""Bytes of the largest configuration that is opened up; a larger one is one entry."""
_LARGEST_UNPACKED = 64 * 2**20
"""Bytes of the largest compressed weights that are inflated to look inside."""


def recognises(source: Source) -> bool:
    """Return whether the ZIP archive holds a Keras model. A broken archive holds none."""
    try:
        return {CONFIG, METADATA} <= {member.name for member in list_zip(source).members}
    except ArtifactError:
        return False


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the archive to ``ledger``.

    Raises:
        ArtifactError: where the archive, or the weights file inside it, is broken.
    """
    archive = read_zip(source)
    names = _names(source, archive)
    for member in archive.members:
        home = _home(member.name)
        ledger.add(home, Kind.STRUCTURE, member.structure)
        ledger.add(home, Kind.RESERVED, member.padding)
        content = source.window(member.offset, member.stored, member.name)
        content.names = names
        if member.method != STORED:
            extents.note(content, 0, member.stored, home)
        if member.encrypted:
            read_any_member(source, member, ledger, home[-1])
        elif member.method == STORED:
            read_member(content, member.name, ledger)
        else:
            _read_compressed(source, member, ledger, names)
    _name_waste(archive, ledger)
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), kind, size)


def read_member(source: Source, name: str, ledger: Ledger) -> None:
    """Give every byte of one member's content, or of one file of the directory, to ``ledger``.

    Args:
        source: the content.
        name: the member's name, or the path relative to the directory.
        ledger: takes the bytes.

    Raises:
        ArtifactError: where it is a weights file that is broken.
    """
    home = _home(name)
    if name.endswith(_WEIGHTS):
        # Imported where it is met: every ZIP is asked whether it is such an archive.
        from pytest_modelsize.formats.keras import weights_file

        weights_file.read(source, ledger)
    elif name in (CONFIG, METADATA) and source.size <= _LARGEST_TEXT:
        extents.note(source, 0, source.size, home)
        ledger.add_entries(home, Kind.DATA, open_configuration(source.read(0, source.size)))
    elif name == _SHARDS:
        ledger.add(home, Kind.STRUCTURE, source.size)
        extents.note(source, 0, source.size, home)
    else:
        read_inside(source, home[-1], ledger, stored=source.size, depth=source.depth + 1)


def weights_members(source: Source) -> list[ZipMember]:
    """Return the members of a Keras archive that are weights files as they stand, uncompressed.

    Raises:
        ArtifactError: where the archive is broken.
    """
    archive = read_zip(source)
    return [
        member
        for member in archive.members
        if member.name.endswith(_WEIGHTS) and member.method == STORED and not member.encrypted
    ]


def _names(source: Source, archive: ZipArchive) -> LiveNames:
    """Return what is known of the weights: by the live model, or else by its configuration."""
    if source.names.variables:
        return source.names
    from pytest_modelsize.formats.keras.variable_names import LARGEST

    for member in archive.members:
        if member.name == CONFIG and member.unpacked <= LARGEST:
            with suppress(ArtifactError):
                text = unpack(source, member, LARGEST)
                return replace(source.names, configuration=text)
    return source.names


def _home(name: str) -> SectionPath:
    """Return the entry that a member's headers belong to, and its content where it is opaque."""
    if name.endswith(_WEIGHTS) or name == _SHARDS:
        return ("weights", name)
    if name == CONFIG:
        return ("config",)
    if name == METADATA:
        return ("config", METADATA)
    return ("assets", name.removeprefix(_ASSETS) or name)


def _name_waste(archive: ZipArchive, ledger: Ledger) -> None:
    """Remark on assets that are stored again, as Keras does with a vocabulary."""
    first: dict[tuple[int, int], str] = {}
    for member in archive.members:
        if member.name.startswith(_ASSETS) and member.unpacked:
            before = first.setdefault((member.crc, member.unpacked), member.name)
            if before != member.name:
                ledger.note(_home(member.name), f"waste: the same as {before}")


def _read_compressed(source: Source, member: ZipMember, ledger: Ledger, names: LiveNames) -> None:
    """Attribute a compressed member in proportion to what it unpacks to, and say so."""
    if member.name in (CONFIG, METADATA) or member.name.endswith(_WEIGHTS):
        data = unpack(source, member, _LARGEST_UNPACKED)
        inner = Ledger()
        content = Source.of_bytes(f"{source.name}!{member.name}", data)
        content.names = names
        read_member(content, member.name, inner)
        leaves = [leaf for section in inner.sections() for leaf in section.leaves()]
        shares = proportional([leaf.size for _, leaf in leaves], member.stored)
        for (path, leaf), share in zip(leaves, shares, strict=True):
            ledger.add(path, leaf.kind or Kind.DATA, share)
        note = f"compressed, {member.unpacked:,d} B unpacked: shares of its parts are approximate"
        ledger.note(_home(member.name), note)
    else:
        read_any_member(source, member, ledger, _home(member.name)[-1])
