from pathlib import Path

from pytest_modelsize.formats.extents import asked_for, note, note_run, noted
from pytest_modelsize.formats.source import Source

PATH = ("weights", "w")


def test_runs_are_noted_only_while_someone_asks():
    note_run(Path("a"), 0, 5, PATH)
    with noted() as found:
        assert asked_for()
        note_run(Path("a"), 10, 5, PATH, content=False)
        note_run(Path("a"), 15, 0, PATH)  # nothing is no run
    assert not asked_for()
    assert [(run.start, run.end, run.section, run.content) for run in found] == [(10, 15, "weights", False)]  # fmt: skip


def test_a_run_of_a_window_lies_where_the_window_does():
    source = Source("a", lambda offset, size: bytes(size), 100, 50, Path("a.h5"))
    with noted() as found:
        note(source, 7, 3, PATH)
        note(Source.of_bytes("memory", b"abc"), 0, 3, PATH)  # in no file
    assert [(run.file, run.start, run.end) for run in found] == [(Path("a.h5"), 107, 110)]
