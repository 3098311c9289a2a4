"""Regular expressions that are compiled when they are first used.

Compiling one takes as long as reading the headers of a small file, and most files need few of
those that the readers have.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr

__all__ = ["late"]


class _Late:
    """Stands in for a pattern, which is compiled when it is first held against what may match."""

    def __init__(self, pattern: Any, flags: int, holds: tuple[Any, ...]) -> None:
        self.pattern, self.flags, self._holds = pattern, flags, holds

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._compiled(), name)
        setattr(self, name, found)
        return found

    def search(self, text: Any, *within: int) -> Any:
        return self._compiled().search(text, *within) if self._may_match(text) else None

    def match(self, text: Any, *within: int) -> Any:
        return self._compiled().match(text, *within) if self._may_match(text) else None

    def fullmatch(self, text: Any, *within: int) -> Any:
        return self._compiled().fullmatch(text, *within) if self._may_match(text) else None

    def _compiled(self) -> Any:
        found: Any = re.compile(self.pattern, self.flags)
        own: Any = self
        own.search, own.match, own.fullmatch = found.search, found.match, found.fullmatch
        return found

    def _may_match(self, text: Any) -> bool:
        # Beyond ASCII, other letters in lower case match whatever the case.
        if not self._holds or (isinstance(text, str) and not text.isascii()):
            return True
        low = text.lower()
        return any(held in low for held in self._holds)


if TYPE_CHECKING:

    def late(
        pattern: AnyStr, flags: int = 0, *, holds: tuple[AnyStr, ...] = ()
    ) -> re.Pattern[AnyStr]: ...

else:

    def late(pattern, flags=0, *, holds=()):
        """Return what `re.compile` returns of the same arguments, made when it is needed.

        Args:
            pattern: as `re.compile` takes it.
            flags: the same.
            holds: texts in lower case, one of which is in whatever matches: what has none of them
                is told without the pattern.
        """
        return _Late(pattern, flags, holds)
