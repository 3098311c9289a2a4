"""The HTML report where the extra ``html`` is not installed, or not needed."""

import subprocess
import sys

import pytest

from pytest_modelsize.report.page import ExtraMissing, page
from tests.needs import needs
from tests.report.drawn import EVERY


@pytest.mark.parametrize("library", ["jinja2", "squarify"])
def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch, library):
    if library == "squarify":
        needs("jinja2")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ExtraMissing) as caught:
        page(EVERY)
    assert isinstance(caught.value, ImportError)
    assert str(caught.value) == (
        f"an HTML report needs {library}, which is not installed: "
        "pip install 'pytest-modelsize[html]'"
    )


def test_the_libraries_are_imported_only_when_a_page_is_made():
    code = (
        "import sys, pytest_modelsize.report.page as module\n"
        "assert not {'jinja2', 'squarify'} & set(sys.modules), 'too early'\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
