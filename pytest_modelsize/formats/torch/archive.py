"""What ``torch.save`` and ``torch.jit.save`` write: a ZIP archive of a pickle and its storages.

Below one folder, named after the file: ``data.pkl``, and ``data/<key>`` for each storage
(torch/serialization.py, ``_save``; caffe2/serialize/inline_container.cc). TorchScript has
``constants.pkl`` with ``constants/<key>``, and sources below ``code/`` besides
(torch/csrc/jit/serialization/export_module.cpp). ``torch.package`` has any number of pickles, with
all their storages in ``.data/<key>.storage`` (torch/package/package_exporter.py).
"""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.pickle.machine import follow
from pytest_modelsize.formats.containers.zip import (
    STORED,
    ZipArchive,
    ZipMember,
    unpack,
)
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.archive_root import PACKAGE, PICKLE
from pytest_modelsize.formats.torch.items import Found
from pytest_modelsize.formats.torch.naming import Naming
from pytest_modelsize.formats.torch.owners import Owner, charge_pickle, owners_of, types_and_shapes
from pytest_modelsize.formats.torch.state import contents_of
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = ["read_saved"]

_LARGEST_UNPACKED = 32 * 2**20
"""Bytes of the largest compressed pickle that is inflated to look inside."""
_CONSTANTS = "constants.pkl"
_PICKLES = {PICKLE: "data/", _CONSTANTS: "constants/"}
"""Pickles, and where the storages that each speaks of are."""
_STORAGE = ".storage"
_MOST_PICKLES = 1000
_LONGEST_TEXT = 2**20
_CODE = "code/"
_EXTRA = "extra/"
_TOGETHER = ("version", "byteorder", ".format_version", ".storage_alignment", ".data/")
"""What keeps the archive itself together."""


@dataclass(frozen=True, slots=True)
class _Pickle:
    """A pickle of the archive.

    Attributes:
        home: the entry that its member's headers go with.
        content: what its bytes are spent on, which add up to its unpacked size.
        owners: of storages, by the names of their members.
    """

    home: tuple[SectionPath, Kind]
    content: Ledger
    owners: dict[str, Owner]


def read_saved(source: Source, archive: ZipArchive, root: str, ledger: Ledger) -> str:
    """Give every byte of the archive's members to ``ledger``; return the format.

    That is ``torch``, ``torchscript`` or ``torch_package``.

    Raises:
        ArtifactError: where a pickle is broken, or refers to storages that are not there.
    """
    by_name = {member.name: member for member in archive.members}
    package = root + PACKAGE in by_name
    pickles = {
        root + name: _read_pickle(source, by_name, root, name, places)
        for name, places in (_in_package(by_name, root) if package else _places()).items()
        if root + name in by_name
    }
    owners = {name: owner for pickle in pickles.values() for name, owner in pickle.owners.items()}
    for member in archive.members:
        if member.name in pickles:
            _charge_pickle_member(member, pickles[member.name], ledger)
        elif member.name in owners:
            owner = owners[member.name]
            extents.note(source, member.offset, member.stored, owner.path)
            charge(member, owner.path, Kind.DATA, ledger, owner.note)
        else:
            name = member.name.removeprefix(root)
            path, kind = _home_in_package(name) if package else _home(name)
            if path[0] == "assets" and not _is_text(source, member):
                kind = Kind.OPAQUE
            charge(member, path, kind, ledger)
    if package:
        return "torch_package"
    return "torchscript" if any(n.startswith(root + _CODE) for n in by_name) else "torch"


def charge(
    member: ZipMember, path: SectionPath, kind: Kind, ledger: Ledger, note: str = ""
) -> None:
    """Give a member with all that the archive needs for it to one entry."""
    ledger.add(path, Kind.STRUCTURE, member.structure)
    ledger.add(path, Kind.RESERVED, member.padding)
    ledger.add(path, kind, member.stored)
    if member.method != STORED:
        packed = f"compressed, {member.unpacked:,d} B unpacked"
        note = f"{note}, {packed}" if note else packed
    if note:
        ledger.note(path, note)


def _places() -> dict[str, tuple[str, str]]:
    """Return how names of storages begin and end, by the pickle that refers to them."""
    return {name: (folder, "") for name, folder in _PICKLES.items()}


def _in_package(by_name: dict[str, ZipMember], root: str) -> dict[str, tuple[str, str]]:
    """Return how names of storages begin and end, by the pickle of a package that names them."""
    names = (name.removeprefix(root) for name in by_name if name.endswith(".pkl"))
    found = [name for name in names if not name.startswith((".data/", *_PICKLES))]
    return dict.fromkeys(found[:_MOST_PICKLES], (".data/", _STORAGE))


def _is_text(source: Source, member: ZipMember) -> bool:
    """Return whether what a user put beside a model is text, so that nothing hides in it."""
    if member.method != STORED or member.encrypted or member.stored > _LONGEST_TEXT:
        return False
    try:
        text = source.read(member.offset, member.stored).decode()
    except UnicodeDecodeError:
        return False
    return "\0" not in text


def _read_pickle(
    source: Source,
    by_name: dict[str, ZipMember],
    root: str,
    name: str,
    places: tuple[str, str],
) -> _Pickle:
    member = by_name[root + name]
    shown = f"{source.name}!{member.name}"
    if member.method == STORED and not member.encrypted:
        stream = source.window(member.offset, member.stored, member.name)
    else:
        stream = Source.of_bytes(shown, unpack(source, member, _LARGEST_UNPACKED))
    value, end = follow(stream)
    contents = contents_of(stream, value, (0, end))
    naming = Naming(contents)
    owners: dict[str, Owner] = {}
    constants: dict[str, list[Found]] = {}
    for tensor in contents.found if name == _CONSTANTS else ():
        if tensor.storage is not None and tensor.shape is not None:
            constants.setdefault(tensor.storage.key, []).append(tensor)
    for key, owner in owners_of(contents, naming).items():
        held = f"{root}{places[0]}{key}{places[1]}"
        found = by_name.get(held)
        if found is None:
            raise stream.error(owner.storage.at, f"a storage in {held!r}, which is not there")
        if owner.storage.size not in (None, found.unpacked):
            raise stream.error(
                owner.storage.at,
                f"a storage of {owner.storage.size:,d} bytes, but {held!r} has {found.unpacked:,d}",
            )
        if name == _CONSTANTS:
            # Code names them by number, those of a frozen module, too: its weights.
            path = ("weights", f"constants/{key}")
            owners[held] = Owner(path, types_and_shapes(constants.get(key, [])), owner.storage)
        else:
            owners[held] = owner
    content = Ledger()
    if end < stream.size:  # where no unpickler reads on
        content.add(("overhead", name), Kind.SLACK, stream.size - end)
    if name == _CONSTANTS:
        content.add(("graph", name), Kind.DATA, end)
        return _Pickle((("graph", name), Kind.DATA), content, owners)
    charge_pickle(content, contents, naming, (0, end))
    return _Pickle(naming.speaks_of(contents.root), content, owners)


def _charge_pickle_member(member: ZipMember, pickle: _Pickle, ledger: Ledger) -> None:
    path, kind = pickle.home
    if member.method != STORED:
        charge(member, path, kind, ledger)
        return
    ledger.add(path, Kind.STRUCTURE, member.structure)
    ledger.add(path, Kind.RESERVED, member.padding)
    for section in pickle.content.sections():
        ledger.graft((section.name,), section)


def _home(name: str) -> tuple[SectionPath, Kind]:
    """Return the entry of a member that no pickle refers to, and what its content is."""
    if name.startswith(_CODE):
        return ("graph", name), Kind.DATA
    if name.startswith(_EXTRA):
        return ("assets", name), Kind.DATA
    if name.startswith(tuple(_PICKLES.values())):
        return ("overhead", "unused storages", name), Kind.SLACK
    if name.startswith(_TOGETHER):
        return ("overhead", name), Kind.STRUCTURE
    if name.endswith(".pkl"):
        return ("graph", name), Kind.DATA
    return ("assets", name or "(no name)"), Kind.DATA


def _home_in_package(name: str) -> tuple[SectionPath, Kind]:
    """Return the entry of a member of a package that no pickle refers to, and what it holds."""
    if name.startswith(".data/ts_code/") or name.endswith(".py"):
        return ("graph", name), Kind.DATA
    if name.endswith(_STORAGE) and name.startswith(".data/"):
        return ("overhead", "unused storages", name), Kind.SLACK
    if name.startswith(_TOGETHER):
        return ("overhead", name), Kind.STRUCTURE
    return ("assets", name or "(no name)"), Kind.DATA
