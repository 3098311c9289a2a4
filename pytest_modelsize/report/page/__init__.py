"""The report as one HTML file that needs nothing else: no network, and no other file.

It is written for whoever reviews a change: which artifact failed, which section of it grew, and
what that section is made of, as a treemap in which area is bytes. Without its one script, which
shows the box to search in, it lacks nothing else. Needs the extra ``html``.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256

from pytest_modelsize.report.page.view import Depth, Detail, artifacts, columns, tally
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["ExtraMissing", "page"]

_PER_ARTIFACT = 2_990
"""Bytes of the page that an artifact may take, so that a hundred stay under 300,000."""
_MANY = 4
"""Of more artifacts than these, those that hold are printed as rows of the summary alone."""
_FEWEST = 100
"""So many artifacts share a page's bytes at least: one alone may take them all."""

_WHOLE = Depth(60, 12, 200)


def _less(tiles: int, lines: int, *, compared: bool = False, causes: int = 1) -> Depth:
    """Return a depth without tables."""
    return Depth(tiles, 0, lines, tables=False, compared=compared, causes=causes)


_DETAILS = (
    Detail(_WHOLE, _WHOLE, 240),
    Detail(_WHOLE, Depth(30, 8, 80), 160),
    Detail(_WHOLE, Depth(15, 5, 40), 120),
    Detail(_WHOLE, _less(15, 40, compared=True), 100),
    Detail(Depth(40, 12, 80), _less(11, 30, compared=True), 100),
    Detail(Depth(40, 12, 80), _less(9, 30), 100),
    Detail(Depth(40, 12, 80), _less(7, 20), 100),
    Detail(Depth(40, 12, 60), _less(5, 12), 80),
    Detail(Depth(24, 6, 40), _less(5, 12), 80),
    Detail(Depth(24, 6, 40), _less(4, 8), 60),
    Detail(Depth(12, 3, 30), _less(4, 8), 60),
    Detail(_less(12, 20, compared=True, causes=3), _less(4, 8), 60),
    Detail(_less(9, 20, compared=True, causes=2), _less(4, 8), 60),
    Detail(_less(6, 12, compared=True), _less(4, 8), 60),
    Detail(_less(6, 12), _less(4, 8), 60),
    Detail(_less(4, 6), _less(3, 2, causes=0), 48),
    Detail(_less(1, 2, causes=0), _less(1, 1, causes=0), 40),
    Detail(_less(0, 1, causes=0), _less(0, 1, causes=0), 20),
)
"""From the most to the least. What has no tile of its own is folded into one, so that areas add up
all the same; failed artifacts keep more than the others."""


class ExtraMissing(ImportError):
    """A library that the page needs is not installed; the message says what to install."""


def page(results: Sequence[CheckResult], *, title: str = "Model sizes", version: str = "") -> str:
    """Return the report on ``results`` as the text of one HTML file.

    The same results give the same text, in whichever order they come. A page of up to a hundred
    artifacts stays under 300,000 bytes: the more there are, the more small entries are folded.

    Args:
        results: what the checks found, their measurements condensed.
        title: of the page.
        version: of this package, shown at the end; or empty.

    Raises:
        ExtraMissing: where jinja2 or squarify is not installed.
    """
    most = _PER_ARTIFACT * max(_FEWEST, len(results))
    texts: dict[Detail, str] = {}

    def fits(detail: Detail) -> bool:
        texts[detail] = _render(results, detail, title, version)
        return len(texts[detail].encode()) <= most

    try:
        first = bisect_left(_DETAILS, x=True, hi=len(_DETAILS) - 1, key=fits)
        detail = _DETAILS[first]
        return texts.get(detail) or _render(results, detail, title, version)
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            f"an HTML report needs {error.name}, which is not installed: "
            "pip install 'pytest-modelsize[html]'",
            name=error.name,
        ) from error


def _render(results: Sequence[CheckResult], detail: Detail, title: str, version: str) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__name__), autoescape=True, undefined=StrictUndefined
    )
    shown = artifacts(results, detail)
    script = environment.get_template("search.js").render()
    text = environment.get_template("page.html").render(
        title=printable(title),
        version=printable(version),
        tally=tally(results),
        artifacts=shown,
        columns=columns(shown),
        many=len(shown) > _MANY,
        compared=any(result.baseline is not None for result in results),
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )
    return str(text)
