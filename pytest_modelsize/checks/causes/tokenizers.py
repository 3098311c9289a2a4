"""A tokenizer that is stored twice: for the fast implementation, and for the slow one.

transformers' ``save_pretrained`` writes ``tokenizer.json``, which holds all, and beside it the
files of the slow tokenizer, which older code loads (tokenization_utils_fast.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.files import left_out

__all__ = ["find_files"]

_FAST = "tokenizer.json"
_LISTS = ("vocab.json", "vocab.txt")
"""Words with numbers (byte-pair encoding), or a word a line (WordPiece)."""
_MERGES = "merges.txt"
_LARGEST = 16 * 2**20
"""Bytes of the largest tokenizer that is read."""
_MOST_LISTS = 1_000_000
"""Lists and objects in it: what they take in memory must be bounded. Real ones have one a merge."""


def find_files(evidence: Evidence, gone: Collection[str]) -> Iterator[Cause]:
    """Yield the slow tokenizer's files where the fast one's holds all their words."""
    for name in evidence.files:
        folder = PurePosixPath(name).parent
        if PurePosixPath(name).name != _FAST or name in gone:
            continue
        twins = [(folder / twin).as_posix() for twin in _LISTS]
        held = [twin for twin in twins if twin in evidence.files and twin not in gone]
        words = _words_of_fast(_text(evidence, name)) if held else set()
        slow = [twin for twin in held if words and _are_in(_text(evidence, twin), words)]
        if not slow:
            continue
        merges = (folder / _MERGES).as_posix()
        slow += [merges] if merges in evidence.files and merges not in gone else []
        yield Cause(
            kind="tokenizer in several files",
            text=f"{name} holds all the words of {', '.join(slow)}, "
            "which only slow tokenizers load",
            size=sum(evidence.files[twin].measurement.bytes_on_disk for twin in slow),
            fix=f"ship {name} alone, if nothing loads the slow tokenizer",
            entries=tuple(slow),
            changes=left_out(slow),
        )


def _text(evidence: Evidence, name: str) -> str:
    path = evidence.files[name].path
    if path is None or evidence.files[name].measurement.bytes_on_disk > _LARGEST:
        return ""
    text = path.read_text("utf-8", errors="replace")
    return text if text.count("[") + text.count("{") <= _MOST_LISTS else ""


def _words_of_fast(text: str) -> set[str]:
    """Return the words in a ``tokenizer.json``: those of its model, and those that were added."""
    import json  # which few artifacts need

    try:
        value = json.loads(text)
        words = set(value["model"]["vocab"])
        return words | {added["content"] for added in value.get("added_tokens", ())}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()


def _are_in(text: str, words: set[str]) -> bool:
    """Return whether all words of a list, the keys of an object or lines, are in ``words``."""
    import json

    try:
        listed = set(json.loads(text)) if text.startswith("{") else set(text.splitlines())
    except (ValueError, TypeError, RecursionError):
        return False
    return bool(listed) and listed <= words
