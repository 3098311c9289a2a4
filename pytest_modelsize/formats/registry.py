"""Every format, in the order in which it is tried: one line each, for files and folders alike.

A line has the format's name, the module that reads it, and a look (`looks`) that rules it out for
next to nothing. The module is imported only where the look rules nothing out, and has the last
word: `Reader` says what it must have. What is read, what a file leads, and what counts as one
artifact all follow from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path, PurePath

from pytest_modelsize.formats.looks import (
    Look,
    Opened,
    any_file,
    any_folder,
    begins,
    holds,
    may_be_checkpoints,
    may_be_coreml,
    may_be_coreml_package,
    may_be_flax,
    may_be_hdf5,
    may_be_huggingface,
    may_be_media,
    may_be_named,
    may_be_npz,
    may_be_onnx,
    may_be_openvino,
    may_be_orbax,
    may_be_packed,
    may_be_pickle,
    may_be_safetensors_index,
    may_be_tfjs,
    may_be_xgboost,
    may_be_zip,
    named,
)
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytest_modelsize.formats.reader import Reader, Together

__all__ = [
    "FORMATS",
    "Format",
    "claimed_by",
    "find_artifact",
    "find_format",
    "leads",
    "read",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A line of the table.

    Attributes:
        name: the format; what a reader returns may be more exact.
        module: what reads it, a `Reader` below `formats`.
        look: whether it may be this format.
        claims: suffixes under which nothing else is written, and what content of this format is
            said to begin with.
        leads: suffixes of files that may name others, which are read before these.
        shares: several may name the same file, so its reader is a `Together` besides.
        weak: what it holds is not known, so it does not prove that there is a model.
        anything: it takes whatever there is: an artifact only where someone says so.
        whole: a folder of this format is one artifact, and nothing in it is another.
    """

    name: str
    module: str
    look: Look
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
        """Return the name of the format, which readers of other packages have of their own."""
        told: Callable[[Opened], str] | None = getattr(self.reader, "format_of", None)
        return self.name if told is None else told(opened)

    def companions(self, source: Source) -> frozenset[Path]:
        """Return the files that ``source`` names, as far as a quick look shows."""
        named: Callable[[Source], frozenset[Path]] | None = getattr(self.reader, "companions", None)
        return frozenset() if named is None else named(source)


FORMATS = (
    Format("saved_model", "tensorflow.saved_model", holds("saved_model.pb"), whole=True),
    Format("keras", "keras.unzipped", holds("config.json", "metadata.json"), whole=True),
    Format("huggingface", "huggingface", may_be_huggingface, whole=True),
    Format("tfjs", "tfjs.folder", holds("model.json"), whole=True),
    Format("checkpoint", "tensorflow.checkpoint_folder", may_be_checkpoints),
    Format("distributed checkpoint", "torch.distributed", holds(".metadata"), whole=True),
    Format("coreml", "coreml.package", may_be_coreml_package, whole=True),
    Format("orbax", "orbax", may_be_orbax, whole=True, weak=True),
    Format("directory", "directory", any_folder, anything=True),
    Format("weights", "keras.shards", named(".weights.json"), leads=(".weights.json",)),
    Format("safetensors", "safetensors_index", may_be_safetensors_index, leads=(".json",)),
    Format("tfjs", "tfjs.reader", may_be_tfjs, leads=(".json",)),
    Format("checkpoint", "tensorflow.checkpoint_index", named(".index"), leads=(".index",)),
    Format("coreml", "coreml.reader", may_be_coreml, {".mlmodel": "Core ML"}, leads=(".mlmodel",)),
    Format("onnx", "onnx.reader", may_be_onnx, {".onnx": "ONNX"}, leads=(".onnx",), shares=True),
    Format("torch", "torch.reader", may_be_zip),
    Format("keras", "keras.archive", may_be_zip, {".keras": "ZIP"}),
    Format("npz", "npz", may_be_npz, anything=True),
    Format("zip", "zip_archive", may_be_zip, anything=True),
    Format("tflite", "tflite.reader", begins(b"TFL3", at=4), {".tflite": "TFLITE"}),
    Format("executorch", "executorch.program", begins(b"ET12", at=4), {".pte": "ExecuTorch"}),
    Format("executorch", "executorch.tensors", begins(b"FT01", at=4), {".ptd": "ExecuTorch"}),
    Format("ort", "onnxruntime.reader", begins(b"ORTM", b"ODTC", at=4), {".ort": "ONNX Runtime"}),
    Format("npy", "npy", begins(b"\x93NUMPY"), {".npy": "NUMPY"}),
    Format("gguf", "gguf", begins(b"GGUF"), {".gguf": "GGUF"}),
    Format("safetensors", "safetensors", begins(b"{", at=8), {".safetensors": "SAFETENSORS"}),
    Format("torch", "torch.legacy", begins(b"\x80")),
    Format("openvino", "openvino.reader", may_be_openvino, leads=(".xml",)),
    Format("xgboost", "xgboost", may_be_xgboost),
    Format("flax", "flax.reader", may_be_flax),
    Format("lightgbm", "lightgbm", begins(b"tree\n", b"tree\r\n")),
    Format("graph", "tensorflow.graphs", named(".pb", ".meta")),
    Format("hdf5", "keras.weights_file", may_be_hdf5, {".h5": "HDF5", ".hdf5": "HDF5"}),
    Format("pickle", "pickle.reader", may_be_pickle, weak=True),
    Format("", "reader_plugins", any_file),
    Format("named", "named", may_be_named, weak=True),
    Format("tar", "tar_archive", begins(b"ustar", at=257), anything=True),
    Format("file", "lone_parts", any_file, anything=True),
    Format("compressed", "compressed_file", may_be_packed, anything=True),
    Format("media", "plain.media", may_be_media, anything=True),
    Format("sentencepiece", "plain.sentencepiece", begins(b"\x0a"), anything=True),
    Format("text", "plain.text", any_file, anything=True),
    Format("file", "unknown", any_file, anything=True),
)
"""What is known, in the order in which it is tried."""

_CLAIMS = {suffix: line for line in FORMATS for suffix in line.claims}
_LEADS = tuple(suffix for line in FORMATS for suffix in line.leads)


def claimed_by(name: str) -> Format | None:
    """Return the format whose suffix ``name`` has, if nothing else is written under it."""
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
