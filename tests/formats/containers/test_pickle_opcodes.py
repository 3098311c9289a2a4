"""Opcodes and their arguments, against ``pickletools``, which is the format's specification."""

import datetime
import fractions
import pickle
import pickletools

import pytest

from pytest_modelsize.formats.containers.pickle import opcodes as ours
from pytest_modelsize.formats.containers.pickle.values import Blob
from pytest_modelsize.formats.source import ArtifactError, Source

SHARED = ["again"]
VALUES = [
    [None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31, -(2**40), 10**40, 0.5, -1e300],
    ["", "a", "é", "line\nbreak\\", "x" * 300, b"", b"\x00\xff", b"y" * 300, bytearray(b"z" * 9)],
    {"a": (1,), "b": (1, 2), "c": (1, 2, 3), "d": (1, 2, 3, 4), "e": {1, 2}, "f": frozenset({3})},
    [datetime.date(2020, 1, 2), fractions.Fraction(1, 3), SHARED, SHARED, [SHARED] * 300],
    list(range(1500)),
]


def test_the_table_has_each_opcode_with_its_kind_of_argument():
    assert {
        (code, known[0], known[1] is None) for code, known in enumerate(ours._TABLE) if known
    } == {(ord(op.code), op.name, op.arg is None) for op in pickletools.opcodes}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_each_opcode_has_the_argument_that_pickletools_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    expected = [(op.name, argument, at) for op, argument, at in pickletools.genops(data)]
    found = list(ours.opcodes(ours.PickleStream(Source.of_bytes("p", data), 0)))
    assert [(name, at) for name, _, at in found] == [(name, at) for name, _, at in expected]
    for (name, argument, _), (_, wanted, _) in zip(found, expected, strict=True):
        if isinstance(argument, Blob):
            assert argument.size == len(wanted)
        elif name not in ("BINSTRING", "SHORT_BINSTRING"):  # read as text, whatever it holds
            assert (argument, type(argument)) == (wanted, type(wanted))


@pytest.mark.parametrize("at", range(1, 40))
def test_a_pickle_that_is_cut_off_is_an_error(at):
    data = pickle.dumps([fractions.Fraction(1, 3), 0.5, 10**40, "text"], 2)
    with pytest.raises(ArtifactError):
        list(
            ours.opcodes(ours.PickleStream(Source.of_bytes("p", data[: min(at, len(data) - 1)]), 0))
        )


@pytest.mark.parametrize("line", [b"a.b", b"a\\x2eb", b"a\\", b"\xc3\xa9"])
def test_the_name_of_a_class_is_read_as_pickletools_reads_it(line):
    data = b"c" + line + b"\nname\n."
    try:
        expected = next(pickletools.genops(data))[1]
    except ValueError:
        with pytest.raises(ArtifactError):
            list(ours.opcodes(ours.PickleStream(Source.of_bytes("p", data), 0)))
    else:
        assert next(ours.opcodes(ours.PickleStream(Source.of_bytes("p", data), 0)))[1] == expected
