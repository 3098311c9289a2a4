"""Pickles, followed with symbols for values: nothing in them is built, and nothing runs.

`opcodes` takes a pickle apart, `machine` follows it with a `stack` of the symbols in `values`.
"""

from pytest_modelsize.formats.containers.pickle.machine import follow

__all__ = ["follow"]
