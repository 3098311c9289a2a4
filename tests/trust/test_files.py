"""Nothing but pytest's temporary folder is written to, and little stays there."""

import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

# An inner run forgets what it imported itself: what is patched here is imported here.
from pytest_modelsize.plugin import kept_copies
from tests.needs import needs

FORMATS = ("keras", "h5", "weights", "saved_model", "checkpoint", "tflite")
EACH = f"""
import pytest

@pytest.mark.parametrize("format", {FORMATS})
def test_held(model, model_size, format):
    assert model_size(model, format=format).total <= "1MB"

@pytest.mark.max_model_size("1 B", format="saved_model")
@pytest.mark.max_model_size("1 B", format="tflite")
@pytest.mark.max_model_size("1 B")
def test_exceeded(model):
    pass
""" + "".join(
    f"""
@pytest.mark.max_model_size("1MB", format="{format}", include_optimizer=False)
def test_held_as_{format}(model):
    pass
"""
    for format in FORMATS
)
LIVE = """
import pytest

@pytest.mark.max_model_size("1 B")
@pytest.mark.parametrize("n", range(4))
def test_it(model, n):
    pass
"""


def listing(folder):
    return {str(path.relative_to(folder)): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_only_pytest_s_own_folder_is_written_to(project, monkeypatch):
    needs("tensorflow")
    places = {}
    for variable in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "KERAS_HOME"):
        places[variable] = project.mkdir(variable.lower())
        monkeypatch.setenv(variable, str(places[variable]))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT")  # pytester's own
    project.makepyfile(test_it=EACH)
    before = listing(project.path)
    result = project.run(
        sys.executable, "-mpytest", "-pmodelsize", "-pno:cacheprovider", "-Wignore"
    )
    result.assert_outcomes(passed=12, failed=1)
    after = listing(project.path)
    new = {path for path in after if after[path] != before.get(path)}
    allowed = f"tmpdir{os.sep}pytest-of-"
    # What pytester itself keeps, and what Keras writes on being imported.
    own = ("stdout", "stderr", "tmpdir", f"keras_home{os.sep}", "keras_home")
    assert {path for path in new if not path.startswith((allowed, *own))} == set()
    assert {path for path in new if path.startswith("tmpdir")} == {
        path for path in new if path == "tmpdir" or path.startswith(allowed)
    }
    (folder,) = places["TMPDIR"].glob("pytest-of-*/pytest-0/modelsize0")
    kept = sorted(path.name for path in folder.glob("*/*"))
    assert kept == ["model.keras", "model.saved_model", "model.tflite"]


def test_copies_are_kept_up_to_a_number(light, monkeypatch):
    monkeypatch.setattr(kept_copies, "_MOST", 2)
    result = light.run_code(LIVE)
    result.assert_outcomes(failed=4)
    told = [line for line in result.outlines if line.startswith("  kept: ")]
    assert [Path(line.removeprefix("  kept: ")).is_file() for line in told] == [True] * 2 + [
        False
    ] * 2
    for line in told[2:]:
        assert line == "  kept: no, a session keeps at most 2 copies with 2 GB in all"
    folder = Path(told[0].removeprefix("  kept: ")).parent.parent
    assert len(list(folder.iterdir())) == 2


def test_copies_are_kept_up_to_their_bytes(light, monkeypatch):
    monkeypatch.setattr(kept_copies, "_MOST_BYTES", 1116)
    result = light.run_code(LIVE)
    told = [line for line in result.outlines if line.startswith("  kept: ")]
    assert [
        "kept: no, a session keeps at most 20 copies with 1.12 kB" in line for line in told
    ] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("broken", ["read-only", "missing"])
def test_a_temporary_folder_that_takes_nothing_is_a_clear_error(light, disk, broken):
    where = disk("ro") / "base" if broken == "read-only" else Path("/proc/nothing/base")
    result = light.run_code(LIVE, f"--basetemp={where}", "-pno:cacheprovider")
    result.assert_outcomes(failed=4)
    words = "Read-only file system" if broken == "read-only" else "No such file or directory"
    result.stdout.fnmatch_lines(
        [f"budget not checked: there is no temporary folder for a saved copy: *{words}*"]
    )


def test_a_folder_that_turns_unwritable_is_a_clear_error(light):
    base = str(light.path / "base")
    code = f"""
import pathlib, pytest, shutil

@pytest.mark.max_model_size("1MB")
@pytest.mark.parametrize("n", range(2))
def test_it(model, n):
    if n == 1:
        shutil.rmtree(pathlib.Path({base!r}) / "modelsize0")
"""
    result = light.run_code(code, f"--basetemp={base}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: no folder can be made for a saved copy: *No such file or directory*"]
    )


def test_a_full_disk_is_said_in_the_framework_s_own_words(project, disk, monkeypatch):
    needs("tensorflow")
    where = disk("size=600k")
    monkeypatch.setenv("TMPDIR", str(where))
    project.makepyfile(
        test_it="import pytest\nfrom conftest import build\n"
        + "".join(
            f"""
@pytest.mark.max_model_size("1GB", format="{format}")
def test_{format}(large):
    pass
"""
            for format in FORMATS
        )
        + """
@pytest.fixture(scope="session")
def large():
    return build(40_000)
"""
    )
    result = project.run(
        sys.executable,
        "-mpytest",
        "-pmodelsize",
        "-Wignore",
        f"--basetemp={where / 'base'}",
        "-rf",
        "--modelsize-save=real",
    )
    assert result.parseoutcomes() == {"failed": 6}
    blocks = result.stdout.str().split("budget not checked: Sequential cannot be saved as ")[1:]
    assert sorted(block.partition(": ")[0] for block in blocks) == [
        ".ckpt", ".h5", ".keras", ".saved_model", ".tflite", ".weights.h5"
    ]  # fmt: skip
    for block in blocks:
        assert "No space left on device" in block.partition("  budget: ")[0]
    left = [path for path in (where / "base").rglob("*") if path.is_file()]
    assert left == []


def test_a_model_that_cannot_be_saved_is_an_error_in_the_framework_s_words(project):
    result = project.run_code(
        """
        import keras, pytest

        class Odd(keras.layers.Layer):
            def __init__(self, thing):
                super().__init__()

        @pytest.fixture
        def net():
            return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), Odd(object())])

        @pytest.mark.max_model_size("1MB")
        def test_it(net):
            pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: Sequential cannot be saved as .keras: *get_config*"]
    )


class Watch:
    """Watches the bytes below a folder, from another thread."""

    def __init__(self, folder):
        self.folder, self.most, self._end = folder, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._end.is_set():
            total = 0
            for here, _, files in os.walk(self.folder):
                for name in files:
                    try:
                        status = os.lstat(os.path.join(here, name))
                        # What is written anew to try a fix has holes where its tensors are.
                        holes = "replay-" in here
                        total += status.st_blocks * 512 if holes else status.st_size
                    except OSError:
                        continue  # it is gone by now
            self.most = max(self.most, total)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()


@pytest.mark.parametrize(
    ("limit", "copies"), [("1GB", 1), ("1 B", 2)], ids=["one, held", "two, explained"]
)
def test_the_disk_holds_one_copy_and_two_while_a_failure_is_explained(
    project,
    limit,
    copies,
):
    base = project.path / "base"
    code = f"""
        import pytest
        from conftest import build, train

        @pytest.fixture(scope="session")
        def large():
            return train(build(100_000))

        @pytest.mark.max_model_size("{limit}", format="h5", model="large")
        @pytest.mark.max_model_size("{limit}", model="large")
        @pytest.mark.max_model_size("{limit}", format="weights", model="large")
        def test_it(large):
            pass
        """
    with Watch(base) as watch:
        result = project.run_code(code, f"--basetemp={base}")
    artifact = 3 * 4 * 100_000 * 11  # weights and two moments, in float32
    assert result.parseoutcomes() == ({"passed": 1} if copies == 1 else {"failed": 1})
    # A failure keeps its copies: three of them, and a lean one beside the last.
    most = artifact if copies == 1 else 3 * artifact + artifact / 3
    assert artifact * 0.3 < watch.most < most * 1.01 + 200_000
    shutil.rmtree(base)
