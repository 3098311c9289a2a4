"""What keeps a budget from passing on bytes that nobody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath

from pytest_modelsize.sizes.budget import PROMISE, Budget, Limit
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.measurement import OWN, Kind, Measurement, Section, SectionPath
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_modelsize.checks.take import Taken
    from pytest_modelsize.sizes.growth import Growth, GrowthLimit

__all__ = [
    "OpaqueEntry",
    "growth_not_known",
    "not_known",
    "opaque_entries",
    "opaque_patterns",
    "promise_broken",
]

_SHOWN = 3
"""Opaque entries that a message names."""


@dataclass(frozen=True, slots=True)
class OpaqueEntry:
    """An entry that nobody opened.

    Attributes:
        section: the top-level section as which its bytes are counted.
        name: its names below that, parted by slashes.
        size: bytes.
        note: why; or empty.
    """

    section: str
    name: str
    size: int
    note: str


def promise_broken(taken: Taken) -> str:
    """Return the message for a copy that holds state although it was saved without; or "".

    That is never the user's fault, and never a pass.
    """
    size = int(taken.measurement.optimizer)
    if taken.subject.path is not None or taken.settings.include_optimizer or not size:
        return ""
    return (
        f"{taken.measurement.name} was to be saved without optimizer state, but holds "
        f"{exact(size)} bytes of it, so its lean size is not known. This is a defect of "
        f"pytest-modelsize with this framework version: please report it. Until then, hold the "
        "budget on an artifact that your own export writes, with path="
    )


def not_known(budget: Budget, measurement: Measurement, *, command: bool = False) -> str:
    """Return the message for a budget that cannot be checked because of unopened entries; or "".

    A limit on the whole is held all the same. One on a section, and ``include_optimizer=False``,
    which is a limit of zero on state, hold if they would with all opaque bytes counted in; what is
    over its limit without them is over it.

    Args:
        budget: the limits.
        measurement: what they are held against.
        command: limits are written as options of the command, and not as a marker's arguments.
    """
    if problem := _types_not_known(budget, measurement, command=command):
        return problem
    limits = [
        (limit.section, limit.size, f"--{limit.section}" if command else f"{limit.section}=")
        for limit in budget.limits
        if not limit.dtype and limit.section is not None
    ]
    if not budget.include_optimizer:
        limits.insert(0, ("optimizer", 0, PROMISE))
    typed = [limit for limit in budget.limits if limit.dtype]
    opaque = opaque_entries(measurement, budget.allow_opaque) if limits or typed else ()
    for section, size, written in limits if opaque else ():
        elsewhere = sum(entry.size for entry in opaque if entry.section != section)
        measured = measurement.size_of(section)
        if measured <= size < measured + elsewhere:
            return _message(measurement, opaque, written, command=command)
    for limit in typed if opaque else ():
        elsewhere = sum(entry.size for entry in opaque if entry.section != "weights")
        used, most = limit.used(measurement), limit.resolved(measurement).size
        if used <= most < used + elsewhere - int((limit.share or 0) * elsewhere):
            return _message(measurement, opaque, _of_type(limit, command), command=command)
    return ""


def growth_not_known(
    limits: Sequence[GrowthLimit], growth: Growth | None, allow_opaque: Sequence[str]
) -> str:
    """Return the message for a section whose growth is not known because of unopened entries.

    It holds if it would with all opaque bytes of other sections counted as gained.
    """
    opaque = opaque_entries(growth.new, allow_opaque) if growth is not None else ()
    for limit in limits:
        if growth is None or limit.section is None:
            continue
        gained, room = (
            growth.counted[limit.section],
            limit.allowed(growth.old.size_of(limit.section)),
        )
        elsewhere = sum(entry.size for entry in opaque if entry.section != limit.section)
        if gained <= room < gained + elsewhere:
            return _message(growth.new, opaque, f"{limit.section}=", command=False)
    return ""


def opaque_entries(
    measurement: Measurement, allowed: Sequence[str] = ()
) -> tuple[OpaqueEntry, ...]:
    """Return what nobody opened, the largest first, but for what a pattern allows."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    pending: list[tuple[SectionPath, Section, str]]
    pending = [((section.name,), section, "") for section in measurement.tree]
    while pending:
        path, part, around = pending.pop()
        if part.kind not in (None, Kind.OPAQUE):
            continue  # all that is in it was opened
        note = part.note or around
        pending.extend(
            (path if child.name in OWN else (*path, child.name), child, note)
            for child in part.children
        )
        opaque = part.kind is Kind.OPAQUE and part.size and not part.children
        if opaque and not _allowed(path[1:], allowed):
            home = (path[0], "/".join(path[1:]) or measurement.name)
            found.setdefault(home, []).append((part.size, note))
    entries = (
        OpaqueEntry(
            section=section, name=name, size=sum(size for size, _ in parts), note=parts[0][1]
        )
        for (section, name), parts in found.items()
    )
    return tuple(sorted(entries, key=lambda entry: (-entry.size, entry.name)))


def _types_not_known(budget: Budget, measurement: Measurement, *, command: bool) -> str:
    """Return the message for weights of unknown type that may be of a limited one, or nothing."""
    if not any(limit.dtype for limit in budget.limits):
        return ""
    unknown = bytes_by_dtype(measurement).get("", 0)
    for limit in budget.limits:
        used = limit.used(measurement)
        if limit.dtype and used <= limit.resolved(measurement).size < used + unknown:
            return (
                f"of {exact(unknown)} bytes of the weights of {measurement.name} the data type is "
                f"not known, so {_of_type(limit, command)} cannot be held "
                "against them: limit the total, or export the model in a format that tells "
                "each tensor's type"
            )
    return ""


def _of_type(limit: Limit, command: bool) -> str:
    """Return a limit on a data type as it is written."""
    if command:
        return f"--dtype {limit.dtype}={limit.written}"
    return f'dtypes={{"{limit.dtype}": "{limit.written}"}}'


def opaque_patterns(value: object) -> tuple[str, ...]:
    """Return the patterns that ``allow_opaque=`` gives: a list of texts such as ``*.spm``.

    Raises:
        ValueError: where it is anything else; the message says what to write.
    """
    if isinstance(value, (list, tuple)):
        patterns = [part for part in value if isinstance(part, str) and part.strip()]
        if len(patterns) == len(value):
            return tuple(patterns)
    raise ValueError(f'allow_opaque= takes a list of names, such as ["*.spm"], not {value!r:.60}')


def _allowed(names: SectionPath, patterns: Sequence[str]) -> bool:
    """Return whether a pattern fits a name in an entry's path, or the start of the path."""
    parts = "/".join(names).split("/")
    starts = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (*starts, *parts))


def _message(
    measurement: Measurement, opaque: Sequence[OpaqueEntry], written: str, *, command: bool
) -> str:
    total = sum(entry.size for entry in opaque)
    shown = ", ".join(
        f"{printable(entry.name)} ({exact(entry.size)} B{_why(entry)})" for entry in opaque[:_SHOWN]
    )
    if len(opaque) > _SHOWN:
        shown += f" and {len(opaque) - _SHOWN} more"
    name = opaque[0].name.rpartition("/")[2]
    suffix = PurePath(name).suffix
    pattern = printable(f"*{suffix}" if suffix else name)
    allowed = f'--allow-opaque "{pattern}"' if command else f'allow_opaque=["{pattern}"]'
    return (
        f"{measurement.name} holds {exact(total)} bytes that nobody could open, so {written} "
        f"cannot be held against what is inside: {shown}. Limit the total alone, export in "
        f"a format with sections, or say what may stay unopened, as in {allowed}"
    )


def _why(entry: OpaqueEntry) -> str:
    why = entry.note.removeprefix("opaque: ")
    return f", {printable(why)}" if why else ""
