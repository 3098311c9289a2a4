"""What the complaints share: the causes that are found in an artifact."""

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import find_causes


@pytest.fixture
def causes(tmp_path_factory):
    """Return a function: the causes found in the artifact at a path, by kind."""

    def find(path):
        scratch = tmp_path_factory.mktemp("scratch")
        found = find_causes(measure(path), path, scratch=scratch)
        assert list(scratch.iterdir()) == []
        return {cause.kind: cause for cause in found.causes}

    return find


def weight_of(path):
    """Return the bytes of a file, or of all files of a folder, as the file system has them."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)
