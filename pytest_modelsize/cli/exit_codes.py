"""What the command's exit codes say."""

from __future__ import annotations

__all__ = ["BAD", "OVER", "PIPE", "WITHIN"]

WITHIN = 0
OVER = 1
BAD = 2
"""The input cannot be read, or the command makes no sense."""
PIPE = 141
"""What a shell makes of a process that SIGPIPE ended."""
