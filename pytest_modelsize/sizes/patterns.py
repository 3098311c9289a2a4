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
    """Stands in for a pattern, which is compiled when one of its methods is first used."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self.pattern, self.flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self.flags)
        self.match, self.fullmatch = compiled.match, compiled.fullmatch
        self.search, self.finditer = compiled.search, compiled.finditer
        return getattr(compiled, name)


if TYPE_CHECKING:

    def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]: ...

else:

    def late(pattern, flags=0):
        """Return what `re.compile` returns of the same arguments, made when it is needed."""
        return _Late(pattern, flags)
