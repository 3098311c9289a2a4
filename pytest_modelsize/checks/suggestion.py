"""What to write instead of a word that is not known."""

from __future__ import annotations

import difflib

__all__ = ["suggest"]


def suggest(word: str, known: tuple[str, ...]) -> str:
    """Return what to write instead of ``word``: the nearest known word, or all of them."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    listing = f"there are {', '.join(known)}"
    return f"did you mean {near[0]!r}? ({listing})" if near else listing
