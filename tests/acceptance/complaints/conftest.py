"""What the complaints share: the causes that are found in an artifact, and the table of real fixes.

docs/causes.md has a row for each complaint whose fix has a size. `fixed` holds both to the size
of a fix that was really made.
"""

import os
import re
from pathlib import Path

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import find_causes

TABLE = Path(__file__).parent.parent.parent.parent / "docs" / "causes.md"
ROW = re.compile(
    r"\| (?:\[(?P<thread>[^\]]+)\]\((?P<link>[^)]+)\)|[^|]+) \| (?P<kind>[^|]+) \| (?P<file>[^|]+) "
    r"\| (?P<size>[\d,]+) \| (?P<given>[\d,]+) \| (?P<real>[\d,]+) \| (?P<how>\w+) "
    r"\| `(?P<test>\w+)` \|"
)


@pytest.fixture
def causes(tmp_path_factory):
    """Return a function: the causes found in the artifact at a path, by kind."""

    def find(path):
        scratch = tmp_path_factory.mktemp("scratch")
        found = find_causes(measure(path), path, scratch=scratch)
        assert list(scratch.iterdir()) == []
        return {cause.kind: cause for cause in found.causes}

    return find


@pytest.fixture
def fixed(request):
    """Return a function: what is said of a cause's fix is what the artifact weighs that has it.

    The complaint has a row in the table, and what stands there is near what was found: sizes
    differ a little between versions, and between the cases of a test.
    """

    def fixed(cause, path, how):
        real = weight_of(path)
        assert (cause.given, cause.how) == (real, how)
        name = request.node.originalname
        if file := os.environ.get("MODELSIZE_COMPLAINTS"):
            with Path(file).open("a", encoding="utf-8") as out:
                print(request.node.name, cause.kind, cause.size, real, how, sep="\t", file=out)
            return
        rows = [row for row in table() if row["test"] == name and row["kind"] == cause.kind]
        assert rows, f"docs/causes.md has no row for {name}: {cause.kind}"
        assert any(row["how"] == how for row in rows)
        if not hasattr(request.node, "callspec"):
            assert any(abs(row["given"] - real) <= max(0.05 * real, 200) for row in rows), real

    return fixed


def table():
    """Return the rows of the table of complaints, with numbers as numbers."""
    found = [match.groupdict() for match in map(ROW.fullmatch, TABLE.read_text("utf-8").split("\n"))
             if match]  # fmt: skip
    for row in found:
        row.update({key: int(row[key].replace(",", "")) for key in ("size", "given", "real")})
    return found


def weight_of(path):
    """Return the bytes of a file, or of all files of a folder, as the file system has them."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)
