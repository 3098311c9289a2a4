"""pytest's hooks, options and fixtures. They translate; what they mean is decided elsewhere.

Why the check wraps `pytest_runtest_call` innermost: there it sees only tests whose body has
passed, for functions, coroutines and ``unittest`` alike, and its failure is a failure of the body
for ``xfail``, ``--pdb``, reruns, timeouts and output capture.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_modelsize.outcomes import MARKER, ModelSizeExceeded, ModelSizeUnchecked

if TYPE_CHECKING:
    from pytest_modelsize.sections import Measurement

_HELP = (
    f"{MARKER}(limit, *, model=None, path=None, format=None, include_optimizer=True, save_options=None, reason=None, "
    "weights=None, optimizer=None, config=None, graph=None, assets=None, overhead=None): "
    'hold the saved size of the test\'s model, and of its sections, to a budget such as "2MB".'
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the ini options."""
    parser.addini(
        "modelsize_format",
        "format in which max_model_size and model_size save a live model "
        "(keras, h5, weights, saved_model, checkpoint or tflite; default: keras)",
        default="keras",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _HELP)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a wrong marker before the test runs, as an error that no xfail can swallow."""
    if next(item.iter_markers(MARKER), None) is not None:
        from pytest_modelsize.session import check_markers, forget

        forget(item)
        check_markers(item)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Hold the budgets of a test whose body has passed."""
    result = yield
    # unittest reports a failed or skipped body only here, and the call "succeeds".
    if not getattr(item, "_excinfo", None) and next(item.iter_markers(MARKER), None) is not None:
        from pytest_modelsize.session import hold_budgets

        hold_budgets(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the one-line summaries of the terminal and of JUnit to the headline."""
    report = yield
    raised = call.excinfo.value if call.excinfo is not None else None
    if isinstance(raised, (ModelSizeExceeded, ModelSizeUnchecked)):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = crash.message.partition("\n")[0]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain ``assert model_size(model).total <= "2MB"`` with the marker's own diff."""
    # Only a measurement can be explained, and then the module that defines it is already loaded.
    for value in (left, right):
        if type(value).__name__ in ("MeasuredSize", "Measurement"):
            from pytest_modelsize.session import explain_assertion

            return explain_assertion(config, op, left, right)
    return None


@pytest.fixture
def model_size(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Measurement]]:
    """Measure a model as it would be saved, or an artifact: ``model_size(model).total <= "2MB"``.

    ``model_size(model, *, format=None, include_optimizer=True, save_options=None)`` returns one
    with ``.total``, ``.sections["optimizer"]``, ``.optimizer``, ``.weights`` and so on, each an
    ``int`` of bytes that also compares with sizes such as ``"2 MiB"``.
    """
    from pytest_modelsize.session import forget_handed, measure_handed

    def measure(
        model_or_path: Any,
        *,
        format: str | None = None,
        include_optimizer: bool = True,
        save_options: Mapping[str, Any] | None = None,
    ) -> Measurement:
        return measure_handed(
            request.node,
            model_or_path,
            format=format,
            include_optimizer=include_optimizer,
            save_options=save_options or {},
        )

    yield measure
    forget_handed(request.node)
