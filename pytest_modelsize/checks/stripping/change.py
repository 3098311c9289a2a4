"""What to change in a file when it is written anew."""

from __future__ import annotations

from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = ["GONE", "Change"]

Pair = tuple[SectionPath, SectionPath]


@dataclass(frozen=True, slots=True)
class Change:
    """What is written differently, or not at all. Entries are paths of the file's measurement.

    Attributes:
        gone: the whole file is left out.
        state: what is an optimizer's is left out.
        tight: storages are as large as the tensors in them, and objects lie without gaps.
        fitted: chunks are no larger than what they hold.
        without: entries that are left out.
        narrowed: types of weights, each with the type that is written in its place.
        tied: entries that refer to the bytes of another, each with that one.
        turned: matrices that are computed, each with the one that it is the transpose of.
        renamed: entries, each with what is to stand in place of its last name.
    """

    gone: bool = False
    state: bool = False
    tight: bool = False
    fitted: bool = False
    without: frozenset[SectionPath] = frozenset()
    narrowed: frozenset[tuple[str, str]] = frozenset()
    tied: frozenset[Pair] = frozenset()
    turned: frozenset[Pair] = frozenset()
    renamed: frozenset[tuple[SectionPath, str]] = frozenset()

    def __or__(self, other: Change) -> Change:
        """Return both changes at once."""
        gone = self.without | other.without
        return Change(
            gone=self.gone or other.gone,
            state=self.state or other.state,
            tight=self.tight or other.tight,
            fitted=self.fitted or other.fitted,
            without=gone,
            narrowed=self.narrowed | other.narrowed,
            # With what is left out, nothing else is to be done.
            tied=frozenset(pair for pair in self.tied | other.tied if not gone & {*pair}),
            turned=frozenset(pair for pair in self.turned | other.turned if not gone & {*pair}),
            renamed=frozenset(pair for pair in self.renamed | other.renamed if pair[0] not in gone),
        )

    @property
    def asked(self) -> frozenset[str]:
        """The names of the attributes that are set."""
        return frozenset(name for name in self.__slots__ if getattr(self, name))


GONE = Change(gone=True)
