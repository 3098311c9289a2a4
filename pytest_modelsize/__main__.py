"""``python -m pytest_modelsize``: the command ``modelsize``."""

from pytest_modelsize.cli import run

run()
