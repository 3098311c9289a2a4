"""Names on the page: cut where they are long, never so that two look the same, broken at a slash.

A label on a tile is shown whole or not at all: half a name is the name of something else. The style
sheet decides, by how many characters of its fixed-width font a tile has room for; here is counted
how many a name needs on one line, on two, and with a line for each of its pieces.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from unicodedata import east_asian_width

from pytest_modelsize.report.page.wording import name
from pytest_modelsize.sizes.escaping import escaped
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Label", "distinct", "label"]

_PIECE = re.compile(r"[^/ ]*[/ ]*")
_BREAKS = re.compile(r"(?<=[-?!|}\u2010-\u2015])(?=\w)")
_MARK = 3
"""Characters that a mark may take: it may come from another font."""
_JOINER = "\u2060"
"""Unicode's word joiner: a browser does not break a line there."""


@dataclass(frozen=True, slots=True)
class Label:
    """A name in pieces, between which a line may end, and the room that it needs.

    Attributes:
        pieces: which together are the name; they end in a slash, but for the last.
        css: custom properties: characters on one line, on two, and of the longest piece, and how
            many pieces there are; what does not help is left out.
    """

    pieces: tuple[str, ...]
    css: str


def label(text: str, *, marked: bool = False) -> Label:
    """Return the label for a name.

    Args:
        text: one line, safe to show.
        marked: a mark stands before it.
    """
    pieces = [piece for piece in _PIECE.findall(text) if piece]
    widths = [_width(piece) for piece in pieces]
    if widths and marked:
        widths[0] += _MARK
    whole = sum(widths)
    written = [f"--f:{whole}"]
    if len(pieces) > 1:
        ends = [sum(widths[:end]) for end in range(1, len(pieces))]
        two = min(max(end, whole - end) for end in ends)
        written.append(f"--h:{two}")
        if len(pieces) > 2 and max(widths) < two:
            written += [f"--w:{max(widths)}", f"--n:{len(pieces)}"]
    kept = _BREAKS.sub(_JOINER, text)
    return Label(tuple(re.findall(r"[^/]*/+|[^/]+$", kept)), ";".join(written))


def _width(text: str) -> int:
    """Return how many characters of a fixed-width font ``text`` is as wide as."""
    return sum(1 + (east_asian_width(character) in "WF") for character in text)


def distinct(names: Sequence[str], longest: int) -> list[str]:
    """Return each name safe to show and short enough, and no two of them alike.

    Names that would be cut to the same text are cut to where they differ; those that are the same,
    or differ only where nobody could see it, are numbered.

    Args:
        names: of entries that are shown together.
        longest: characters of a name; a number may come on top of it.
    """
    shown = [name(text, longest) for text in names]
    alike: dict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(shown):
        alike[text].append(at)
    for places in alike.values():
        if len(places) > 1:
            for at, text in zip(places, _apart([names[at] for at in places], longest), strict=True):
                shown[at] = text
    counts, used = Counter(shown), set(shown)
    for at, text in enumerate(shown):
        if counts[text] > 1:
            number = 1
            while f"{text} #{number}" in used:
                number += 1
            shown[at] = f"{text} #{number}"
            used.add(shown[at])
    return shown


def _apart(names: Sequence[str], longest: int) -> list[str]:
    """Return the part in which names differ that begin, or end, alike."""
    before = _alike(names)
    after = _alike([text[before:][::-1] for text in names])
    found = []
    for text in names:
        middle = text[before : len(text) - after][: max(4, longest - 2)]
        room = max(4, longest - len(middle) - 2)
        head = text[: min(before, room // 2)]
        tail = text[len(text) - min(after, room // 2) :] if after else ""
        found.append(escaped(f"{head}…{middle}…{tail}"))
    return found


def _alike(texts: Sequence[str]) -> int:
    """Return how many characters all of ``texts`` begin with, and of no word or number a part."""
    # Whatever the first and the last of them in order share, those between share too.
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(first), len(last)))
    while same and first[same - 1].isalnum():
        same -= 1
    return same
