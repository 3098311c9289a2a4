"""A header that a reader passes over may still be none that a library writes: no fix has a size."""

import json
import random

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import find_causes
from pytest_modelsize.formats import ArtifactError

SIZE = 8 * 400


def written(path, header):
    path.write_bytes(len(header).to_bytes(8, "little") + header + random.Random(0).randbytes(SIZE))
    return path


def header_of(name="layer.weight"):
    entry = {"dtype": "F64", "shape": [20, 20], "data_offsets": [0, SIZE]}
    return json.dumps({name: entry}, separators=(",", ":")).encode()


def test_a_name_that_is_no_text_leaves_the_cause_without_a_size(tmp_path):
    path = written(tmp_path / "net.safetensors", header_of("x" * 8).replace(b"xxx", b"x\xdbx"))
    (cause,) = find_causes(measure(path), path).causes
    assert cause.kind == "double precision"
    assert (cause.given, cause.how) == (None, "named")


def test_no_byte_of_a_header_breaks_the_search(tmp_path):
    chance = random.Random(1)
    measured = 0
    for _ in range(200):
        header = bytearray(header_of())
        header[chance.randrange(len(header))] = chance.randrange(256)
        path = written(tmp_path / "net.safetensors", bytes(header))
        try:
            found = measure(path)
        except ArtifactError:
            continue
        measured += 1
        find_causes(found, path, scratch=tmp_path)
    assert measured > 20
