"""Text from elsewhere, made safe inside Markdown: it neither formats, links nor calls anybody.

GitHub and GitLab look for ``@name``, ``#1`` and the like in the HTML that Markdown became, so that
an entity hides nothing from them; they leave ``<code>`` alone. GitHub: html-pipeline's
``MentionFilter`` skips ``pre``, ``code``, ``tt`` and ``a``; GitLab: ``Banzai::Filter`` does the
same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_modelsize.sizes.escaping import escaped, printable
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["ICONS", "all_good", "code", "fenced", "words"]

ICONS = {
    "failed": "❌",
    "unchecked": "⚠️",
    "xpassed": "⚠️ xpassed",
    "xfailed": "xfailed",
    "passed": "✅",
    "measured": "📏",
    "skipped": "skipped",
}
"""What stands before an artifact, by its standing."""

_SPECIAL = re.compile(r"[^\w ,+()'=?%.:-]|_|(?<=[wW]{3})\.|:(?=\S)")
"""What Markdown or HTML may read as more than text: all marks but a few. ``www.`` is a link, and so
is ``http:``; ``:tada:`` is a picture."""
_REFERENCE = re.compile(r"""[@#!~$&%^](?=[\w"])|\bGH(?=-\d)""")
"""What calls a user, an issue or a milestone by the word that follows."""
_NOTHING = "\u200b"
_LONGEST_LINE = 240
_MOST_LINES = 200


def code(text: str) -> str:
    """Return a name, on one line, as code: whatever is in it is shown as it is."""
    return f"<code>{_entities(printable(text))}</code>" if text else ""


def words(text: str) -> str:
    """Return a sentence, on one line, in which a name is no more than a name."""
    return _entities(_REFERENCE.sub(lambda match: match[0] + _NOTHING, printable(text)))


def fenced(text: str, language: str = "text") -> list[str]:
    """Return ``text`` as a block of code whose fence is longer than any that is in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = [escaped(line)[:_LONGEST_LINE] for line in text.splitlines()]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES} more lines"]
    return [f"{fence}{language}", *lines, fence]


def _entities(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", text)


def all_good(results: Sequence[CheckResult]) -> str:
    """Return what to say of results of which none is bad."""
    if all(result.measurement is None for result in results):
        return "no artifact was measured"
    if all(result.verdict in ("measured", "skipped") for result in results):
        return "no budget was checked"
    return "all within budget"
