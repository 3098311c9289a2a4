"""A session that does not use the plugin pays for nothing that the plugin could need."""

import subprocess
import sys

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
        "pytest_modelsize.plugin.collection",
        "pytest_modelsize.plugin.options",
        "pytest_modelsize.plugin.outcomes",
        "pytest_modelsize.plugin.processes",
        "pytest_modelsize.plugin.safety_net",
        "pytest_modelsize.plugin.spelling",
    }
    assert not set(HEAVY) & set(loaded)


def test_measuring_an_artifact_loads_no_framework(tmp_path):
    code = (
        "import pytest\n"
        "@pytest.mark.max_model_size('1 kB', path='notes.bin')\n"
        "def test_small(tmp_path): (tmp_path / 'notes.bin').write_bytes(b'x' * 999)\n"
    )
    loaded = loaded_after(code, tmp_path)
    assert "pytest_modelsize.formats.containers.hdf5" in loaded
    assert not set(HEAVY) & set(loaded)
