"""Messages at wire level: in memory and left in their file, they are walked alike."""

import random

import pytest

from pytest_modelsize import ArtifactError, Source
from pytest_modelsize.formats.containers import protobuf
from pytest_modelsize.formats.containers.protobuf import Message, message_in
from tests.formats.mutants import mutants
from tests.formats.onnx.wire import field, varint


def source_of(data):
    return Source.of_bytes("m.pb", data)


def walked(message):
    """The fields of a message and of those inside it, by their place in the file; or the fault."""
    found, pending = [], [message]
    try:
        while pending:
            here = pending.pop()
            for item in here:
                found.append((item.number, item.wire, item.size, here.place(item)))
                if item.number == 7:
                    pending.append(here.inside(item))
                if item.number == 1 and item.wire == protobuf.VARINT:
                    found.append(here.integer(item))
    except ArtifactError:
        return "error"
    return found


def sample(chance, depth=0):
    parts = []
    for _ in range(chance.randrange(1, 8)):
        kind = chance.randrange(5)
        if kind == 0:
            parts.append(field(1, chance.randrange(2 ** chance.randrange(1, 64))))
        elif kind == 1:
            parts.append(
                field(chance.choice([2, 2000]), bytes(chance.choice([0, 5, 127, 128, 9000])))
            )
        elif kind == 2:
            parts.append(varint(3 << 3 | 5) + b"\1\2\3\4")
        elif kind == 3:
            parts.append(varint(4 << 3 | 1) + bytes(8))
        elif depth < 4:
            parts.append(field(7, sample(chance, depth + 1)))
    return b"".join(parts)


def test_a_message_left_in_its_file_has_the_fields_of_the_same_in_memory(monkeypatch):
    chance, outcomes = random.Random(5), set()
    for seed in range(150):
        whole = sample(chance)
        for data in (whole, *mutants(whole, 4, seed)):
            source = source_of(data)
            expected = walked(Message(source, data))
            with monkeypatch.context() as patch:
                patch.setattr(protobuf, "_IN_MEMORY", -1)
                found = walked(message_in(source, 0, len(data)))
            assert found == expected
            outcomes.add(found == "error")
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "rest", [b"\x08", b"\x0a", b"\x80", b"\x0d\0", b"\x09\0", b"\x08\x80", b"\x0b"]
)
def test_a_message_that_ends_within_a_field_is_an_error_that_tells_where(rest):
    for least in (2**20, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(protobuf, "_IN_MEMORY", least)
            data = field(2, "name") + rest
            with pytest.raises(ArtifactError) as caught:
                list(message_in(source_of(data), 0, len(data)))
            assert 6 <= caught.value.offset <= len(data)
