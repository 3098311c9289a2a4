"""What the command's exit codes say."""

from __future__ import annotations

__all__ = ["BAD", "EXPLAINED", "OVER", "PIPE", "WITHIN"]

WITHIN = 0
OVER = 1
BAD = 2
"""The input cannot be read, or the command makes no sense."""
PIPE = 141
"""What a shell makes of a process that SIGPIPE ended."""

_DONE = "Exit codes: 0 done, 2 for input that cannot be read or arguments that make no sense."
EXPLAINED = {
    "": "Exit codes: 0 within the budget, or done; 1 over it; 2 for input that cannot be read or "
    "arguments that make no sense.",
    "check": "Exit codes: 0 all within their budgets; 1 one is over; 2 for a file that cannot be "
    "read, a budget that was not checked, or arguments that make no sense.",
    "diff": "Exit codes: 0 done, or within --max-growth; 1 grown by more; 2 for input that cannot "
    "be read or arguments that make no sense.",
    "show": _DONE,
    "merge": _DONE,
    "comment": "Exit codes: 0 done, whatever the sizes: the tests have the verdict; 2 for input "
    "that cannot be read or arguments that make no sense.",
    "export": _DONE,
}
"""The codes of the command, and of each subcommand that has fewer, or says more of them."""
