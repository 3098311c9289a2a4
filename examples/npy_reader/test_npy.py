import contextlib
import random

import numpy as np
import pytest

from pytest_modelsize import ArtifactError, Kind, measure

ARRAYS = [np.ones((3, 4), "float32"), np.zeros(7, "int16"), np.array(1.5), np.array(["ab", "c"])]


@pytest.mark.parametrize("array", ARRAYS)
def test_the_array_has_the_bytes_that_numpy_counts(array, tmp_path):
    np.save(tmp_path / "a.npy", array)
    result = measure(tmp_path / "a.npy")
    assert (result.format, result.total) == ("npy", (tmp_path / "a.npy").stat().st_size)
    assert result.section("weights").of_kind(Kind.DATA) == array.nbytes


def test_a_broken_file_is_an_artifact_error_or_a_whole_answer(tmp_path):
    path, chance = tmp_path / "a.npy", random.Random(0)
    np.save(path, ARRAYS[0])
    whole = path.read_bytes()
    for _ in range(500):
        data = bytearray(whole)
        data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        with contextlib.suppress(ArtifactError):
            assert measure(path).total == path.stat().st_size
