"""Files and entries that training or exporting left beside the model, and that no one loads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from pytest_modelsize.checks.causes.cause import REBUILT, Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats import files_of
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import replace

__all__ = ["find", "find_files"]

_FILES = (
    (late(r"(^|/)(training_args\.bin|trainer_state\.json|rng_state\S*\.(pth|pt)|"
          r"(sampler|dl_state_dict|scaler|scheduler)\S*\.(pt|bin)|random_states_\d+\.pkl|"
          r"custom_checkpoint_\d+\.pkl|zero_to_fp32\.py|latest(_checkpointed_iteration\.txt)?)$",
          holds=("training_args", "trainer_state", "rng_state", "sampler", "dl_state", "scaler",
                 "scheduler", "random_states", "custom_checkpoint", "zero_to", "latest")),
     "state of the trainer"),
    (late(r"(^|/)events\.out\.tfevents\.|(^|/)(wandb|runs|logs|mlruns|lightning_logs|tb_logs|"
          r"tensorboard)/|(^|/)nohup\.out$|\.log$",
          holds=("events.out", "wandb", "runs", "logs", "tensorboard", "nohup", ".log")), "logs"),
    (late(r"(^|/)(\.git|\.svn|\.hg|\.dvc|__pycache__|\.ipynb_checkpoints|\.venv|venv|node_modules|"
          r"\.idea|\.vscode|\.(pytest|mypy|ruff)_cache|\.cache)/|"
          r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini)$|\.(pyc|swp|tmp|bak|lock)$|~$",
          holds=(".git", ".svn", ".hg", ".dvc", "__pycache__", ".ipynb", "venv", "node_modules",
                 ".idea", ".vscode", "_cache", ".cache", ".ds_store", "thumbs", "desktop", ".pyc",
                 ".swp", ".tmp", ".bak", ".lock", "~")),
     "leavings of tools"),
)  # fmt: skip
"""What Hugging Face's Trainer and accelerate write beside the model (transformers/trainer.py,
accelerate/checkpointing.py), and what tools leave behind."""
_DEBUG = late(
    r"\.debug_pkl$|(^|/)debug[_ ]info(/|$)|\.mlir$|(^|/)(doc strings|metadata of nodes)(/|$)",
    holds=("debug", ".mlir", "doc strings", "metadata of nodes"),
)
_TRAINER = late(
    r"^(callbacks|loops|(\w+_)?(rng|random)(_?states?)?|(lr_)?schedulers?(_state(_dict)?)?"
    r"|(grad_)?scaler(_state(_dict)?)?)(/|$|\d)",
    holds=("callbacks", "loops", "rng", "random", "scheduler", "scaler"),
)
_SHARE = 50


def find_files(evidence: Evidence, gone: Collection[str]) -> Iterator[Cause]:
    """Yield superseded steps of the model, and files that do not belong to it."""
    from pytest_modelsize.checks.causes.files import left_out

    older: set[str] = set(gone)
    for cause in _steps(evidence):
        older |= {name for name, _ in cause.changes}
        yield cause
    for pattern, kind in _FILES:
        names = [
            name
            for name, part in evidence.files.items()
            if pattern.search(name)
            and name not in older
            and not (kind == "logs" and part.weights)  # runs/train/exp/weights/best.pt
        ]
        older |= set(names)
        size = sum(evidence.files[name].measurement.bytes_on_disk for name in names)
        if size:
            yield Cause(
                kind=kind,
                text=f"no one who uses the model loads them: {', '.join(names[:3])}",
                size=size,
                fix=f"do not ship {', '.join(names[:3])}{' ...' if len(names) > 3 else ''}",
                entries=tuple(names[:3]),
                changes=left_out(names),
            )


def _steps(evidence: Evidence) -> Iterator[Cause]:
    """Several steps of one training kept in a folder."""
    from pytest_modelsize.checks.causes.files import left_out, step_of

    sizes = {name: part.measurement.bytes_on_disk for name, part in evidence.files.items()}
    for gone, cause in _older(sizes, step_of):
        yield replace(cause, changes=left_out(gone))


def _steps_of_checkpoints(evidence: Evidence) -> Iterator[Cause]:
    """Several steps in a folder of TensorFlow's checkpoints."""
    from pytest_modelsize.checks.causes.files import step_of_checkpoint

    path, total = evidence.path, evidence.measurement.bytes_on_disk
    if path is None or evidence.measurement.format != "checkpoint" or not path.is_dir():
        return
    sizes = {file.relative_to(path).as_posix(): file.stat().st_size for file in files_of(path)}
    if sum(sizes.values()) != total:
        return
    for _, cause in _older(sizes, step_of_checkpoint):
        yield replace(cause, given=total - cause.size, how=REBUILT)


def _older(
    sizes: Mapping[str, int], step_of: Callable[[str], tuple[str, int] | None]
) -> Iterator[tuple[list[str], Cause]]:
    """Yield the files of all steps of a training but the newest, and the cause that they are.

    Args:
        sizes: bytes of each file.
        step_of: returns the training and the step that a name stands for; None for other names.
    """
    steps: dict[str, dict[int, list[str]]] = {}
    for name in sizes:
        if (found := step_of(name)) is not None:
            run, step = found
            steps.setdefault(run, {}).setdefault(step, []).append(name)
    for by_step in steps.values():
        if len(by_step) < 2:
            continue
        newest = max(by_step)
        gone = [name for step, names in by_step.items() if step != newest for name in names]
        yield (
            gone,
            Cause(
                kind="several steps",
                text=f"{len(by_step)} steps of one training, of which {newest} is the newest",
                size=sum(sizes[name] for name in gone),
                fix="ship the newest step alone, and have the trainer keep one",
                entries=tuple(sorted(gone)[:3]),
            ),
        )


def find(evidence: Evidence) -> Iterator[Cause]:
    """Entries of one file that only a debugger or the trainer reads, and older checkpoints."""
    yield from _steps_of_checkpoints(evidence)
    measurement = evidence.measurement
    for pattern, kind, fix in (
        (_DEBUG, "debug information", _without_it(measurement.format)),
        (_TRAINER, "state of the trainer", "save the weights alone"),
    ):
        held = [
            entry
            for section in measurement.tree
            if section.name not in ("weights", "optimizer")
            for entry in evidence.entries(section.name)
            if any(pattern.search(name) for name in (entry.name, *entry.path[1:]))
        ]
        size = sum(entry.size for entry in held)
        if size * _SHARE >= measurement.bytes_on_disk and held:
            yield Cause(
                kind=kind,
                text=f"no one who uses the model reads it: {held[0].name}",
                size=size,
                fix=fix,
                section=held[0].path[0],
                entries=tuple(entry.name for entry in held[:3]),
                changes=(("", Change(without=frozenset(entry.path for entry in held))),),
            )


def _without_it(format: str) -> str:
    if format == "onnx":
        return "take doc_string and metadata_props off the nodes"
    return "copy the archive without it"
