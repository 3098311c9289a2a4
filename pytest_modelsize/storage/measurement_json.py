"""Measurements as JSON: whole, as ``modelsize show --json`` prints them, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.sizes.measurement import Kind, LawBroken, Measurement, Section
from pytest_modelsize.storage.files import FileProblem, open_for_reading
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = [
    "SCHEMA",
    "as_json",
    "from_json",
    "load",
    "load_object",
    "measurement_as_json",
    "measurement_from_json",
    "section_as_json",
    "section_from_json",
]

SCHEMA = 1
"""Version of the JSON form; it grows when a reader of the old form would misread the new one."""

_DEEPEST = 200
_LARGEST = 2**28
"""Bytes of a JSON file that is read: a tree of a million entries takes half of it."""


def as_json(measurement: Measurement) -> dict[str, object]:
    """Return ``measurement`` in built-in types.

    ``schema``, ``name``, ``format``, ``total`` (bytes) and ``sections``, each a ``name``, ``kind``
    (None where its children differ), ``size`` (bytes), ``note`` and ``children``.
    """
    return {"schema": SCHEMA, **measurement_as_json(measurement)}


def measurement_as_json(measurement: Measurement) -> dict[str, object]:
    """Return ``measurement`` as `as_json` does, without the version of the form."""
    return {
        "name": measurement.name,
        "format": measurement.format,
        "total": measurement.bytes_on_disk,
        "sections": [section_as_json(section) for section in measurement.tree],
    }


def section_as_json(section: Section) -> dict[str, object]:
    """Return one section in built-in types."""
    return {
        "name": section.name,
        "kind": None if section.kind is None else section.kind.value,
        "size": section.size,
        "note": section.note,
        "children": [section_as_json(child) for child in section.children],
    }


def from_json(value: object) -> Measurement:
    """Return the measurement that `as_json` made ``value`` of.

    Raises:
        MeasurementJsonError: where it is not one, is of another version, or does not add up.
    """
    if not isinstance(value, Mapping):
        raise MeasurementJsonError(
            "is JSON, but no measurement as `modelsize show --json` writes it"
        )
    if value.get("schema") != SCHEMA:
        raise MeasurementJsonError(
            f"has schema {value.get('schema')!r}, and {SCHEMA} is what is read here"
        )
    return measurement_from_json(value)


def measurement_from_json(value: object) -> Measurement:
    """Return the measurement in ``value``: its ``name``, ``format``, ``total`` and ``sections``.

    Raises:
        MeasurementJsonError: where it is not one, or does not add up.
    """
    if not isinstance(value, Mapping):
        raise MeasurementJsonError(f"has a measurement that is not an object: {value!r:.60}")
    name, format = value.get("name"), value.get("format")
    total, sections = value.get("total"), value.get("sections")
    if not isinstance(name, str) or not isinstance(format, str) or not isinstance(sections, list):
        raise MeasurementJsonError("has a name, a format or sections of the wrong type")
    tree = tuple(section_from_json(section) for section in sections)
    try:
        return Measurement(name, format, _size(total, name), tree)
    except LawBroken as error:
        raise MeasurementJsonError(f"does not add up: {error}") from None


def section_from_json(value: object, depth: int = 0) -> Section:
    """Return the section that `section_as_json` made ``value`` of.

    Raises:
        MeasurementJsonError: where it is not one, or does not add up.
    """
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        raise MeasurementJsonError("has a section that is not an object, or is nested too deeply")
    name, note, children = value.get("name"), value.get("note", ""), value.get("children", [])
    if not isinstance(name, str) or not isinstance(note, str) or not isinstance(children, list):
        raise MeasurementJsonError(f"has a section {name!r:.60} with a part of the wrong type")
    kind = value.get("kind")
    if kind is not None and kind not in list(Kind):
        raise MeasurementJsonError(f"has a section {name!r:.60} of the unknown kind {kind!r:.60}")
    parts = tuple(section_from_json(child, depth + 1) for child in children)
    try:
        return Section(
            name=name,
            size=_size(value.get("size"), name),
            kind=None if kind is None else Kind(kind),
            children=parts,
            note=note,
        )
    except LawBroken as error:
        raise MeasurementJsonError(f"does not add up: {error}") from None


def load(path: Path) -> Measurement | None:
    """Return the measurement saved in ``path``, or None where the file does not claim to be one.

    Raises:
        MeasurementJsonError: where it claims to be one, and is not.
    """
    value = load_object(path)
    claims = value is not None and {"schema", "total", "sections"} <= value.keys()
    return from_json(value) if claims else None


def load_object(path: Path) -> Mapping[str, Any] | None:
    """Return the JSON object in ``path``, or None where the file holds none.

    Raises:
        MeasurementJsonError: if it is larger than any that is written here, cannot be read, or is
            no regular file.
    """
    try:
        with open_for_reading(path) as file:
            if not file.read(64).lstrip().startswith(b"{"):
                return None
            file.seek(0)
            text = file.read(_LARGEST + 1)
    except FileProblem as problem:
        raise MeasurementJsonError(str(problem)) from None
    except FileNotFoundError:
        return None
    if len(text) > _LARGEST:
        raise MeasurementJsonError(f"is a JSON text of more than {_LARGEST:,d} bytes")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _size(value: object, name: str) -> int:
    if is_whole(value):
        return value
    raise MeasurementJsonError(
        f"has a size of {name!r:.60} that is not a number of bytes: {value!r:.60}"
    )
