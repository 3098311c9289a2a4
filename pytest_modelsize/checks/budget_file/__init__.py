"""Budgets that stand in a file of the project, ``pyproject.toml`` or ``modelsize.toml``."""
