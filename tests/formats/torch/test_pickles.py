"""The walk over a pickle's opcodes: what it refuses, what that costs, and what it never does."""

import contextlib
import pickle
import random
import struct

import pytest

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.checks.stripping.torch import size_without_state
from pytest_modelsize.formats.containers.pickle.machine import follow
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.naming import Naming
from pytest_modelsize.formats.torch.owners import charge_pickle, owners_of
from pytest_modelsize.formats.torch.state import contents_of
from pytest_modelsize.sizes.ledger import Ledger
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of
from tests.formats.torch.handmade import (
    PROTO,
    STOP,
    archive,
    legacy,
    mapping,
    storage,
    tensor,
    text,
)


def walk(data):
    """All that is done with a pickle; returns its sections."""
    source = Source.of_bytes("a pickle", data)
    value, end = follow(source)
    contents = contents_of(source, value, (0, end))
    naming = Naming(contents)
    owners_of(contents, naming)
    ledger = Ledger()
    charge_pickle(ledger, contents, naming, (0, end))
    assert sum(section.size for section in ledger.sections()) == end
    return ledger.sections()


@pytest.mark.parametrize("protocol", range(6))
def test_whatever_python_pickles_is_followed_to_its_stop(protocol):
    value = {
        "numbers": [0, -1, 255, 65536, 2**40, -(2**200), 1.5, True, None],
        "texts": ["", "a" * 300, "\N{SNOWMAN}", b"bytes", bytearray(b"more")],
        "containers": [{1, 2}, frozenset((3,)), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "objects": [range(3), complex(1, 2), struct.Struct],
        "again": [],
    }
    value["again"] = [value["numbers"], value["texts"]] * 300
    data = pickle.dumps(value, protocol)
    (section,) = walk(data)
    assert (section.name, section.size) == ("config", len(data))


@pytest.mark.parametrize(
    ("body", "at", "problem"),
    [
        (b"\xff", 2, "no such opcode"),
        (b"0", 2, "a value expected"),
        (b"}K\x01s.", 5, "a value expected"),
        (b"t", 2, "a mark expected"),
        (b"(K\x01K\x02", 7, "ends before its STOP"),
        (b"h\x07", 2, "entry 7 of a pickle's memo"),
        (b"q\x00", 2, "a value expected"),
        (b"}(K\x01u", 6, "a key without a value"),
        (b"K\x01K\x02a", 6, "a container expected"),
        (b"K\x01}b", 5, "an object expected"),
        (b"K\x01K\x02\x93", 6, "the name of a global"),
        (b"X\xff\xff\xff\x7fabc", 7, "2,147,483,647 bytes"),
        (b"T\xff\xff\xff\xff", 2, "a length of -1"),
        (b"\x8e" + b"\xff" * 8, 11, "18,446,744,073,709,551,615 bytes"),
        (b"I12x\n", 2, "the argument of INT"),
        (b"cno newline", 3, "a line of a pickle that does not end"),
        (b"\x82\x01", 2, "EXT1 in a pickle"),
        (b"(o", 3, "a class expected"),
        (b"(\x85", 3, "a value expected"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_an_error_with_its_offset(body, at, problem):
    if problem == "no such opcode":
        problem = "opcode expected, not byte 0xff"
    with pytest.raises(ArtifactError) as caught:
        walk(PROTO + body)
    assert problem in str(caught.value)
    assert caught.value.offset == at


MEGABYTE = 2**20
HOSTILE = {
    "empty dictionaries": (80_000, lambda n: b"}" * n),
    "marks": (80_000, lambda n: b"(" * n),
    "memo without end": (80_000, lambda n: b"N" + b"\x94" * n),
    "memo of tuples that double": (15_000, lambda n: b"N" + b"\x85q\x01h\x01h\x01\x86q\x01" * n),
    "lists within lists": (30_000, lambda n: b"]" + b"]" * n + b"a" * n + STOP),
    "tuples within tuples": (30_000, lambda n: b"N" + b"\x85" * n + STOP),
    "calls within calls": (30_000, lambda n: b"ca\nb\n" * n + b")" + b"R" * n + STOP),
    "states on states": (50_000, lambda n: b"ca\nb\n)R" + b"Nb" * n + STOP),
    "a list that holds itself": (40_000, lambda n: b"]q\x00" + b"h\x00a" * n + STOP),
    "dictionaries that share": (
        20_000, lambda n: b"}q\x00" + b"}" + (text("a") + b"h\x00s") * n + STOP,
    ),
    "modules with long names": (
        150,
        lambda n: b"".join(
            b"ca\nM\n)R}" + text("_modules") + b"}" + text("n" * 1000) for _ in range(n)
        ) + STOP,
    ),
    "one storage many times": (
        40_000, lambda n: mapping(a=storage("0", 1)) + b"q\x00" + b"]" + b"h\x00a" * n + STOP,
    ),
    "thousands of names": (
        30_000,
        lambda n: b"}("
        + b"".join(b"X\x05\x00\x00\x00%05xN" % number for number in range(n))
        + b"u"
        + STOP,
    ),
    "long names of classes": (
        300,
        lambda n: b"".join(b"(i" + b"a" * 30_000 + b"\n%05x\n" % number for number in range(n))
        + b"".join(b"P" + b"%05x" % number + b"a" * 30_000 + b"\n" for number in range(n))
        + STOP,
    ),
    "huge numbers": (900, lambda n: b"(" + (b"\x8b\xff\x03\x00\x00" + b"\x7f" * 1023) * n + b"t" + STOP),
    "one long text": (
        10 * MEGABYTE, lambda n: b"X" + n.to_bytes(4, "little") + b"a" * n + STOP,
    ),
}  # fmt: skip
"""How many of it there are, and what makes so many."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_costs_little(name):
    size, made = HOSTILE[name]

    def at(number):
        data = PROTO + made(number)
        return lambda: walk(data)

    assert_hostile_is_cheap(at, size)
    with Frugal(), contextlib.suppress(ArtifactError):
        at(size)()


@pytest.mark.parametrize("name", ["empty dictionaries", "marks", "memo without end"])
def test_a_pickle_that_takes_too_much_memory_is_refused(monkeypatch, name):
    monkeypatch.setattr("pytest_modelsize.formats.containers.pickle.stack._MOST_MEMORY", MEGABYTE)
    size, made = HOSTILE[name]
    with pytest.raises(ArtifactError, match="more than can be followed"):
        walk(PROTO + made(size))


def test_the_most_that_a_pickle_may_take_is_held_in_memory():
    """250,000 empty dictionaries, of which some are one too many."""
    with Frugal(), pytest.raises(ArtifactError, match="more than can be followed"):
        walk(PROTO + b"}" * 250_000)


def test_a_text_of_megabytes_is_passed_over():
    long = text("a" * 4 * MEGABYTE)
    (section,) = walk(PROTO + mapping(hyper_parameters=long, more=text("b")) + STOP)
    assert section.name == "config"
    sizes = {child.name: child.size for child in section.children}
    assert sizes["hyper_parameters"] == len(text("hyper_parameters") + long)


def test_a_pickle_of_millions_of_opcodes_is_refused(monkeypatch):
    monkeypatch.setattr("pytest_modelsize.formats.containers.pickle.opcodes._MOST_OPCODES", 1000)
    with pytest.raises(ArtifactError, match="more than 1,000 opcodes"):
        walk(PROTO + b"N0" * 1000 + STOP)


def test_names_too_deep_are_refused():
    deep = b"N"
    for _ in range(300):
        deep = mapping(a=deep)
    with pytest.raises(ArtifactError, match="nested more than 200 deep"):
        walk(PROTO + deep + STOP)


def tutorial():
    state = b"}" + b"".join(
        b"J" + number.to_bytes(4, "little")
        + mapping(exp_avg=tensor(key, shape, size), step=tensor(f"{key}9", (), 1)) + b"s"
        for number, (key, shape, size) in enumerate([("2", (2, 3), 6), ("3", (2,), 2)])
    )  # fmt: skip
    groups = b"]" + mapping(lr=b"G" + bytes(8), params=b"](J\0\0\0\0J\1\0\0\0e") + b"a"
    weights = mapping(weight=tensor("0", (2, 3), 6), bias=tensor("1", (2,), 2))
    pickled = PROTO + mapping(
        model=weights, optimizer=mapping(state=state, param_groups=groups), epoch=b"K\x07"
    ) + STOP  # fmt: skip
    elements = {"0": 6, "1": 2, "2": 6, "29": 1, "3": 2, "39": 1}
    return pickled, {key: bytes(4 * number) for key, number in elements.items()}, elements


def test_mutants_of_a_pickle_are_measured_or_refused():
    pickled, _, _ = tutorial()
    outcomes = [outcome_of(lambda d=data: walk(d)) for data in mutants(pickled, count(800), 11)]
    assert {"ok", "error"} == set(outcomes)


@pytest.mark.parametrize("kind", ["archive", "legacy"])
def test_mutants_of_a_file_are_measured_or_refused(tmp_path, kind):
    pickled, storages, elements = tutorial()
    if kind == "archive":
        whole = archive(pickled, storages)
    else:
        whole = legacy(pickled, {key: (elements[key], storages[key]) for key in storages})
    path = tmp_path / "mutant.pt"
    path.write_bytes(whole)
    assert measure(path).optimizer > 0

    def read(data):
        path.write_bytes(data)
        assert measure(path).total == len(data)
        size_without_state(path)

    outcomes = [outcome_of(lambda d=data: read(d)) for data in mutants(whole, count(300), 12)]
    assert {"ok", "error"} == set(outcomes)


def test_any_cut_of_an_old_file_is_refused_or_no_file_of_pytorch(tmp_path):
    pickled, storages, elements = tutorial()
    whole = legacy(pickled, {key: (elements[key], storages[key]) for key in storages})
    path = tmp_path / "cut.pth"
    for size in random.Random(5).sample(range(16, len(whole)), 60):
        path.write_bytes(whole[:size])
        with pytest.raises(ArtifactError):
            measure(path)


def test_bytes_behind_the_storages_of_an_old_file_are_slack(tmp_path):
    pickled, storages, elements = tutorial()
    path = tmp_path / "more.pth"
    whole = legacy(pickled, {key: (elements[key], storages[key]) for key in storages})
    path.write_bytes(whole + b"behind")
    found = {c.name: c.size for c in measure(path).section("overhead").children}
    assert found["behind the storages"] == len(b"behind")


def test_slots_within_slots_without_end_are_refused(monkeypatch):
    monkeypatch.setattr("pytest_modelsize.formats.torch.slots.marking._WALKS", 1)
    names = [".".join(["m"] * 40 + [f"{number}"]) for number in range(50)]
    held = b"}(" + b"".join(text(name) + tensor("0", (2,), 2) for name in names) + b"u"
    with pytest.raises(ArtifactError, match="slots within slots"):
        walk(PROTO + held + STOP)
