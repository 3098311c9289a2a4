"""Training data that is saved with the model: kept by an estimator, or among hyper-parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.patterns import late

__all__ = ["HYPER_PARAMETERS", "find"]

_KEPT = late(
    r"(?i:(^|/)_?(fit_X|X_fit_?|X_|X|y|exog|endog|raw_data_?|(train(ing)?|val(id(ation)?)?|test)"
    r"(_?(data(set)?|set|df|frame|features|labels|targets|[xy]))?_?"
    r"|[Xy]_?(train(ing)?|val(id(ation)?)?|test|resampled|scaled)_?|data(set|frame)|df"
    r"|replay_buffer|support_vectors_)(/|$))"
)
"""Attributes in which scikit-learn and statsmodels keep what they were fitted on
(sklearn/neighbors/_base.py and _kde.py, gaussian_process/_gpr.py, kernel_ridge.py;
statsmodels/base/data.py), and what people call it who save it with the model."""
_SET = late(
    r"(?i:(^|/)(replay_?buffer|memory_?buffer|data_?set|samples|"
    r"(train(ing)?|val(id(ation)?)?|test)_?(data(set)?|set|[xy]|images|features|labels|targets)|"
    r"[xy]_?(train(ing)?|val(id(ation)?)?|test))(/|$))"
)
"""How a data set is called beside networks, whose layers have short names, too."""
_TABLE = late(r"(^|/)(tree_/0|data)(/|$)")
"""The same of a table: what a tree over the data keeps has no name, and the elements of a sparse
matrix are called ``data``, too."""
_PER_ROW = late(
    r"(^|/)(_y|_tree|tree_|L_|alpha_|dual_coef_|labels_|label_distributions_|transduction_"
    r"|dist_matrix_|affinity_matrix_|dissimilarity_matrix_|embedding_|_distances\w*|_lrd"
    r"|negative_outlier_factor_|y_scores|pi_|W_sr_|_mask_fit_X|wresid|wexog|wendog|fittedvalues)"
    r"(/|$)"
)
"""What has a number, or a row of numbers, for each row of the data."""
_PAIRS = late(r"(^|/)(affinity_matrix_|dissimilarity_matrix_|dist_matrix_)(/|$)")
"""Numbers for each two rows, where the data itself is not kept (sklearn/cluster, manifold)."""
HYPER_PARAMETERS = late(
    r"(^|/)(hyper_parameters|hparams|datamodule_hyper_parameters)(/|$)",
    holds=("hyper_parameters", "hparams"),
)
"""Where a checkpoint keeps them: lightning/pytorch/core/saving.py, and the tutorials' name."""
_FEWEST_ROWS = 32
_SHARE = 20


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield training data, recognised by the attribute that holds it and by its number of rows."""
    measurement = evidence.measurement
    if measurement.format == "torch":
        yield from _in_checkpoint(evidence)
    if measurement.format == "pickle":
        kept = [t for t in evidence.weights if _is_kept(t)]
        kept += _of_the_same_length(evidence, kept)
        if kept:
            yield _cause(evidence, kept)
    held = [
        entry
        for entry in evidence.entries("config")
        if HYPER_PARAMETERS.search(entry.name) and entry.size >= 1024
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


def _in_checkpoint(evidence: Evidence) -> Iterator[Cause]:
    """Data sets and replay buffers that a checkpoint of PyTorch's keeps beside the weights."""
    kept = [
        tensor
        for tensor in evidence.weights
        if max(tensor.shape[:1], default=0) >= _FEWEST_ROWS and _SET.search(tensor.name)
    ]
    size = sum(tensor.size for tensor in kept)
    if kept and size * _SHARE >= evidence.measurement.bytes_on_disk:
        yield Cause(
            kind="training data",
            text=f"it keeps the data that it was trained on: {kept[0].name}, {kept[0].note}",
            size=size,
            fix="leave it out of what ships",
            section="weights",
            entries=tuple(tensor.name for tensor in kept[:3]),
            changes=(("", Change(without=frozenset(tensor.path for tensor in kept))),),
        )


def _is_kept(tensor: Tensor) -> bool:
    rows = max(tensor.shape[:2], default=0)  # a frame keeps its columns as rows
    kinds = (_KEPT, _PAIRS, _TABLE) if len(tensor.shape) == 2 else (_KEPT,)
    return rows >= _FEWEST_ROWS and any(kind.search(tensor.name) for kind in kinds)


def _of_the_same_length(evidence: Evidence, kept: list[Tensor]) -> list[Tensor]:
    """Return labels and other arrays with one element per row, by their names and lengths."""
    rows: dict[str, set[int]] = defaultdict(set)
    for tensor in kept:
        rows[tensor.name.rpartition("/")[0]] |= set(tensor.shape[:1])
    return [
        tensor
        for tensor in evidence.weights
        if tensor not in kept
        and tensor.shape
        and _PER_ROW.search(tensor.name)
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
