"""Broken files, made from whole ones: the same ones each time, more of them on request.

``MODELSIZE_FUZZ_MUTANTS`` sets how many are tried for each file.
"""

from __future__ import annotations

import contextlib
import os
import random
import tracemalloc

from pytest_modelsize import ArtifactError, Ledger, Source
from pytest_modelsize.formats import registry
from tests.work import assert_even_growth, assert_few_calls, cost_of

CALLS, HOSTILE_CALLS, BYTES = 1_000_000, 8_000_000, 100 * 2**20
"""What a broken file, and one that is made to cost much, may take at most."""


def count(default):
    """How many mutants to try of each file."""
    return int(os.environ.get("MODELSIZE_FUZZ_MUTANTS", default))


def mutants(whole, number, seed, live=None):
    """Yield ``number`` broken forms of ``whole``, bytes changed mostly in the ``live`` ranges."""
    chance = random.Random(seed)
    live = live or [(0, len(whole))]
    weights = [end - start for start, end in live]
    for _ in range(number):
        data = bytearray(whole)
        if chance.random() < 0.1:
            yield bytes(data[: chance.randrange(len(data))])
            continue
        for _ in range(chance.choice([1, 1, 1, 2, 4, 16])):
            start, end = chance.choices(live, weights)[0]
            at = min(chance.randrange(start, end), len(data) - 1)
            kind = chance.random()
            if kind < 0.4:
                data[at] ^= 1 << chance.randrange(8)
            elif kind < 0.7:
                data[at] = chance.choice([0, 1, 127, 128, 255])
            else:
                address = chance.randrange(len(data))
                word = chance.choice(
                    [b"\xff" * 8, bytes(8), (address & ~7).to_bytes(8, "little"),
                     bytes(data[address : address + 8])]
                )  # fmt: skip
                data[at : at + 8] = word.ljust(8, b"\0")[: len(data) - at]
        yield bytes(data)


def outcomes_of_mutants(whole, number, seed, live=None):
    """Read mutants of a file as any format; return their outcomes. Whole answers add up."""

    def attempt(data):
        ledger = Ledger()
        registry.read(Source.of_bytes("m", data), ledger)
        assert sum(section.size for section in ledger.sections()) == len(data)

    return {
        outcome_of(lambda data=data: attempt(data), 100_000)
        for data in mutants(whole, number, seed, live)
    }


def outcome_of(read, calls=CALLS):
    """Run ``read``; return ``ok`` or ``error``. Anything but an `ArtifactError` passes through.

    It may take so many calls: a bound that holds on any machine, and under coverage.
    """
    outcome = "ok"

    def attempt():
        nonlocal outcome
        try:
            read()
        except ArtifactError:
            outcome = "error"

    assert_few_calls(cost_of(attempt), calls)
    return outcome


def assert_hostile_is_cheap(at, size):
    """Hold the reading of a file that is made to cost much to its calls, and to even growth.

    Of what there are many, half tell as much as all of them, in half the time.

    Args:
        at: returns what reads the file that is made for a size.
        size: of the file, in whatever it has many of.
    """

    def refused(read):
        def attempt():
            with contextlib.suppress(ArtifactError):
                read()

        return attempt

    size = size // 2 if size > 1_000 else size
    assert_even_growth(lambda number: refused(at(number)), size, HOSTILE_CALLS)


class Frugal:
    """Assert that the work inside takes less than `BYTES` of memory at any time."""

    def __enter__(self):
        tracemalloc.start()

    def __exit__(self, *error):
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert error[0] is not None or peak < BYTES, f"{peak:,} bytes, where {BYTES:,} are allowed"
