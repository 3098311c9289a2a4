"""The ``model_size`` fixture: measure what a test hands over, and explain its assertions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.diagnosis import Explanation, diagnose
from pytest_modelsize.checks.explanation import explain
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.subject import Subject, as_subject
from pytest_modelsize.checks.take import Settings, Taken, take
from pytest_modelsize.checks.trust import not_known, promise_broken
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.items import format_of, saves_sparsely
from pytest_modelsize.plugin.marker import (
    MarkerError,
    check_compression,
    check_format,
    check_opaque,
)
from pytest_modelsize.plugin.outcomes import ModelSizeUnchecked
from pytest_modelsize.plugin.state import add_result, folders_of, handed_of, session_of
from pytest_modelsize.report.failure import Circumstances, failure
from pytest_modelsize.saving import FORMATS, SaveError, default_format
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sizes.budget import Budget, Excess, Limit
from pytest_modelsize.sizes.bytesize import SizeError, parse_size
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.measured_size import MeasuredSize
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import replace
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["explain_assertion", "forget_handed", "measure_handed"]

_SHORT = 8
"""Lines of an explanation that pytest shows by default (_pytest/assertion/truncate.py)."""


def measure_handed(
    item: pytest.Item,
    value: object,
    *,
    format: str | None,
    include_optimizer: bool,
    save_options: Mapping[str, object],
    compression: str,
    allow_opaque: Sequence[str],
) -> Measurement:
    """Measure what a test handed to the ``model_size`` fixture."""
    format = format or default_format(value, format_of(item))
    try:
        check_format(format, FORMATS)
        allowed = check_opaque(allow_opaque)
        if compression:
            check_compression(compression)
    except MarkerError as error:
        raise ValueError(f"model_size {error}") from None
    subject = as_subject(value, "model")
    if subject is None:
        subject = _path_subject(value)
    settings = Settings(
        format=format,
        include_optimizer=include_optimizer,
        options=save_options,
        sparse=saves_sparsely(item.config),
        compression=compression,
    )
    taken = take(subject, settings, folders_of(item.config))
    taken.discard()
    promise = Budget((), include_optimizer, allow_opaque=allowed)
    if problem := promise_broken(taken) or not_known(promise, taken.measurement):
        raise SaveError(problem)
    measurement = replace(taken.measurement, hold=_holder(taken.measurement, allowed))
    taken = replace(taken, copy=None, measurement=measurement)
    session_of(item.config).handed[id(taken.measurement)] = (item, taken)
    handed_of(item).append(taken)
    add_result(
        item,
        CheckResult(
            test=item.nodeid,
            artifact=taken.measurement.name,
            verdict="measured",
            measurement=condense(taken.measurement),
            versions=versions_of(subject.model),
            dtypes=bytes_by_dtype(taken.measurement),
        ),
    )
    return taken.measurement


def _holder(
    measurement: Measurement, allowed: tuple[str, ...]
) -> Callable[[str, int, int], None] | None:
    """Return what keeps an assertion on a section from passing on what nobody opened."""

    def hold(section: str, size: int, limit: int) -> None:
        budget = Budget((Limit(section, limit, str(limit)),), allow_opaque=allowed)
        if problem := not_known(budget, measurement):
            raise ModelSizeUnchecked(f"budget not checked: {problem}", pytrace=False)

    return hold if measurement.opaque else None


def forget_handed(item: pytest.Item) -> None:
    """Let go of the models that the test handed over, when it is done."""
    session = session_of(item.config)
    for taken in handed_of(item):
        session.handed.pop(id(taken.measurement), None)
    handed_of(item).clear()


def explain_assertion(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Return the failure's text for ``size <= limit`` in any of its forms; None for all others."""
    if op in (">", ">="):
        left, op, right = right, {">": "<", ">=": "<="}[op], left
    if (
        op not in ("<", "<=")
        or not isinstance(right, (int, str))
        or isinstance(right, MeasuredSize)
    ):
        return None
    if isinstance(left, Measurement):
        left = left.total
    if not isinstance(left, MeasuredSize):
        return None
    try:
        limit = Limit.of(left.section, parse_size(right), right)
    except SizeError:
        return None
    item, taken = session_of(config).handed.get(id(left.measurement), (None, None))
    if item is None or taken is None or left <= limit.size:
        return None
    excesses = (Excess(limit, int(left)),)
    explanation = _explained(taken, excesses, folders_of(config))
    text = failure(taken.measurement, excesses, explanation, Circumstances())
    lines = text.splitlines()
    if config.get_verbosity() >= 2 or {"CI", "BUILD_NUMBER"} & set(os.environ):
        return lines
    # Here pytest cuts explanations after eight lines: the beginning, and the whole for itself.
    item.add_report_section("call", "modelsize", text)
    return [line for line in lines if line.strip()][:_SHORT]


def _explained(taken: Taken, excesses: Sequence[Excess], folders: CopyFolders) -> Explanation:
    """Explain a measurement by other saves of its model, if that is still the same one.

    The test may have changed it since it was measured.
    """
    saves = SaveCache(folders)
    if taken.subject.path is None:
        with suppress(SaveError, ArtifactError):
            again = saves.get(taken.subject, taken.settings)
            again.discard()
            if again.measurement == taken.measurement:
                return explain(taken, excesses, saves)
        return diagnose(taken.measurement, excesses, optimizers=taken.optimizers)
    return explain(taken, excesses, saves)


def _path_subject(value: object) -> Subject:
    if isinstance(value, (str, Path)):
        return Subject(Path(value).name, path=Path(value))
    raise TypeError(
        f"model_size takes a model or the path of an artifact, not {type(value).__qualname__}"
    )
