"""What stands where a model should be: pointers, empty files, error pages, files that broke off.

A budget held on one of these says nothing about the model, so none of them is measured, and the
message says how to get the model itself. A Git LFS pointer is one wherever it lies
(github.com/git-lfs/git-lfs, docs/spec.md); the others are recognised by a name under which a model
lies.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from pytest_modelsize.formats.source import ArtifactError, PlaceholderError, Source
from pytest_modelsize.sizes.patterns import late

__all__ = ["NO_MODEL_HERE", "is_beside_a_model", "named_like_a_model", "refuse_placeholder"]

_LFS = late(
    rb"version https://(git-lfs\.github\.com/spec|hawser\.github\.com/spec)/v1\r?\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:",
    holds=(b"version https",),
)
_LONGEST_POINTER = 1024
"""Bytes that a pointer has less of: docs/spec.md."""
_ANNEX = late(rb"(?:(?:\.\./)*\.?(?:git/annex|/annex)/objects/[^\n]+\n?)+", holds=(b"annex",))
"""What an unlocked file of git-annex holds while its content is elsewhere."""
_XET = late(rb"# xet version \d", holds=(b"# xet",))
_DVC = late(rb"(?:#[^\n]*\n|md5: \w+\r?\n|frozen: \w+\r?\n)*outs:\r?\n- ")
"""A file that DVC writes in place of what it keeps (dvc.org/doc/user-guide/project-structure)."""
_LARGEST_PAGE = 2**20
_PAGE = late(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?"
    rb"<(?:!doctype\s+html|html|head|body|title|error|center|h1)[\s>]",
    re.IGNORECASE | re.DOTALL,
    holds=(b"<!doctype", b"<ht", b"<he", b"<body", b"<title", b"<error", b"<center", b"<h1"),
)
_MESSAGE = late(
    rb"(?:\xef\xbb\xbf)?\s*(?:[{\[]|not found|access denied|forbidden|unauthorized|invalid "
    rb"(?:username|credentials)|entry not found|repository not found|4\d\d:? |5\d\d:? |error)",
    re.IGNORECASE,
)
_MODELS = frozenset({
    ".bin", ".caffemodel", ".cbm", ".ckpt", ".distcp", ".engine", ".ggml", ".gguf", ".h5", ".hdf5",
    ".joblib", ".keras", ".lite", ".mar", ".mlmodel", ".mnn", ".model", ".msgpack", ".nemo", ".npy",
    ".npz", ".onnx", ".onnx_data", ".ort", ".params", ".pb", ".pbtxt", ".pdiparams", ".pdmodel",
    ".pdopt", ".pdparams", ".pickle", ".pkl", ".plan", ".pt", ".pt2", ".pte", ".pth", ".ptl",
    ".safetensors", ".tar", ".tflite", ".tgz", ".th", ".torchscript", ".trt", ".ubj", ".weights",
    ".zip",
})  # fmt: skip
"""Suffixes under which models are kept."""
_BINARY = _MODELS - {".model", ".params", ".pbtxt", ".ubj", ".weights"}
"""Those of them under which no text is."""
_NO_TEXT = frozenset({
    ".ckpt", ".distcp", ".joblib", ".msgpack", ".nemo", ".npz", ".pdiparams", ".pdparams",
    ".pickle", ".pkl", ".pt", ".pt2", ".pth", ".ptl", ".tar", ".tgz", ".th", ".zip",
})  # fmt: skip
"""Those under which nothing is text but a pickle of old, which ends in a full stop."""
_PACKED = frozenset({".joblib", ".pickle", ".pkl"})
"""Those under which such a pickle is."""
_NEVER_ZERO = _BINARY - {".bin", ".onnx_data", ".pdiparams", ".lite"}
"""Those under which a file has a beginning of its own, and not the elements of tensors alone."""
_PAGES = frozenset({".htm", ".html", ".md", ".svg", ".xhtml"})
_SHARD = late(r".+\.data-[0-9]{5}-of-[0-9]{5}", holds=(".data-",))
_NOTES = ("changelog", "licence", "license", "notice", "readme")
_OF_TOOLS = frozenset({".ds_store", ".dvcignore", ".gitattributes", ".gitignore", ".gitkeep"})
_OF_SEVERAL = late(r"(.*[-_.])\d{5}-of-(\d{5})(\.\w+)", holds=("-of-",))
"""How files are called that are a model together: huggingface_hub/serialization/_base.py, and
llama.cpp's gguf-split."""
_UNTOLD = frozenset({".npz", ".pb"})
"""Those whose first bytes alone do not tell what they were."""
_LEAST = 22
"""Bytes that any of these has: so many has an archive of nothing."""
_CHUNK, _MOST_ZEROS = 64 * 1024, 4 * 2**20
_TOLD = 64
"""Bytes by which most models are told from text."""
NO_MODEL_HERE = "there is no model here to hold to a budget"


def named_like_a_model(name: str) -> bool:
    """Return whether a model is kept under such a name."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    if suffixes and suffixes[-1] in (".gz", ".zst", ".xz", ".bz2", ".lz4"):
        suffixes = suffixes[:-1]
    return bool(_SHARD.fullmatch(name)) or bool(suffixes and suffixes[-1] in _MODELS)


def is_beside_a_model(name: str) -> bool:
    """Return whether a file describes or locates a model without being part of one."""
    plain = name.lower()
    told = plain.startswith(_NOTES) or plain.endswith((".dvc", ".md", ".rst"))
    return told or plain in _OF_TOOLS


def refuse_placeholder(source: Source, *, alone: bool = False, empty: bool = False) -> None:
    """Refuse a file that stands in for a model.

    Args:
        source: the file.
        alone: it is the whole artifact, so what its name says does not matter.
        empty: it may be empty, as a shard that another file names.

    Raises:
        PlaceholderError: which says what it is, and how to get the model.
    """
    name, size = source.title, source.size
    suffix = PurePath(name).suffix.lower()
    model = named_like_a_model(name)
    text = _plain(source.head)
    if size < _LONGEST_POINTER and (said := _pointer(text)):
        raise PlaceholderError(source.name, None, said.format(size=size))
    if alone and suffix == ".dvc" and _DVC.match(text):
        raise PlaceholderError(
            source.name,
            None,
            f"what DVC writes in place of {name[:-4]!r:.100}: run `dvc pull`, and measure that",
        )
    if model and (missing := _missing_shards(source)):
        raise PlaceholderError(source.name, None, missing)
    if size == 0 and (model or alone) and not empty:
        raise PlaceholderError(
            source.name,
            None,
            f"an empty file, so {NO_MODEL_HERE}: a save that broke off, or a placeholder",
        )
    if size and suffix in _NEVER_ZERO and _is_zero(source):
        raise PlaceholderError(
            source.name,
            0,
            f"nothing but zeros, so {NO_MODEL_HERE}: a download that broke off, or a placeholder",
        )
    if suffix in _UNTOLD and 0 < size < _LEAST and not (empty or _is_model(source)):
        problem = f"{size} bytes and no model: a save or a download that broke off"
        raise PlaceholderError(source.name, 0, problem)
    if b"\0" in text[:_TOLD] or size > _LARGEST_PAGE:
        return  # as no text has, and nearly every model
    if (model or (alone and suffix not in _PAGES)) and _PAGE.match(text):
        what = "a page of HTML or XML"
    elif not (model and suffix in _BINARY):
        return
    elif _MESSAGE.match(text) and _is_message(source):
        what = "a message in text or JSON"
    elif suffix in _NO_TEXT and not _is_old_pickle(source) and _is_message(source):
        what = "plain text"
    else:
        return
    if not _is_model(source):
        raise PlaceholderError(
            source.name,
            0,
            f"{what} and not the model: a download that failed and was saved all the same",
        )


def _missing_shards(source: Source) -> str:
    """Return the message for one of several files where others are missing; empty for any other."""
    match = _OF_SEVERAL.fullmatch(source.title)
    if match is None or source.folder is None:
        return ""
    before, count, after = match[1], int(match[2]), f"-of-{match[2]}{match[3]}"
    there = source.folder.tree.count_numbered(source.folder.path, before, after)
    if there >= count:
        return ""
    return f"one of {count:,d} files of a model, {count - there:,d} of them missing: fetch them all"


def _pointer(text: bytes) -> str:
    """Return the message for a pointer that version control left; empty for all else."""
    if _LFS.match(text) or _XET.match(text):
        return (
            "a Git LFS pointer of {size} bytes and not the model: run `git lfs pull`; in "
            "CI check out with `lfs: true` (actions/checkout)"
        )
    if _ANNEX.fullmatch(text):
        return "a git-annex pointer and not the model: run `git annex get` on it"
    return ""


def _plain(head: bytes) -> bytes:
    """Return the beginning of a text as UTF-8 without its mark, which Windows' shells put there."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace").encode("utf-8", "replace")
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t ")


def _is_zero(source: Source) -> bool:
    """Return whether all bytes are zero, as far as they are looked at.

    That is the first megabytes, and the end.
    """
    if source.head.strip(b"\0") or source.tail.strip(b"\0"):
        return False
    at = len(source.head)
    while at < min(source.size, _MOST_ZEROS):
        size = min(_CHUNK, source.size - at)
        if source.read(at, size).strip(b"\0"):
            return False
        at += size
    return True


def _is_old_pickle(source: Source) -> bool:
    """Return whether a text is a pickle of a protocol that is text."""
    if PurePath(source.title).suffix.lower() not in _PACKED or not source.tail.endswith(b"."):
        return False
    from pytest_modelsize.formats.containers.pickle import follow  # only where it may be one

    try:
        return follow(source)[1] <= source.size
    except ArtifactError:
        return False


def _is_model(source: Source) -> bool:
    """Return whether a text is a model all the same, as boosted trees in JSON are."""
    from pytest_modelsize.formats import registry  # which opens files, and so needs this module

    line = registry.find_artifact(source)
    return line is not None and not line.weak


def _is_message(source: Source) -> bool:
    """Return whether the whole is readable text, as no model is under such a name."""
    text = source.read(0, source.size)
    try:
        text.decode("utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8")
    except UnicodeDecodeError:
        return False
    return _TEXT.fullmatch(_plain(text)) is not None


_TEXT = late(rb"[\t\n\f\r -~\x80-\xff]+")
