"""Quick looks that rule a format out: at a file's name, its first and its last bytes.

A look sees no more than `Source.title`, `Source.head` and `Source.tail`, or the names in a folder.
It may be wrong in one direction only: what it lets through, the reader's `recognises` decides on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from pytest_modelsize.formats.containers import signatures
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.patterns import late

__all__ = [
    "Look",
    "Opened",
    "any_file",
    "any_folder",
    "begins",
    "holds",
    "may_be_checkpoints",
    "may_be_coreml",
    "may_be_coreml_package",
    "may_be_flax",
    "may_be_hdf5",
    "may_be_huggingface",
    "may_be_media",
    "may_be_named",
    "may_be_npz",
    "may_be_onnx",
    "may_be_openvino",
    "may_be_orbax",
    "may_be_packed",
    "may_be_pickle",
    "may_be_safetensors_index",
    "may_be_tfjs",
    "may_be_xgboost",
    "may_be_zip",
    "named",
]

Opened = Source | Folder
Look = Callable[[Opened], bool]

_CORE_ML = late(
    rb"\x08[\x01-\x63]\x12(?:\0|[\x80-\xff]{0,4}[\x01-\x7f][\x0a\x52\x5a\x62\x6a\x92\xa2\xaa])"
)
_ONNX_FIELDS = frozenset(
    bytes([tag]) for tag in b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca\xd2"
)
_PICKLES = frozenset({".pkl", ".pickle", ".joblib"})
_MSGPACK = frozenset(
    bytes([mark]) for mark in (*range(0x81, 0xA0), *range(0xC7, 0xCA), *range(0xD4, 0xE0))
)
_DTYPES = (b"float", b"int", b"bool", b"complex")
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_MEDIA = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"%PDF-", b"fLaC", b"OggS", b"ID3",
)  # fmt: skip
_NAMED = (b"CBM1", b"ftrt", b"7767517", b"\xdd\x85\x76\0", b"\x0a", bytes(16))


def _of_file(look: Callable[[Source], bool]) -> Look:
    return lambda opened: isinstance(opened, Source) and look(opened)


def _of_folder(look: Callable[[Folder], bool]) -> Look:
    return lambda opened: isinstance(opened, Folder) and look(opened)


def begins(*signatures: bytes, at: int = 0) -> Look:
    """Return the look at a file for one of the signatures at an offset within its first page."""
    return _of_file(lambda source: source.head[at:].startswith(signatures))


def named(*suffixes: str) -> Look:
    """Return the look at a file's name for one of the suffixes."""
    return _of_file(lambda source: source.title.endswith(suffixes))


def holds(*names: str) -> Look:
    """Return the look at a folder for files of all these names."""
    return _of_folder(lambda folder: all(folder.has(name) for name in names))


@_of_file
def any_file(source: Source) -> bool:
    """Rule no file out."""
    return True


@_of_folder
def any_folder(folder: Folder) -> bool:
    """Rule no folder out."""
    return True


@_of_folder
def may_be_huggingface(folder: Folder) -> bool:
    """There is a configuration, of a model or of an adapter."""
    return folder.has("config.json") or folder.has("adapter_config.json")


@_of_folder
def may_be_orbax(folder: Folder) -> bool:
    """There is a database, or the description of a checkpoint without one."""
    return folder.has("manifest.ocdbt") or folder.has("_METADATA")


@_of_folder
def may_be_coreml_package(folder: Folder) -> bool:
    """There is a manifest beside the folder that it describes."""
    return folder.has("Manifest.json") and folder.has_folder("Data")


@_of_folder
def may_be_checkpoints(folder: Folder) -> bool:
    """There is an index, or a shard."""
    return any(name.endswith(".index") or ".data-" in name for name in folder.items)


def _is_json_with(source: Source, *keys: bytes) -> bool:
    """Return whether it is a JSON object with one of the keys near its beginning or its end."""
    return (
        source.title.lower().endswith(".json")
        and source.head.lstrip().startswith(b"{")
        and any(key in source.head or key in source.tail for key in keys)
    )


@_of_file
def may_be_safetensors_index(source: Source) -> bool:
    """It is called like one, or has the map of one."""
    return source.title.endswith(".safetensors.index.json") or _is_json_with(
        source, b'"weight_map"'
    )


@_of_file
def may_be_tfjs(source: Source) -> bool:
    """It is the whole model, or the list of its weights alone."""
    if source.title.lower().endswith(".json") and source.head.lstrip().startswith(b"["):
        return b'"weights"' in source.head
    return _is_json_with(source, b'"modelTopology"', b'"weightsManifest"')


@_of_file
def may_be_coreml(source: Source) -> bool:
    """A version, then the description: its inputs, outputs, functions or metadata (Model.proto)."""
    head = source.head
    return head[:1] == b"\x08" and _CORE_ML.match(head) is not None


@_of_file
def may_be_onnx(source: Source) -> bool:
    """Fields 1 to 8, 14, 20, 25 and 26 of ModelProto (onnx.proto), as a message begins.

    A SavedModel, too, begins with a version, but the field after it is not a producer's short name.
    """
    head = source.head
    return head[:1] in _ONNX_FIELDS and not (head[2:3] == b"\x12" and head[3:4] >= b"\x80")


@_of_file
def may_be_hdf5(source: Source) -> bool:
    """The signature is in the first page."""
    return signatures.find_hdf5(source, len(source.head)) is not None


@_of_file
def may_be_pickle(source: Source) -> bool:
    """It begins with a protocol's number, or is called like a pickle; compressed ones are, too."""
    suffixes = PurePath(source.title.lower()).suffixes[-2:]
    return source.head.startswith(b"\x80") or not _PICKLES.isdisjoint(suffixes)


@_of_file
def may_be_xgboost(source: Source) -> bool:
    """An object in JSON or UBJSON that holds a learner."""
    return source.head.lstrip()[:1] == b"{" and b"learner" in source.head


@_of_file
def may_be_openvino(source: Source) -> bool:
    """XML with a net of some version."""
    return b"<net" in source.head and b"version=" in source.head


@_of_file
def may_be_flax(source: Source) -> bool:
    """A map, a list or an extension of msgpack, and a list of three somewhere in it: an array."""
    head = source.head
    return head[:1] in _MSGPACK and b"\x93" in head and any(kind in head for kind in _DTYPES)


may_be_zip = _of_file(signatures.is_zip)


@_of_file
def may_be_npz(source: Source) -> bool:
    """The first member is an array: its name and that name's length, APPNOTE.TXT 4.3.7."""
    head = source.head
    length = int.from_bytes(head[26:28], "little")
    return signatures.is_zip(source) and head[30 : 30 + length].endswith(b".npy")


@_of_file
def may_be_named(source: Source) -> bool:
    """One of the formats that `named` calls by their names: a signature, or a file beside."""
    head = source.head
    signed = head.startswith(_NAMED) or head[4:5] == b"{" or head[257:262] == b"ustar"
    return signed or source.title.endswith(".bin")


may_be_packed = begins(*_PACKED)
may_be_media = begins(*_MEDIA)
