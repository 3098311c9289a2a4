"""A session that does not use the plugin pays for nothing that the plugin could need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("h5py", "numpy", "keras", "tf_keras", "tensorflow", "torch", "jax")


def loaded_after(code, tmp_path, *options):
    (tmp_path / "test_plain.py").write_text(code)
    script = (
        "import sys, pytest\n"
        "code = pytest.main(sys.argv[1:])\n"
        "print('LOADED', *sorted(sys.modules))\n"
        "sys.exit(code)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, "-p", "no:cacheprovider", *options, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.partition("LOADED")[2].split()


def test_a_session_without_a_budget_loads_no_framework_and_none_of_our_readers(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'x'\noptional-dependencies.test = ['pytest-modelsize']\n"
        "[tool.pytest.ini_options]\nmodelsize_format = 'h5'\n"
    )
    loaded = loaded_after("def test_nothing(): pass\n", tmp_path)
    assert "pytest_modelsize.plugin" in loaded
    ours = {name for name in loaded if name.startswith("pytest_modelsize")}
    assert ours == {
        "pytest_modelsize",
        "pytest_modelsize.plugin",
        "pytest_modelsize.plugin.budget_files",
        "pytest_modelsize.plugin.markers",
        "pytest_modelsize.plugin.option_values",
        "pytest_modelsize.plugin.options",
    }
    assert not set(HEAVY) & set(loaded)


CALLS = (
    "import collections, contextlib, io, sys, pytest, pytest_modelsize\n"
    "ours = pytest_modelsize.__file__.removesuffix('__init__.py')\n"
    "def calls_in(path):\n"
    "    found = collections.Counter()\n"
    "    def seen(frame, event, _):\n"
    "        if event == 'call' and frame.f_code.co_filename.startswith(ours):\n"
    "            found[frame.f_code.co_name] += 1\n"
    "    sys.setprofile(seen)\n"
    "    with contextlib.redirect_stdout(io.StringIO()):\n"
    "        code = pytest.main(['-q', '-p', 'no:cacheprovider', path])\n"
    "    sys.setprofile(None)\n"
    "    assert not code\n"
    "    return found\n"
    "few, many = map(calls_in, sys.argv[1:])\n"
    "print(few.total() - (many.total() - few.total()), (many - few).total(), many - few, few)\n"
)


def test_a_test_without_a_budget_passes_hooks_that_look_and_return(tmp_path):
    for name, count in (("few", 1), ("many", 2)):
        code = "".join(f"def test_{n}(): pass\n" for n in range(count))
        (tmp_path / f"test_{name}.py").write_text(code)
    run = subprocess.run(
        [sys.executable, "-c", CALLS, "test_few.py", "test_many.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    session, test, calls = run.stdout.split(maxsplit=2)
    # Its setup; its body, begun and resumed; three reports, each likewise, and each of them logged:
    # twelve. The rest looks for a marker: before the setup, around the body, and at its report.
    assert int(test) <= 22, calls
    # Three modules, eleven hooks, each option and argument, ini-file and baseline: 41.
    assert int(session) <= 45, calls


def test_measuring_an_artifact_loads_no_framework(tmp_path):
    code = (
        "import pytest\n"
        "@pytest.mark.max_model_size('1 kB', path='notes.bin')\n"
        "def test_small(tmp_path): (tmp_path / 'notes.bin').write_bytes(b'x' * 999)\n"
    )
    loaded = loaded_after(code, tmp_path)
    assert "pytest_modelsize.formats" in loaded
    assert not set(HEAVY) & set(loaded)


DATA = Path(__file__).parent / "data"
SLOW = {
    "argparse", "bz2", "dataclasses", "decimal", "email", "fractions", "http", "importlib.metadata", "inspect",
    "lzma", "shutil", "socket", "subprocess", "tempfile", "typing",
}  # fmt: skip
"""What takes some milliseconds to import, and no reading needs."""
COMMAND = (
    "import sys, io\n"
    "before = set(sys.modules)\n"
    "sys.stdout = io.StringIO()\n"
    "from pytest_modelsize.cli import main\n"
    "code = main(sys.argv[1:])\n"
    "sys.stdout = sys.__stdout__\n"
    "print(code, *sorted(set(sys.modules) - before))\n"
)


def imported_by(*arguments):
    """Return what the command imports, by itself: coverage has imported much of that before."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    run = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=alone,
    )
    code, *names = run.stdout.split()
    assert code == "0", run.stdout + run.stderr
    return set(names)


READERS = {
    "tensorflow.bundle", "torch.contents", "torch.archive", "onnx.reader", "tflite.reader", "gguf",
    "keras.archive", "keras.weights_file", "safetensors", "pickle.reader", "tfjs.reader", "huggingface",
    "containers.hdf5.reader", "containers.pickle.machine",
}  # fmt: skip
"""Modules that read a format, and are long."""


@pytest.mark.parametrize(
    ("artifact", "wanted"),
    [
        ("dense.h5", {"keras.weights_file", "containers.hdf5.reader"}),
        ("dense.keras", {"keras.archive", "keras.weights_file", "containers.hdf5.reader"}),
        ("dense.weights.h5", {"keras.weights_file", "containers.hdf5.reader"}),
        ("dense.tflite", {"tflite.reader"}),
        ("dense.safetensors", {"safetensors"}),
        ("dense.onnx", {"onnx.reader"}),
        ("torch/weights.pth", {"torch.archive", "torch.contents", "containers.pickle.machine"}),
        ("torch/lightning.ckpt", {"torch.archive", "torch.contents", "containers.pickle.machine"}),
        ("saved", {"tensorflow.bundle"}),
        ("checkpoint", {"tensorflow.bundle"}),
        ("hub", {"huggingface", "safetensors"}),
        ("web", {"tfjs.reader"}),
        ("plain", set()),
        ("external", {"onnx.reader"}),
        ("dense.npz", {"keras.archive"}),
        ("flax/state.msgpack", set()),
        ("boosted/xgboost.ubj", set()),
        ("openvino/dense.xml", set()),
        ("executorch/dense.pte", set()),
    ],
)
def test_show_imports_the_reader_of_its_file_and_little_else(artifact, wanted):
    found = imported_by("show", DATA / artifact)
    ours = {name.removeprefix("pytest_modelsize.") for name in found if "pytest_modelsize" in name}
    assert not {name for name in ours if name.startswith("saving")}
    assert {name for name in READERS if f"formats.{name}" in ours} == wanted
    assert not set(HEAVY) & found
    if sys.version_info >= (3, 11):  # before, argparse and pathlib import some of these themselves
        assert not SLOW & found
    assert len(ours) <= 96


def test_a_check_that_holds_imports_nothing_to_explain_a_failure(tmp_path):
    found = imported_by("check", DATA / "dense.h5", "--max", "1 MB", "--optimizer", "1 MB")
    ours = {name for name in found if name.startswith("pytest_modelsize")}
    assert not {
        name for name in ours if ".saving" in name or ".causes" in name or ".report" in name
    }
    if sys.version_info >= (3, 11):
        assert not SLOW & found
    assert len(ours) <= 58
