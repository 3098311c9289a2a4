"""The options of the command line and of the ini-file."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = [
    "BASELINE_INPUT",
    "NEAR_OURS",
    "add_options",
    "baseline_path",
    "is_named",
    "is_used",
]

BASELINE_INPUT = "modelsize_baseline"
"""The name under which a worker gets the baseline's text from its controller."""

NEAR_OURS = ("modelsize", "model_size", "max_model", "max-model")
"""How the names of our ini options begin, and those that are taken for them."""

_REPORTS = (".json", ".md", ".html", ".csv")
_ASKING = ("modelsize", "modelsize_update", "modelsize_report", "modelsize_suggest")


def add_options(parser: pytest.Parser) -> None:
    """Register the options of the command line and of the ini-file."""
    _add_command_line_options(parser)
    _add_ini_options(parser)


def _add_command_line_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("modelsize", "sizes of saved models")
    group.addoption(
        "--modelsize",
        nargs="?",
        const="all",
        metavar="all|failed|none",
        help="end the run with a table of the artifacts that were measured",
    )
    group.addoption(
        "--modelsize-update",
        nargs="?",
        const="all",
        metavar="all|new|prune",
        help="write the sizes of the tests that ran to the baseline: all of them, or only those "
        "that it has no entry for; or remove the entries that no test uses any more",
    )
    group.addoption(
        "--modelsize-report",
        action="append",
        type=_report_name,
        metavar="FILE",
        help=f"write a report, as {', '.join(_REPORTS)} by the file's suffix (may be repeated)",
    )
    group.addoption(
        "--modelsize-suggest",
        nargs="?",
        const="table",
        metavar="FILE.json",
        help="end the run with the models of the tests that have no budget, and a marker to paste "
        "for each; also write that to a file",
    )
    group.addoption(
        "--modelsize-save",
        choices=("auto", "real"),
        default=None,
        help="auto: leave the bytes of the tensors out where the sizes are the same without them; "
        "real: never",
    )


def _add_ini_options(parser: pytest.Parser) -> None:
    parser.addini(
        "modelsize_format",
        "format in which max_model_size and model_size save a live model "
        "(keras, h5, weights, saved_model, checkpoint or tflite; default: keras); a PyTorch module "
        "is saved as torch unless its marker says otherwise",
        default="keras",
    )
    parser.addini(
        "modelsize_max",
        "a limit for each model that any test ends with, such as 50 MB (default: none)",
        default="",
    )
    parser.addini(
        "modelsize_baseline",
        "file of accepted sizes, relative to the ini-file (default: modelsize-baseline.json)",
        default="modelsize-baseline.json",
    )
    parser.addini(
        "modelsize_step_summary",
        "append the report to GITHUB_STEP_SUMMARY where that is set (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "modelsize_annotations",
        "in GitHub Actions, show a budget that does not hold on its marker's line (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "modelsize_ratchet",
        "fail what is smaller than its baseline by more than it may grow, until the smaller size "
        "is accepted (default: false)",
        type="bool",
        default=False,
    )
    parser.addini(
        "modelsize_max_models",
        "the most models of one test to look at where its marker names none (default: 16)",
        default="16",
    )
    parser.addini(
        "modelsize_save",
        "how a live model is saved: auto leaves the bytes of the tensors out where the "
        "sizes are the same without them; real never does (default: auto)",
        default="auto",
    )


def baseline_path(config: pytest.Config) -> Path:
    """Return the project's baseline file, beside its ini-file unless that says otherwise."""
    beside = config.rootpath if config.inipath is None else config.inipath.parent
    return beside / str(config.getini("modelsize_baseline"))


def is_used(config: pytest.Config) -> bool:
    """Return whether a session uses the plugin, whatever its tests do.

    That is where the command line asks for something, where there is a baseline whose entries may
    be stale, and where pytest-xdist has several processes whose findings are to come together.
    """
    return (
        any(config.getoption(option) is not None for option in _ASKING)
        or hasattr(config, "workerinput")
        or config.getoption("dist", "no") != "no"
        or os.path.exists(baseline_path(config))
    )


def is_named(config: pytest.Config) -> bool:
    """Return whether an ini option may be ours, or may be meant to be; a quick look at the text."""
    written = config.getoption("override_ini") or []
    if config.inipath is not None:
        written = [*written, config.inipath.read_text("utf-8", "replace")]
    return any(name in text for text in written for name in NEAR_OURS)


def _report_name(value: str) -> str:
    from argparse import ArgumentTypeError
    from pathlib import PurePath

    if PurePath(value).suffix.lower() not in _REPORTS:
        raise ArgumentTypeError(f"{value!r} should end in one of {', '.join(_REPORTS)}")
    return value
