"""What the documents show is what happens."""

import sys
from pathlib import Path

import pytest

from tests.acceptance import transcript

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture
def folder(pytester, keras, monkeypatch):
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # A file that is changed within the second, and is as long as before, would come from its cache.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    keras.utils.clear_session()
    pytester.makeini("[pytest]")
    return pytester


@pytest.mark.parametrize("name", ["adding-a-budget.md", "sections.md"])
def test_a_document_s_commands_print_what_it_shows(folder, capsys, name):
    assert transcript.run(DOCS / name, folder, capsys) >= 2
