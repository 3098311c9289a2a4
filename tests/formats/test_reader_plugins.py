"""Readers of other packages: found, asked in order, held to the law, and named when they fail."""

import importlib.metadata
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, Ledger, Reader, Source, measure
from pytest_modelsize.formats import reader_plugins, recognise, registry
from tests.formats.reader_package import WHOLE, reader
from tests.needs import needs

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "npy_reader"
TABLE = '[project.entry-points."pytest_modelsize.readers"]\n'


@pytest.fixture
def install(tmp_path, monkeypatch):
    """``install(package, module, code)``: a package with a reader in that module, as pip leaves it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    modules = []

    def install(package, module, code, entries=None):
        (site / f"{module}.py").write_text(code)
        about = site / f"{package.replace('-', '_')}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        entries = entries or f"{module} = {module}\n"
        (about / "entry_points.txt").write_text(f"[pytest_modelsize.readers]\n{entries}")
        modules.append(module)
        importlib.invalidate_caches()
        reader_plugins._offered.cache_clear()
        return site

    yield install
    reader_plugins._offered.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def unknown(monkeypatch):
    """The project as it was without a reader of its own for the example's format."""
    lines = tuple(line for line in registry.FORMATS if line.name != "npy")
    monkeypatch.setattr(registry, "FORMATS", lines)
    monkeypatch.delitem(registry._CLAIMS, ".npy", raising=False)


@pytest.fixture
def example(install, unknown):
    """The example's module under the entry points of its own ``pyproject.toml``."""
    text = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    entries = text.partition(TABLE)[2].partition("\n\n")[0].replace('"', "") + "\n"
    return install(
        "modelsize-npy", "modelsize_npy", (EXAMPLE / "modelsize_npy.py").read_text(), entries
    )


def npy(shape=(2, 3), size=24):
    """A file by hand, as numpy/lib/format.py lays it out."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(size)


def test_the_example_s_format_is_not_known_without_it(unknown, tmp_path):
    (tmp_path / "a.npy").write_bytes(npy())
    assert recognise(tmp_path / "a.npy") is None
    assert measure(tmp_path / "a.npy").format == "file"


def test_the_example_s_format_is_measured_alone_and_in_a_folder(example, tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "a.npy").write_bytes(npy())
    assert recognise(folder / "a.npy") == "npy"
    result = measure(folder / "a.npy")
    assert (result.format, result.total) == ("npy", len(npy()))
    assert result.section("weights").of_kind(Kind.DATA) == 24
    assert result.section("weights").children[0].note == "f4 2x3"
    (folder / "notes.txt").write_text("x")
    both = measure(folder)
    assert (both.weights, both.assets, both.total) == (result.weights, 1, len(npy()) + 1)


def test_the_example_s_own_tests_pass(example, tmp_path):
    needs("numpy")
    shutil.copy(EXAMPLE / "test_npy.py", tmp_path)
    code = (
        f"import sys, pytest; sys.path[:0] = [{str(example)!r}, {str(ROOT)!r}]\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:flaky', sys.argv[1]]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "test_npy.py")],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "5 passed" in run.stdout


def test_a_file_that_the_example_calls_broken_is_an_error_that_names_both(example, tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(size=23))
    with pytest.raises(ArtifactError, match="an array of 24 bytes expected") as caught:
        measure(tmp_path / "a.npy")
    assert caught.value.offset == len(npy()) - 24
    assert "a.npy" in str(caught.value)
    assert "modelsize-npy 1.0" in str(caught.value)


def test_the_documentation_shows_the_example_as_it_is():
    text = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```(?:python|toml)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    files = ("modelsize_npy.py", "pyproject.toml", "test_npy.py")
    assert shown == [(EXAMPLE / name).read_text(encoding="utf-8") for name in files]
    public = {"Kind": Kind, "Ledger": Ledger, "Reader": Reader, "Source": Source}
    for name, value in public.items():
        assert f"`{name}`" in text
        assert value.__doc__
    for method in re.findall(r"`(\w+)\(", text.partition("- `Source`")[2].partition("- `Kind`")[0]):
        assert hasattr(Source, method) or hasattr(Ledger, method), method


FAULTS = {
    "it raises": (reader(read="{}['shape']"), "failed: KeyError: 'shape'"),
    "its look raises": (reader(recognises="1 / 0"), "failed: ZeroDivisionError"),
    "it cannot be imported": ("import not_there_at_all", "failed: ModuleNotFoundError"),
    "it has no read": ("format = 'own'\ndef recognises(source): return True", "names"),
    "its format is not text": (reader(read=WHOLE, format=3), "names"),
    "it leaves bytes out": (
        reader(read="ledger.add(('weights',), Kind.DATA, 3)"), "accounts for 3 bytes of 8 and breaks the law",
    ),
    "it counts bytes twice": (
        reader(read="ledger.add(('weights',), Kind.DATA, 9)"), "accounts for 9 bytes of 8 and breaks the law",
    ),
    "it adds nothing": (reader(), "accounts for 0 bytes of 8"),
    "a section of its own": (reader(read="ledger.add(('mine',), Kind.DATA, 8)"), "failed: LawBroken"),
    "less than nothing": (reader(read="ledger.add(('graph',), Kind.DATA, -8)"), "failed: LawBroken"),
    "a part of a byte": (reader(read="ledger.add(('graph',), Kind.DATA, 8.0)"), "failed: TypeError"),
    "a name that is none": (reader(read="ledger.add(('graph', 3), Kind.DATA, 8)"), "failed: TypeError"),
    "past the end": (reader(read="source.read(0, 99)"), "99 bytes expected here"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_reader_s_fault_names_its_package_and_is_never_a_measurement(case, install, tmp_path):
    code, problem = FAULTS[case]
    install("their-package", "their_reader", code)
    (tmp_path / "m.own").write_bytes(b"OWN12345")
    for measured in (tmp_path / "m.own", tmp_path):
        with pytest.raises(ArtifactError, match=problem) as caught:
            measure(measured)
        assert "the reader 'their_reader' of their-package 1.0" in str(caught.value)


def test_the_first_that_recognises_a_file_by_the_order_of_packages_reads_it(install, tmp_path):
    always = "return True"
    install("b-package", "first_module", reader(always, WHOLE, "second"))
    install("a-package", "second_module", reader(always, WHOLE, "first"))
    (tmp_path / "m.own").write_bytes(b"OWN12345")
    assert measure(tmp_path / "m.own").format == "first"


def test_ours_come_first_and_nothing_is_looked_up_for_what_they_know(monkeypatch):
    def never(**_):
        raise AssertionError("looked up")

    monkeypatch.setattr(importlib.metadata, "entry_points", never)
    reader_plugins._offered.cache_clear()
    for path in (ROOT / "tests" / "data").glob("dense.*"):
        # Arrays in an archive are an artifact only where someone says so.
        assert recognise(path) is not None or path.suffix == ".npz"
        assert measure(path).format != "file"


def test_the_readers_are_looked_up_once_for_many_files(install, tmp_path, monkeypatch):
    install("their-package", "their_reader", reader(read=WHOLE))
    calls = []
    plain = importlib.metadata.entry_points
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda **group: calls.append(1) or plain(**group)
    )
    models = tmp_path / "models"  # Python may write what it compiled beside the reader
    models.mkdir()
    for index in range(20):
        (models / f"{index}.own").write_bytes(b"OWN12345")
    assert measure(models).weights == 160
    assert len(calls) == 1
