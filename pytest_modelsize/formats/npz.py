"""NumPy's archive of arrays: a ZIP in which each member is an ``.npy`` (numpy/lib/_npyio_impl.py).

An archive says nothing of what its arrays are for. They are weights where one at least is called
as a parameter is, or lies in a layer (``params/Dense_0/kernel``); an optimizer's are those of them
that repeat the names and shapes of others. Otherwise, as in ``arr_0``, all of it may be data as
well: such arrays have type and shape, and stay opaque.
"""

from __future__ import annotations

import re

from pytest_modelsize.formats import extents, npy, zip_archive
from pytest_modelsize.formats.containers.zip import STORED, ZipMember, read_zip, unpack_head
from pytest_modelsize.formats.slot_names import is_slot_name, prefixes_of
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.torch.slots import Leaf, state_among
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["format", "read", "recognises"]

format = "npz"
_SUFFIX = ".npy"
_MOST_ARRAYS = 20_000
_DEEPEST = 16
_OBJECTS = "object"
_PARAMETER = late(
    r"weights?|bias(es)?|kernels?|gamma|beta|embeddings?|filters?|coefs?|intercepts?|theta|params?"
    r"|moving_(mean|variance)|running_(mean|var)|scale|[wbu]",
)
"""What parameters are called; digits around, and words before, are left out."""


class _Array(NamedTuple):
    """A member, and what its header says; `dtype` is empty where that could not be read."""

    member: ZipMember
    name: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    start: int = 0
    problem: str = ""


def recognises(source: Source) -> bool:
    """Return True: the first member is an array."""
    return True


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte of the archive to ``ledger``; return what it is: with other members a ZIP.

    Raises:
        ArtifactError: where the archive is broken.
    """
    archive = read_zip(source)
    members = archive.members
    if len(members) > _MOST_ARRAYS or not all(m.name.endswith(_SUFFIX) for m in members):
        zip_archive.read(source, ledger)
        return zip_archive.format
    arrays = [_array(source, member) for member in members]
    known = [array for array in arrays if array.dtype not in ("", _OBJECTS)]
    trained = ("float", "bfloat", "complex")
    state = state_among(
        (_dotted(a.name), Leaf(a.shape, a.dtype.startswith(trained))) for a in known
    )
    named = any(_is_parameter(array.name) for array in known)
    shapes = {array.name: array.shape for array in known}
    for array in arrays:
        serves = _dotted(array.name) in (state or ()) or _repeats(array.name, shapes)
        _enter(source, array, ledger, named=named, serves=serves)
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), Kind.OPAQUE if kind is Kind.DATA else kind, size)
    return format


def _array(source: Source, member: ZipMember) -> _Array:
    """Read a member's header, which may be all of it that is unpacked."""
    name = member.name.removesuffix(_SUFFIX)
    try:
        data = unpack_head(source, member, npy.LONGEST_HEADER + 12)
        head = Source.of_bytes(f"{source.name}!{member.name}", data)
        if not npy.recognises(head):
            return _Array(member=member, name=name, problem="no header of an array")
        dtype, shape, size, start = npy.read_header(head)
    except ArtifactError as error:
        return _Array(member=member, name=name, problem=error.problem)
    if dtype == _OBJECTS:
        return _Array(
            member=member,
            name=name,
            dtype=dtype,
            shape=shape,
            start=start,
            problem="pickled: never loaded",
        )
    if size is not None and start + size != member.unpacked:
        return _Array(member=member, name=name, problem="another size than its header says")
    return _Array(member=member, name=name, dtype=dtype, shape=shape, start=start)


def _enter(source: Source, array: _Array, ledger: Ledger, *, named: bool, serves: bool) -> None:
    """Account for an array: ``named`` where the archive is one of parameters."""
    member = array.member
    note = type_and_shape(array.dtype, array.shape) if array.dtype else ""
    section, kind = "weights" if named else "assets", Kind.DATA
    if array.problem:
        kind, note = Kind.OPAQUE, ", ".join(filter(None, (note, f"opaque: {array.problem}")))
    elif serves:
        section = "optimizer"
    elif npy.may_be_state(array.name):
        kind, note = Kind.OPAQUE, f"{note}, weights or an optimizer's state: its name does not tell"
    elif not named:
        kind, note = Kind.OPAQUE, f"opaque: {note}, weights, state or data: no name tells"
    home: SectionPath = (section, *array.name.split("/", _DEEPEST))
    header = min(array.start, member.stored) if member.method == STORED else 0
    ledger.add(home, Kind.STRUCTURE, member.structure + header)
    ledger.add(home, Kind.RESERVED, member.padding)
    ledger.add(home, kind, member.stored - header)
    if member.method != STORED:
        note = f"{note}, compressed, {member.unpacked:,d} B unpacked"
    ledger.note(home, note)
    extents.note(source, member.offset + header, member.stored - header, home)


def _is_parameter(name: str) -> bool:
    """Return whether an array of that name lies in a layer, or is called as a parameter is."""
    if re.search(r"[^/.][/.][^/.]", name):
        return True
    last = re.sub(r"^[\d_]+|[\d_]+$", "", name.lower())
    words = last.split("_")
    tails = ("_".join(words[start:]) for start in range(len(words)))
    return any(_PARAMETER.fullmatch(tail) for tail in tails)


def _repeats(name: str, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Return whether an array is called as a slot of another one that it has the shape of."""
    return any(
        base in shapes and shapes[base] == shapes.get(name) and is_slot_name(added)
        for base, added in prefixes_of(name)
    )


def _dotted(name: str) -> str:
    return name.replace("/", ".")
