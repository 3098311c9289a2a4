"""What waits in every session for the first sign that the plugin is needed.

Until then nothing of the plugin is loaded but what listens, and a test without a budget meets a
few hooks that look and return.
"""

from __future__ import annotations

import pytest

from pytest_modelsize.plugin.markers import MARKERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any

    from pytest_modelsize.plugin.processes import RunProcess

__all__ = ["Standby", "begin"]


class Standby:
    """Starts what gathers the results of this process, at the latest when there is a first one.

    Args:
        config: of the session.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: pytest.Session | None = None
        self._deselected = False
        self._process: RunProcess | None = None
        config.stash[_STANDBY] = self

    def __dir__(self) -> list[str]:
        # pytest looks for hooks and fixtures under each name.
        return [name for name in vars(type(self)) if name.startswith("pytest_")]

    def begin(self) -> RunProcess:
        """Return what gathers the results of this process; started where it is not yet."""
        if self._process is None:
            from pytest_modelsize.plugin.processes import start_process

            self._process = start_process(self._config, self._session, deselected=self._deselected)
        return self._process

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Take over the limit that the ini-file sets for all tests."""
        self._session = session
        if written := str(self._config.getini("modelsize_max")).strip():
            from pytest_modelsize.plugin.suite_limit import limit_suite

            limit_suite(session, written)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that this is not the whole suite."""
        self._deselected = self._deselected or bool(items)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Look at a report before anybody counts it, or sends it to another process."""
        if self._process is None:
            # A runner may call none of the other hooks here, or call them in another process.
            if hasattr(report, "modelsize") or any(name in report.keywords for name in MARKERS):
                self.begin().look_at(report)
        else:
            self._process.look_at(report)
        return (yield)


_STANDBY = pytest.StashKey[Standby]()


def begin(config: pytest.Config) -> None:
    """Start what gathers the results of this process."""
    config.stash[_STANDBY].begin()
