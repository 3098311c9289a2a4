"""Training data that is saved with the model: kept by an estimator, or among hyper-parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence, Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.comparison import entries
from pytest_modelsize.sizes.patterns import late

__all__ = ["find"]

_KEPT = late(r"(^|/)_?(fit_X|X_train_?|y_train_?|X_fit_?|X_|training_data_?|exog|endog)(/|$)")
"""Attributes in which scikit-learn and statsmodels keep what they were fitted on
(sklearn/neighbors/_base.py, gaussian_process/_gpr.py, kernel_ridge.py;
statsmodels/base/data.py)."""
_BESIDE = late(r"(^|/)(_y|_tree)(/|$)")
_HYPER = late(r"(^|/)(hyper_parameters|hparams|datamodule_hyper_parameters)(/|$)")
_FEWEST_ROWS = 32
_SHARE = 20


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield training data, told by the attribute that keeps it and by its length in rows."""
    measurement = evidence.measurement
    if measurement.format == "pickle":
        kept = [t for t in evidence.weights if _is_kept(t)]
        kept += _of_the_same_length(evidence, kept)
        if kept:
            yield _cause(evidence, kept)
    held = [
        entry
        for entry in entries(measurement.section("config"))
        if _HYPER.search(entry.name) and entry.size >= 1024
    ]
    size = sum(entry.size for entry in held)
    if size * _SHARE >= measurement.bytes_on_disk and held:
        yield Cause(
            kind="data among hyper-parameters",
            text=f"a checkpoint keeps every hyper-parameter: {held[0].name}",
            size=size,
            fix='leave it out: self.save_hyperparameters(ignore=["..."])',
            section="config",
            entries=tuple(entry.name for entry in held[:3]),
            changes=(("", Change(without=frozenset(entry.path for entry in held))),),
        )


def _is_kept(tensor: Tensor) -> bool:
    rows = tensor.shape[0] if tensor.shape else 0
    return rows >= _FEWEST_ROWS and _KEPT.search(tensor.name) is not None


def _of_the_same_length(evidence: Evidence, kept: list[Tensor]) -> list[Tensor]:
    """Return the labels, and what a tree over the data holds, by their name and their rows."""
    rows: dict[str, set[int]] = defaultdict(set)
    for tensor in kept:
        rows[tensor.name.rpartition("/")[0]].add(tensor.shape[0])
    return [
        tensor
        for tensor in evidence.weights
        if tensor not in kept
        and tensor.shape
        and _BESIDE.search(tensor.name)
        and any(
            tensor.shape[0] in lengths and tensor.name.startswith(f"{holder}/" if holder else "")
            for holder, lengths in rows.items()
        )
    ]


def _cause(evidence: Evidence, kept: list[Tensor]) -> Cause:
    size = sum(tensor.size for tensor in kept)
    first = max(kept, key=lambda tensor: tensor.size)
    return Cause(
        kind="training data",
        text=f"it keeps the data that it was fitted on: {first.name}, {first.note}",
        size=size,
        fix="fit on fewer rows, or take a model that keeps none of them",
        section="weights",
        entries=tuple(tensor.name for tensor in kept[:3]),
    )
