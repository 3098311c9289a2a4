"""What the markers' arguments mean; each mistake in them has a message of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath

from pytest_modelsize.checks.compression import METHODS
from pytest_modelsize.checks.dtype_limits import dtype_limit
from pytest_modelsize.checks.subject import Target
from pytest_modelsize.checks.suggestion import suggest
from pytest_modelsize.checks.trust import opaque_patterns
from pytest_modelsize.sizes.budget import Budget, Limit
from pytest_modelsize.sizes.bytesize import SizeError, parse_size
from pytest_modelsize.sizes.growth import GrowthLimit, parse_growth
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass, field

__all__ = [
    "MarkerError",
    "MarkerRequest",
    "check_compression",
    "check_format",
    "check_opaque",
    "parse_marker",
]

_KEYWORDS = (
    "limit", "model", "path", "format", "include_optimizer", "save_options", "compression",
    "reason", "dtypes",
    "allow_opaque", *SECTIONS,
)  # fmt: skip
_MEANT = ("max", "max_size", "size", "maximum", "total", "budget")
"""What people write in place of the limit's position."""
_PATH = late(r"\A[^0-9+\-]*([/\\*]|\.[A-Za-z][\w.]{1,14}\Z)")
"""What looks like a path, or a pattern of one."""
_SIZE = ('@pytest.mark.max_model_size("2MB")', 'config="50 kB"', 'optimizer="0 B"')
_GROWTH = ('@pytest.mark.max_model_growth("5%")', 'config="1 kB"', 'config="1 kB"')
"""How each marker is written, with a limit on the whole and with one on a section."""


class MarkerError(ValueError):
    """An argument of the marker that makes no sense; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class MarkerRequest:
    """What one marker asks for: hold this budget on that artifact.

    Attributes:
        budget: the limits on sizes, which a marker of growth has none of.
        growth: the limits on growth past the baseline.
        target: which artifact is meant.
        format: how a live model is saved; None leaves it to the project's default.
        save_options: passed on to the framework's own call.
        compression: how the artifact is compressed before it is weighed; or empty.
    """

    budget: Budget
    growth: tuple[GrowthLimit, ...]
    target: Target
    format: str | None
    save_options: Mapping[str, object] = field(default_factory=dict)
    compression: str = ""


def parse_marker(
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    formats: Iterable[str],
    *,
    growth: bool = False,
) -> MarkerRequest:
    """Return what ``max_model_size(*args, **kwargs)`` asks for.

    Args:
        args: the limit on the whole artifact, or nothing.
        kwargs: the keywords as written.
        formats: names of the formats in which a live model can be saved.
        growth: the marker is ``max_model_growth``, whose limits may be shares of the baseline.

    Raises:
        MarkerError: for an unknown keyword, a wrong size, a wrong type, or no limit at all.
    """
    example, of_section, instead = _GROWTH if growth else _SIZE
    values = _named(args, kwargs, example, of_section)
    limited = [keyword for keyword in ("limit", *SECTIONS) if keyword in values]
    dtypes = _dtypes(values, growth=growth)
    if not limited and not dtypes:
        raise MarkerError(f"has no limit: write {example} or a section's, such as {instead}")
    sizes = tuple(_limit(word, values[word]) for word in limited if not growth)
    growths = tuple(_growth(word, values[word]) for word in limited if growth)
    target = Target(_text(values, "model"), _text(values, "path"), _text(values, "format"))
    if target.model is not None and target.path is not None:
        raise MarkerError("names both model= and path=: keep one, and stack a marker for the other")
    format = target.format
    if format is not None:
        if target.path is not None:
            raise MarkerError(
                "has format= beside path=: an artifact that exists is not saved again"
            )
        check_format(format, formats)
    options = _options(values)
    if options and target.path is not None:
        raise MarkerError("has save_options= beside path=: what exists is not saved again")
    compression = _text(values, "compression") or ""
    if compression:
        check_compression(compression)
    return MarkerRequest(
        budget=Budget(
            limits=(*sizes, *dtypes),
            include_optimizer=_flag(values, "include_optimizer"),
            reason=_text(values, "reason") or "",
            allow_opaque=check_opaque(values.get("allow_opaque", ())),
        ),
        growth=growths,
        target=target,
        format=format,
        save_options=options,
        compression=compression,
    )


def check_opaque(value: object) -> tuple[str, ...]:
    """Return the patterns that ``allow_opaque=`` gives.

    Raises:
        MarkerError: where it is not a list of texts.
    """
    try:
        return opaque_patterns(value)
    except ValueError as error:
        raise MarkerError(str(error)) from None


def _named(
    args: tuple[object, ...], kwargs: Mapping[str, object], example: str, of_section: str
) -> dict[str, object]:
    """Return all arguments that were given by their names; None is as good as left out."""
    if len(args) > 1:
        raise MarkerError(
            f"takes one limit, not {len(args)}: write {example} "
            f"and name the limits of sections, as in {of_section}"
        )
    for keyword in kwargs:
        if keyword in _MEANT:
            given = kwargs[keyword]
            if not args and isinstance(given, (str, int)):
                example = f"{example.partition('(')[0]}({_quoted(given)})"
            raise MarkerError(f"has no keyword {keyword!r}: write the limit first, as in {example}")
        if keyword not in _KEYWORDS:
            raise MarkerError(f"has no keyword {keyword!r}: {suggest(keyword, _KEYWORDS)}")
    if args and "limit" in kwargs:
        raise MarkerError(f"gives its limit twice: {args[0]!r} and limit={kwargs['limit']!r}")
    values = {keyword: value for keyword, value in kwargs.items() if value is not None}
    if args and args[0] is not None:
        values["limit"] = args[0]
    return values


def check_format(format: str, formats: Iterable[str]) -> None:
    """Refuse a format in which no model can be saved.

    Raises:
        MarkerError: naming the formats there are.
    """
    known = tuple(formats)
    if format not in known:
        raise MarkerError(f"has the unknown format {format!r}: {suggest(format, known)}")


def check_compression(compression: str) -> None:
    """Refuse a way to compress that is not known.

    Raises:
        MarkerError: naming those there are.
    """
    if compression not in METHODS:
        hint = suggest(compression, tuple(METHODS))
        raise MarkerError(f"has the unknown compression {compression!r}: {hint}")


def _limit(keyword: str, value: object) -> Limit:
    section = None if keyword == "limit" else keyword
    try:
        return Limit.of(section, parse_size(value), value)
    except SizeError as error:
        hint = ""
        if isinstance(value, PurePath) or (isinstance(value, str) and _PATH.search(value)):
            hint = f'; an artifact is named by path="{value}", beside a limit'
        if keyword == "optimizer" and isinstance(value, bool):
            hint = "; include_optimizer=False forbids its state"
        raise MarkerError(f"{keyword}: {error}{hint}") from error


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)


def _dtypes(values: Mapping[str, object], *, growth: bool) -> tuple[Limit, ...]:
    """Return the limits on weights by data type."""
    given = values.get("dtypes", {})
    if growth and given:
        raise MarkerError("has dtypes=, which only max_model_size takes")
    if not isinstance(given, Mapping):
        raise MarkerError(
            f'dtypes= takes a dictionary such as {{"float32": "5 %"}}, not {given!r:.60}'
        )
    try:
        return tuple(dtype_limit(dtype, value) for dtype, value in given.items())
    except SizeError as error:
        raise MarkerError(f"dtypes= {error}") from error


def _growth(keyword: str, value: object) -> GrowthLimit:
    try:
        return parse_growth(None if keyword == "limit" else keyword, value)
    except SizeError as error:
        raise MarkerError(f"{keyword}: {error}") from error


def _text(values: Mapping[str, object], keyword: str) -> str | None:
    value = values.get(keyword)
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise MarkerError(
        f"{keyword}= takes a non-empty text, not {value!r:.60}{_hint(keyword, value)}"
    )


def _hint(keyword: str, value: object) -> str:
    if keyword == "model":
        return ': the name of a fixture, such as model="classifier"'
    if keyword == "path" and isinstance(value, PurePath):
        return f": write path={_quoted(value.as_posix())}"
    if keyword == "path":
        return ', such as path="exports/*.keras"; stack one marker for each artifact'
    return ""


def _options(values: Mapping[str, object]) -> Mapping[str, object]:
    value = values.get("save_options", {})
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return value
    raise MarkerError(
        f'save_options= takes a dictionary by option, such as {{"optimizations": [...]}}, not '
        f"{value!r:.60}"
    )


def _flag(values: Mapping[str, object], keyword: str) -> bool:
    value = values.get(keyword, True)
    if isinstance(value, bool):
        return value
    raise MarkerError(f"{keyword}= takes True or False, not {value!r:.60}")
