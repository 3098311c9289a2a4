"""Parts of documents in JSON and UBJSON: all of the bytes, each value where it stands."""

import json
import random
import struct

import pytest

from pytest_modelsize import ArtifactError, Source
from pytest_modelsize.formats.containers.json_parts import json_parts
from pytest_modelsize.formats.containers.part import DEEPEST, TooManyParts
from pytest_modelsize.formats.containers.ubjson import ubjson_parts
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of


def value(chance, depth=0):
    """A document at random: objects, lists of one kind and mixed ones, texts, numbers."""
    kind = chance.randrange(4 if depth > 3 else 8)
    if kind == 0:
        return chance.choice(["", "größe", 'a"b\\', "x" * 300, "[1, {2}]"])
    if kind == 1:
        return chance.choice([0, -1, 200, 40_000, -(2**40), 1.5, True, None])
    if kind == 2:
        return [chance.randrange(-100, 100) for _ in range(chance.randrange(5))]
    if kind == 3:
        return [chance.choice(["a", "b", "ü"]) for _ in range(chance.randrange(4))]
    if kind < 6:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {f"k{n}": value(chance, depth + 1) for n in range(chance.randrange(5))}


def document(seed):
    return {"first": value(random.Random(seed)), "größe": value(random.Random(seed + 1000))}


def at(document, path):
    for key in path:
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def walked(parts, data):
    found = list(parts(Source.of_bytes("m", data)))
    assert sum(part.size for part in found) == len(data)
    assert all(0 <= part.data <= part.size for part in found)
    return [part for part in found if not part.container]


@pytest.mark.parametrize("indent", [None, 2])
def test_each_value_of_a_json_text_is_found_as_python_reads_it(indent):
    for seed in range(80):
        whole = document(seed)
        data = json.dumps(whole, indent=indent, ensure_ascii=bool(seed % 2)).encode() + b"\n"
        for part in walked(json_parts, data):
            expected = at(whole, part.path)
            content = data[part.start : part.start + part.data]
            if part.length is not None:
                content = b"[" + content + b"]"
            elif isinstance(expected, str):
                content = b'"' + content + b'"'
            assert json.loads(content) == expected
            if part.dtype in ("text", "numbers") and None not in expected:
                assert part.length == len(expected)


LENGTHS = [(b"i", "b"), (b"U", "B"), (b"I", ">h"), (b"l", ">i"), (b"L", ">q")]


def length(number, chance):
    mark, form = chance.choice(LENGTHS if number < 128 else LENGTHS[2:])
    return mark + struct.pack(form, number)


def integer(number):
    for mark, form in LENGTHS:
        try:
            return mark + struct.pack(form, number)
        except struct.error:
            continue
    raise AssertionError(number)


def ubjson(value, chance):
    """The value by the rules of ubjson.org, in one of the ways that there are."""
    if value is None:
        return b"Z"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return b"D" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"S" + length(len(value.encode()), chance) + value.encode()
    if isinstance(value, dict):
        items = [
            length(len(key.encode()), chance) + key.encode() + ubjson(inner, chance)
            for key, inner in value.items()
        ]
    else:
        if (
            value
            and all(type(n) is int and -128 <= n < 128 for n in value)
            and chance.random() < 0.5
        ):
            return b"[$i#" + length(len(value), chance) + struct.pack(f"{len(value)}b", *value)
        if value and all(type(n) is str for n in value) and chance.random() < 0.5:
            texts = b"".join(ubjson(text, chance)[1:] for text in value)
            return b"[$S#" + length(len(value), chance) + texts
        items = [ubjson(inner, chance) for inner in value]
    opening, closing = (b"{", b"}") if isinstance(value, dict) else (b"[", b"]")
    if chance.random() < 0.5:
        return opening + b"#" + length(len(items), chance) + b"".join(items)
    return opening + b"".join(b"N" * chance.randrange(2) + item for item in items) + closing


def test_each_value_of_ubjson_is_found_where_it_was_written():
    chance = random.Random(1)
    for seed in range(150):
        whole = document(seed)
        data = ubjson(whole, chance)
        for part in walked(ubjson_parts, data):
            expected = at(whole, part.path)
            content = data[part.start : part.start + part.data]
            if isinstance(expected, str):
                assert content == expected.encode()
            elif isinstance(expected, float):
                assert struct.unpack(">d", content) == (expected,)
            elif type(expected) is int:
                assert int.from_bytes(content, "big", signed=part.dtype != "uint8") == expected
            elif isinstance(expected, list):
                assert part.length == len(expected)
                if part.dtype == "int8":
                    assert struct.unpack(f"{part.length}b", content) == tuple(expected)


SAMPLES = {
    "json": (json_parts, [json.dumps(document(seed)).encode() for seed in range(4)]),
    "ubjson": (ubjson_parts, [ubjson(document(seed), random.Random(seed)) for seed in range(4)]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutant_is_an_error_or_all_of_its_bytes(name):
    parts, wholes = SAMPLES[name]

    def read(data):
        found = 0
        try:
            for part in parts(Source.of_bytes("m", data)):
                found += part.size
        except TooManyParts:
            assert found <= len(data)
        else:
            assert found == len(data)

    outcomes = set()
    for seed, whole in enumerate(wholes):
        for data in mutants(whole, count(50), seed):
            outcomes.add(outcome_of(lambda data=data: read(data), 200_000))
    assert outcomes == {"ok", "error"}


HOSTILE = {
    "json: open brackets": (json_parts, lambda n: b"[" * n),
    "json: nested": (json_parts, lambda n: b'{"a":' * n + b"1" + b"}" * n),
    "json: empty ones": (json_parts, lambda n: b"[[]" + b",[]" * n + b"]"),
    "json: a long text": (json_parts, lambda n: b'"' + b"\\n" * n),
    "ubjson: open brackets": (ubjson_parts, lambda n: b"[" * n),
    "ubjson: nested": (ubjson_parts, lambda n: b"{i\1a" * n),
    "ubjson: counted, nested": (ubjson_parts, lambda n: b"[#i\1" * n),
    "ubjson: empty ones": (ubjson_parts, lambda n: b"[" + b"[]" * n + b"]"),
    "ubjson: nothings": (ubjson_parts, lambda n: b"[" + b"N" * n + b"]"),
    "ubjson: texts": (ubjson_parts, lambda n: b"[" + b"Si\0" * n + b"]"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_document_made_to_cost_much_costs_little(name):
    parts, made = HOSTILE[name]

    def attempt(number):
        source = Source.of_bytes("m", made(number))

        def read():
            try:
                for _ in parts(source):
                    pass
            except TooManyParts as error:
                raise source.error(0, str(error)) from None

        return read

    assert_hostile_is_cheap(attempt, 500)
    with Frugal(), pytest.raises((ArtifactError, TooManyParts)):
        for _ in parts(Source.of_bytes("m", made(20_000) + b"!")):
            pass


def test_more_elements_than_bytes_are_no_list():
    for data in (b"[$d#L" + b"\x7f" * 8, b"[#L" + b"\x7f" * 8, b"{#L" + b"\x7f" * 8, b"[#i\xff"):
        with pytest.raises(ArtifactError):
            list(ubjson_parts(Source.of_bytes("m", data)))
    (none,) = ubjson_parts(Source.of_bytes("m", b"[$Z#L" + b"\x7f" * 8))
    assert (none.data, none.size) == (0, 13)


def test_what_lies_too_deep_is_one_part():
    depth = DEEPEST + 5
    data = b'{"a":' * depth + b"1" + b"}" * depth
    assert [len(part.path) for part in walked(json_parts, data)] == [DEEPEST]
    data = b"{i\1a" * depth + b"T" + b"}" * depth
    assert [len(part.path) for part in walked(ubjson_parts, data)] == [DEEPEST]
