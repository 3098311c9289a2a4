"""What stands where a model should be: pointers, empty files, error pages, files that broke off.

A budget held on one of these says nothing about the model, so none of them is measured, and the
message says how to get the model itself. A Git LFS pointer is one wherever it lies
(github.com/git-lfs/git-lfs, docs/spec.md); the others are told by a name under which a model lies.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from pytest_modelsize.formats.source import PlaceholderError, Source
from pytest_modelsize.sizes.patterns import late

__all__ = ["NO_MODEL_HERE", "named_like_a_model", "refuse_placeholder"]

_LFS = late(
    rb"version https://(git-lfs\.github\.com/spec|hawser\.github\.com/spec)/v1\r?\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:"
)
_LONGEST_POINTER = 1024
"""Bytes that a pointer has less of: docs/spec.md."""
_ANNEX = late(rb"(?:\.\./)*\.?(?:git/annex|/annex)/objects/[^\n]+\n?")
"""What an unlocked file of git-annex holds while its content is elsewhere."""
_XET = late(rb"# xet version \d")
_LARGEST_PAGE = 2**20
_PAGE = late(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?"
    rb"<(?:!doctype\s+html|html|head|body|title|error|center|h1)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_MESSAGE = late(
    rb"(?:\xef\xbb\xbf)?\s*(?:[{\[]|not found|access denied|forbidden|unauthorized|invalid "
    rb"(?:username|credentials)|entry not found|repository not found|4\d\d:? |5\d\d:? |error)",
    re.IGNORECASE,
)
_MODELS = frozenset({
    ".bin", ".caffemodel", ".ckpt", ".engine", ".ggml", ".gguf", ".h5", ".hdf5",
    ".joblib", ".keras", ".lite", ".mar", ".mlmodel", ".model", ".msgpack", ".nemo", ".npy", ".npz",
    ".onnx", ".ort", ".pb", ".pbtxt", ".pdiparams", ".pdmodel", ".pickle", ".pkl", ".plan", ".pt",
    ".pt2", ".pte", ".pth", ".ptl", ".safetensors", ".tflite", ".th", ".torchscript", ".trt",
    ".ubj", ".weights", ".zip",
})  # fmt: skip
"""Suffixes under which models are kept."""
_BINARY = _MODELS - {".model", ".pbtxt", ".ubj", ".weights"}
"""Those of them under which no text is."""
_PICKLED = frozenset({".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pt2", ".pth", ".ptl", ".th"})
"""Those under which nothing is text but a pickle of old, which ends in a full stop."""
_SHARD = late(r".+\.data-[0-9]{5}-of-[0-9]{5}")
_TOLD = 64
"""Bytes by which most models are told from text."""
NO_MODEL_HERE = "there is no model here to hold to a budget"


def named_like_a_model(name: str) -> bool:
    """Return whether a model is kept under such a name."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    if suffixes and suffixes[-1] in (".gz", ".zst", ".xz", ".bz2", ".lz4"):
        suffixes = suffixes[:-1]
    return bool(_SHARD.fullmatch(name)) or bool(suffixes and suffixes[-1] in _MODELS)


def refuse_placeholder(source: Source, *, alone: bool = False, empty: bool = False) -> None:
    """Refuse a file that stands in for a model.

    Args:
        source: the file.
        alone: it is the whole artifact, so what its name says does not matter.
        empty: it may be empty, as a shard that another file speaks of.

    Raises:
        PlaceholderError: which says what it is, and how to get the model.
    """
    head = source.head
    if source.size < _LONGEST_POINTER and (_LFS.match(head) or _XET.match(head)):
        raise PlaceholderError(
            source.name,
            None,
            f"a Git LFS pointer of {source.size} bytes and not the model: run `git lfs pull`; in "
            "CI check out with `lfs: true` (actions/checkout)",
        )
    if source.size < _LONGEST_POINTER and _ANNEX.fullmatch(head):
        raise PlaceholderError(
            source.name, None, "a git-annex pointer and not the model: run `git annex get` on it"
        )
    model = named_like_a_model(source.title)
    if source.size == 0 and (model or alone) and not empty:
        raise PlaceholderError(
            source.name,
            None,
            f"an empty file, so {NO_MODEL_HERE}: a save that broke off, or a placeholder",
        )
    if b"\0" in head[:_TOLD]:
        return  # as no text has, and nearly every model
    suffix = PurePath(source.title).suffix.lower()
    if model and suffix in _BINARY and source.size <= _LARGEST_PAGE:
        if _PAGE.match(head):
            what = "a page of HTML or XML"
        elif _MESSAGE.match(head) and _is_message(source):
            what = "a message in text or JSON"
        elif suffix in _PICKLED and not source.tail.endswith(b".") and _is_message(source):
            what = "plain text"
        else:
            return
        if _is_model(source):
            return
        raise PlaceholderError(
            source.name,
            0,
            f"{what} and not the model: a download that failed and was saved all the same",
        )


def _is_model(source: Source) -> bool:
    """Return whether a text is a model all the same, as boosted trees in JSON are."""
    from pytest_modelsize.formats import registry  # which opens files, and so needs this module

    line = registry.find_artifact(source)
    return line is not None and not line.weak


def _is_message(source: Source) -> bool:
    """Return whether the whole is readable text, as no model is under such a name."""
    if not _TEXT.fullmatch(source.head):
        return False
    try:
        text = source.read(0, source.size).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _TEXT.fullmatch(text.encode()) is not None


_TEXT = late(rb"[\t\n\f\r -~\x80-\xff]+")
