"""Every format, in the order in which it is tried: one line each, for files and folders alike.

A line has the format's name, the module that reads it, and a look at the name and the first and
last bytes (of a folder, at the names in it) that rules it out for next to nothing. The module is
imported only where the look rules nothing out, and has the last word: `Reader` says what it must
have. What is read, what a file leads, and what counts as one artifact all follow from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path, PurePath

from pytest_modelsize.formats.containers import signatures
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytest_modelsize.formats.reader import Reader, Together

__all__ = [
    "FORMATS",
    "Format",
    "Opened",
    "claimed_by",
    "find_artifact",
    "find_format",
    "leads",
    "read",
]

Opened = Source | Folder
_Look = Callable[[Opened], bool]


@dataclass(frozen=True, slots=True)
class Format:
    """A line of the table.

    Attributes:
        name: the format; what a reader returns may be more exact.
        module: what reads it, a `Reader` below `formats`.
        look: whether it may be this format. It sees no more than `Source.head` and `Source.tail`,
            or the names in a folder.
        claims: suffixes under which nothing else is written, and what content of this format is
            said to begin with.
        leads: suffixes of files that may name others, which are read before these.
        shares: several may name the same file, so its reader is a `Together` besides.
        weak: what it holds is not known, so it does not prove that there is a model.
        anything: it takes whatever there is: an artifact only where someone says so.
        whole: a folder of this format is one artifact, and what is in it is no other.
    """

    name: str
    module: str
    look: _Look
    claims: Mapping[str, str] = field(default_factory=dict)
    leads: tuple[str, ...] = ()
    shares: bool = False
    weak: bool = False
    anything: bool = False
    whole: bool = False

    @property
    def reader(self) -> Reader[Any]:
        """The module, imported when it is first asked for."""
        module: Any = import_module(f"pytest_modelsize.formats.{self.module}")
        reader: Reader[Any] = module
        return reader

    @property
    def together(self) -> Together:
        """The module of a format whose files may share others."""
        module: Any = self.reader
        together: Together = module
        return together

    def recognises(self, opened: Opened) -> bool:
        """Return whether ``opened`` is of this format."""
        return self.look(opened) and self.reader.recognises(opened)

    def format_of(self, opened: Opened) -> str:
        """Return the name of the format, which readers of other packages tell themselves."""
        told: Callable[[Opened], str] | None = getattr(self.reader, "format_of", None)
        return self.name if told is None else told(opened)

    def companions(self, source: Source) -> frozenset[Path]:
        """Return the files that ``source`` names, as far as a quick look tells."""
        named: Callable[[Source], frozenset[Path]] | None = getattr(self.reader, "companions", None)
        return frozenset() if named is None else named(source)


def _file(look: Callable[[Source], bool]) -> _Look:
    return lambda opened: isinstance(opened, Source) and look(opened)


def _folder(look: Callable[[Folder], bool]) -> _Look:
    return lambda opened: isinstance(opened, Folder) and look(opened)


def _begins(*signatures: bytes, at: int = 0) -> _Look:
    return _file(lambda source: source.head[at:].startswith(signatures))


def _named(*suffixes: str) -> _Look:
    return _file(lambda source: source.title.endswith(suffixes))


def _json(*keys: bytes) -> _Look:
    """A JSON object with one of the keys near its beginning or its end."""
    return _file(
        lambda source: (
            source.title.lower().endswith(".json")
            and source.head.lstrip().startswith(b"{")
            and any(key in source.head or key in source.tail for key in keys)
        )
    )


def _holds(*names: str) -> _Look:
    return _folder(lambda folder: all(folder.has(name) for name in names))


def _configured(folder: Folder) -> bool:
    return folder.has("config.json") or folder.has("adapter_config.json")


def _orbax(folder: Folder) -> bool:
    return folder.has("manifest.ocdbt") or folder.has("_METADATA")


def _packaged(folder: Folder) -> bool:
    return folder.has("Manifest.json") and folder.has_folder("Data")


def _checkpoints(folder: Folder) -> bool:
    return any(name.endswith(".index") or ".data-" in name for name in folder.items)


def _index(source: Source) -> bool:
    return source.title.endswith(".safetensors.index.json") or _maps(source)


_maps = _json(b'"weight_map"')


def _coreml(source: Source) -> bool:
    """A version, then the description: its inputs, outputs, functions or metadata (Model.proto)."""
    return _MODEL.match(source.head) is not None


_MODEL = late(
    rb"\x08[\x01-\x63]\x12(?:\0|[\x80-\xff]{0,4}[\x01-\x7f][\x0a\x52\x5a\x62\x6a\x92\xa2\xaa])"
)


def _tfjs(source: Source) -> bool:
    """The whole model, or the list of its weights alone."""
    listed = source.title.lower().endswith(".json") and source.head.lstrip().startswith(b"[")
    return (listed and b'"weights"' in source.head) or _tfjs_model(source)


_tfjs_model = _json(b'"modelTopology"', b'"weightsManifest"')


def _onnx(source: Source) -> bool:
    """Fields 1 to 8, 14, 20, 25 and 26 of ModelProto (onnx.proto), as a message begins.

    A SavedModel, too, begins with a version, but the field after it is no producer's short name.
    """
    head = source.head
    return head[:1] in _ONNX_FIELDS and not (head[2:3] == b"\x12" and head[3:4] >= b"\x80")


_ONNX_FIELDS = frozenset(
    bytes([tag]) for tag in b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca\xd2"
)


def _hdf5(source: Source) -> bool:
    return signatures.find_hdf5(source, len(source.head)) is not None


def _pickled(source: Source) -> bool:
    suffixes = PurePath(source.title.lower()).suffixes[-2:]
    return source.head.startswith(b"\x80") or not _PICKLES.isdisjoint(suffixes)


_PICKLES = frozenset({".pkl", ".pickle", ".joblib"})


def _xgboost(source: Source) -> bool:
    return source.head.lstrip()[:1] == b"{" and b"learner" in source.head


def _openvino(source: Source) -> bool:
    return b"<net" in source.head and b"version=" in source.head


def _flax(source: Source) -> bool:
    """A map, a list or an extension of msgpack, and a list of three somewhere in it: an array."""
    head = source.head
    return head[:1] in _MSGPACK and b"\x93" in head and any(kind in head for kind in _DTYPES)


_MSGPACK = frozenset(
    bytes([mark]) for mark in (*range(0x81, 0xA0), *range(0xC7, 0xCA), *range(0xD4, 0xE0))
)
_DTYPES = (b"float", b"int", b"bool", b"complex")
_zip = _file(signatures.is_zip)


def _npz(source: Source) -> bool:
    """The first member is an array: its name and that name's length, APPNOTE.TXT 4.3.7."""
    head = source.head
    length = int.from_bytes(head[26:28], "little")
    return signatures.is_zip(source) and head[30 : 30 + length].endswith(b".npy")


_PACKED = (b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_MEDIA = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"%PDF-", b"fLaC", b"OggS", b"ID3",
)  # fmt: skip


_NAMEABLE = (b"CBM1", b"ftrt", b"7767517", b"\xdd\x85\x76\0", b"\x0a", bytes(16))


def _nameable(source: Source) -> bool:
    """What `named` tells apart: by signatures, or by a suffix and what lies beside it."""
    head = source.head
    told = head.startswith(_NAMEABLE) or head[4:5] == b"{" or head[257:262] == b"ustar"
    return told or source.title.endswith(".bin")


def _any_file(source: Source) -> bool:
    return True


def _any_folder(folder: Folder) -> bool:
    return True


FORMATS = (
    Format("saved_model", "tensorflow.saved_model", _holds("saved_model.pb"), whole=True),
    Format("keras", "keras.unzipped", _holds("config.json", "metadata.json"), whole=True),
    Format("huggingface", "huggingface", _folder(_configured), whole=True),
    Format("tfjs", "tfjs_folder", _holds("model.json"), whole=True),
    Format("checkpoint", "tensorflow.checkpoint_folder", _folder(_checkpoints)),
    Format("distributed checkpoint", "torch.distributed", _holds(".metadata"), whole=True),
    Format("coreml", "coreml.package", _folder(_packaged), whole=True),
    Format("orbax", "orbax", _folder(_orbax), whole=True, weak=True),
    Format("directory", "directory", _folder(_any_folder), anything=True),
    Format("weights", "keras.shards", _named(".weights.json"), leads=(".weights.json",)),
    Format("safetensors", "safetensors_index", _file(_index), leads=(".json",)),
    Format("tfjs", "tfjs", _file(_tfjs), leads=(".json",)),
    Format("checkpoint", "tensorflow.checkpoint_index", _named(".index"), leads=(".index",)),
    Format("coreml", "coreml.reader", _file(_coreml), {".mlmodel": "Core ML"}, leads=(".mlmodel",)),
    Format("onnx", "onnx.external", _file(_onnx), {".onnx": "ONNX"}, leads=(".onnx",), shares=True),
    Format("torch", "torch.reader", _zip),
    Format("keras", "keras.archive", _zip, {".keras": "ZIP"}),
    Format("npz", "npz", _file(_npz), anything=True),
    Format("zip", "zip_archive", _zip, anything=True),
    Format("tflite", "tflite.reader", _begins(b"TFL3", at=4), {".tflite": "TFLITE"}),
    Format("executorch", "executorch.program", _begins(b"ET12", at=4), {".pte": "ExecuTorch"}),
    Format("executorch", "executorch.tensors", _begins(b"FT01", at=4), {".ptd": "ExecuTorch"}),
    Format("ort", "onnxruntime.reader", _begins(b"ORTM", b"ODTC", at=4), {".ort": "ONNX Runtime"}),
    Format("npy", "npy", _begins(b"\x93NUMPY"), {".npy": "NUMPY"}),
    Format("gguf", "gguf", _begins(b"GGUF"), {".gguf": "GGUF"}),
    Format("safetensors", "safetensors", _begins(b"{", at=8), {".safetensors": "SAFETENSORS"}),
    Format("torch", "torch.legacy", _begins(b"\x80")),
    Format("openvino", "openvino", _file(_openvino), leads=(".xml",)),
    Format("xgboost", "xgboost", _file(_xgboost)),
    Format("flax", "flax.reader", _file(_flax)),
    Format("lightgbm", "lightgbm", _begins(b"tree\n", b"tree\r\n")),
    Format("graph", "tensorflow.graphs", _named(".pb", ".meta")),
    Format("hdf5", "keras.weights_file", _file(_hdf5), {".h5": "HDF5", ".hdf5": "HDF5"}),
    Format("pickle", "pickle.reader", _file(_pickled), weak=True),
    Format("", "reader_plugins", _file(_any_file)),
    Format("named", "named", _file(_nameable), weak=True),
    Format("compressed", "compressed_file", _begins(*_PACKED), anything=True),
    Format("media", "plain.media", _begins(*_MEDIA), anything=True),
    Format("sentencepiece", "plain.sentencepiece", _begins(b"\x0a"), anything=True),
    Format("text", "plain.text", _file(_any_file), anything=True),
    Format("file", "unknown", _file(_any_file), anything=True),
)
"""What is known, in the order in which it is tried."""

_CLAIMS = {suffix: line for line in FORMATS for suffix in line.claims}
_LEADS = tuple(suffix for line in FORMATS for suffix in line.leads)


def claimed_by(name: str) -> Format | None:
    """Return the format under whose suffix nothing else is written, if ``name`` has such a one."""
    return _CLAIMS.get(PurePath(name).suffix.lower())


def leads(name: str) -> bool:
    """Return whether a file of that name is one that may name others."""
    return name.endswith(_LEADS)


def find_format(opened: Opened) -> Format:
    """Return the line of the table that reads ``opened``.

    Raises:
        ReaderError: where a reader of another package fails at its look.
    """
    return next(line for line in FORMATS if line.recognises(opened))


def find_artifact(opened: Opened) -> Format | None:
    """Return the line for ``opened`` if it is an artifact whatever it is called, else None.

    Raises:
        ReaderError: as `find_format` does.
    """
    lines = (line for line in FORMATS if not line.anything)
    return next((line for line in lines if line.recognises(opened)), None)


def read(opened: Opened, ledger: Ledger, line: Format | None = None) -> str:
    """Give every byte of ``opened``, and of all that belongs to it, to ``ledger``.

    Args:
        opened: a file, or a folder.
        ledger: takes the bytes.
        line: what `find_format` has found.

    Returns:
        The format.

    Raises:
        ArtifactError: where the content, or its name's suffix, claims a format that the content
            breaks; or where a reader of another package fails.
    """
    line = line or find_format(opened)
    if isinstance(opened, Source):
        claimed = claimed_by(opened.title)
        other = line.anything and claimed is not None and line.look is not claimed.look
        if claimed is not None and (other or not claimed.look(opened)):
            suffix = PurePath(opened.title).suffix.lower()
            raise opened.error(
                0,
                f"no {claimed.claims[suffix]} signature, although the name is {opened.title!r}",
            )
    return line.reader.read(opened, ledger) or line.name
