"""Artifacts that mean harm, or that change under our hands: an error, or the whole truth."""

import ast
import io
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

import pytest_modelsize
from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.checks.subject import TargetError
from pytest_modelsize.cli import main
from pytest_modelsize.formats.folder import Folder, Tree
from pytest_modelsize.formats.source import Source, open_source
from pytest_modelsize.saving import SaveError, save
from pytest_modelsize.sizes.escaping import escaped, printable
from tests.needs import lacks

DATA = Path(__file__).parent.parent / "data"
EVIL = "\x1b[31mred\u202e<b>|`x`\r\n\u2028end\x9b"
"""Escape codes, a right-to-left override, HTML, Markdown, and three kinds of line's end."""


def assert_plain(text):
    """No character but signs, blanks and our own ends of lines."""
    assert all(part.isprintable() for part in text.split("\n")), ascii(text)


def everything_below(folder):
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))


def keras_archive(*more):
    """A ``.keras`` archive with ``more`` members, as pairs of name and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(DATA / "dense.keras") as whole, zipfile.ZipFile(buffer, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that are there twice
            for name, content in more:
                archive.writestr(name, content)
    return buffer.getvalue()


def link(name, target):
    """A member that unzip would make a symbolic link of."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info, target


@pytest.mark.parametrize(
    "members",
    [
        [("../../outside.txt", b"x" * 99)],
        [("/tmp/absolute.txt", b"x" * 99)],
        [("assets/..\\windows.txt", b"x" * 99), ("C:\\absolute.txt", b"x")],
        [link("assets/link", b"/etc/passwd"), ("assets/link/below.txt", b"x")],
        [("config.json", b"{}"), ("model.weights.h5", (DATA / "dense.weights.h5").read_bytes())],
        [(EVIL, b"x" * 99)],
    ],
    ids=["parent", "absolute", "windows", "link", "duplicate", "evil"],
)
def test_members_are_bytes_with_a_name_and_nothing_is_unpacked(tmp_path, members):
    path = tmp_path / "inside" / "model.keras"
    path.parent.mkdir()
    path.write_bytes(keras_archive(*members))
    before = everything_below(tmp_path)
    measured = measure(path)
    assert measured.format == "keras"
    assert measured.total == path.stat().st_size
    assert sum(leaf.size for _, leaf in measured.leaves()) == measured.total
    assert everything_below(tmp_path) == before


def test_directories_that_lead_back_to_themselves_are_measured_once(tmp_path):
    model = tmp_path / "model"
    (model / "sub").mkdir(parents=True)
    (model / "a.bin").write_bytes(b"x" * 7)
    (model / "sub" / "up").symlink_to("..")
    (model / "here").symlink_to(".")
    assert measure(model).total == 7
    for name, target in (
        ("self", "self"),
        ("there", "and back"),
        ("and back", "there"),
        ("out", "/etc"),
    ):
        (model / name).symlink_to(target)
        with pytest.raises(ArtifactError, match=rf"{name}: a (symbolic )?link"):
            measure(model)
        (model / name).unlink()
    (model / "self").symlink_to("self")
    with pytest.raises(ArtifactError, match="cannot be measured"):
        measure(model / "self")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason=lacks("sockets in the file system"))
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # its name must be short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        for path in (tmp_path / "socket", tmp_path):
            with pytest.raises(ArtifactError, match=r"socket: (cannot be opened|is no regular)"):
                measure(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty", "/dev/random"])
def test_a_device_is_refused_and_not_read(tmp_path, device):
    if not os.path.exists(device):
        pytest.skip(lacks(device))
    with pytest.raises(ArtifactError, match=r"is not a regular file|cannot be opened"):
        measure(device)
    (tmp_path / "model.keras").symlink_to(device)
    with pytest.raises(ArtifactError, match=r"is not a regular file|cannot be opened"):
        measure(tmp_path / "model.keras")


def shrink(path):
    os.truncate(path, 100)


def grow(path):
    with path.open("ab") as file:
        file.write(bytes(5000))


@pytest.mark.parametrize("change", [shrink, grow])
@pytest.mark.parametrize("name", ["dense.h5", "dense.keras", "dense.weights.h5", "dense.tflite"])
def test_a_file_that_changes_its_size_while_it_is_read_is_an_error(
    tmp_path, monkeypatch, name, change
):
    """Mapped into memory, a truncated one would end the process with SIGBUS."""
    path = tmp_path / name
    read, calls = Source.read, []
    shutil.copy(DATA / name, path)
    with monkeypatch.context() as patched:
        patched.setattr(Source, "read", lambda *args: calls.append(args) or read(*args))
        measure(path)
    reads = len(calls)
    assert reads > 5
    noticed = 0
    for moment in range(1, reads, 3):
        shutil.copy(DATA / name, path)
        left = iter(range(moment, -1, -1))

        def changing(source, offset, size, left=left):
            if next(left, -1) == 0:
                change(path)
            return read(source, offset, size)

        with monkeypatch.context() as patched:
            patched.setattr(Source, "read", changing)
            try:
                # A look at what it is comes first: a change before the reading is no change.
                assert measure(path).total == path.stat().st_size
            except ArtifactError as error:
                noticed += bool(re.search("became|measured", str(error)))
    assert noticed > reads // 6


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_vanishes_from_a_directory_while_it_is_read_is_an_error(tmp_path, monkeypatch, what):
    for name in ("a.bin", "b.bin", "c/d.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 10)
    opened = Tree.open

    def removing(tree, path, **kwargs):
        if what == "file":
            (tmp_path / "b.bin").unlink(missing_ok=True)
        else:
            shutil.rmtree(tmp_path / "c", ignore_errors=True)
        return opened(tree, path, **kwargs)

    monkeypatch.setattr(Tree, "open", removing)
    with pytest.raises(ArtifactError, match=r"is gone|cannot be (opened|listed)|are there now"):
        measure(tmp_path)


def test_what_vanishes_before_it_is_counted_once_more_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "a.bin").write_bytes(b"x" * 10)
    walk = os.walk

    def walked(*args):
        for here, folders, found in walk(*args):
            (tmp_path / "a.bin").unlink()
            yield here, folders, found

    monkeypatch.setattr(os, "walk", walked)
    with pytest.raises(ArtifactError, match=r"a\.bin: is gone"):
        measure(tmp_path)


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path, monkeypatch):
    model = tmp_path / "model"
    model.mkdir()
    (tmp_path / "secret").write_bytes(b"x" * 1000)
    (model / "a.bin").write_bytes(b"x" * 10)
    walk = Folder.walk

    def swapping(*args):
        for item in walk(*args):
            item.path.unlink()
            item.path.symlink_to(tmp_path / "secret")
            yield item

    monkeypatch.setattr(Folder, "walk", swapping)
    with pytest.raises(ArtifactError, match=r"a\.bin: a symbolic link out of the folder"):
        measure(model)


def test_a_disk_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    def failing(*args):
        raise OSError(5, "Input/output error")

    (tmp_path / "model.h5").write_bytes(b"x" * 100)
    monkeypatch.setattr(os, "pread", failing, raising=False)
    with pytest.raises(ArtifactError, match="cannot be read: Input/output error"):
        measure(tmp_path / "model.h5")


def test_names_are_escaped_wherever_they_are_shown(tmp_path, capsys):
    folder = tmp_path / f"a{EVIL}".replace("/", "")
    folder.mkdir()
    (folder / f"b{EVIL}.bin").write_bytes(b"x" * 3)
    (folder / "model.keras").write_bytes(keras_archive((f"assets/{EVIL}", b"y" * 50)))
    assert main(["show", str(folder), "--depth", "5"]) == 0
    told = capsys.readouterr().out
    assert_plain(told)
    assert r"\x1b[31mred\u202e<b>|`x`\r\n\u2028end\x9b" in told
    (folder / f"{EVIL}.h5").write_bytes(b"no HDF5")
    assert main(["show", str(folder)]) == 2
    told = capsys.readouterr().err
    assert_plain(told)
    assert told.count("\n") == 1


def test_messages_of_every_kind_escape_what_they_name(tmp_path):
    assert_plain(str(ArtifactError(EVIL, 3, f"{EVIL} is not a name")))
    assert_plain(str(TargetError(f"no fixture {EVIL}")))
    with pytest.raises(SaveError) as caught:
        save(EVIL, tmp_path, format="keras", include_optimizer=True)
    assert_plain(str(caught.value))


def test_a_failure_escapes_what_it_names(light):
    light.makepyfile(evil=f"EVIL = {EVIL!r}")
    result = light.run_code(
        """
        import pytest
        from evil import EVIL

        @pytest.mark.max_model_size("1 B", path="model*")
        def test_exceeded(tmp_path):
            (tmp_path / f"model{EVIL}").write_bytes(b"x" * 30)

        @pytest.mark.max_model_size("1 B")
        def test_several(tmp_path):
            for n in range(2):
                (tmp_path / f"{n}{EVIL}.keras").write_bytes(b"x")

        @pytest.mark.max_model_size("1 B", path="*.h5")
        def test_broken(tmp_path):
            (tmp_path / f"{EVIL}.h5").write_bytes(b"x")
        """
    )
    result.assert_outcomes(failed=3)
    told = result.stdout.str()
    assert_plain(told)
    assert told.count(r"\x1b[31mred\u202e<b>|`x`\r\n\u2028end\x9b") >= 4


def test_a_terminal_of_few_signs_shows_the_others_escaped(tmp_path):
    (tmp_path / "größe.bin").write_bytes(b"x" * 3)
    run = subprocess.run(
        [sys.executable, "-m", "pytest_modelsize", "show", str(tmp_path)],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    assert rb"gr\xf6\xdfe.bin" in run.stdout


def test_escaping_leaves_good_text_as_it_is():
    for text in ("", "dense_1/kernel:0", "größe – 100 %", "模型", "a\\b"):
        assert escaped(text) == printable(text) == text
    assert len(printable("x" * 10_000)) < 300


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (self.where,)


def test_a_pickle_is_never_loaded(tmp_path):
    bomb = Bomb()
    bomb.where = str(tmp_path / "exploded")
    data = pickle.dumps(bomb)
    folder = tmp_path / "artifacts"
    folder.mkdir()
    for name in ("model.pkl", "model.pt", "model.bin", "data.pkl"):
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(folder / "torch.pt", "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3")
    (folder / "model.keras").write_bytes(keras_archive(("assets/data.pkl", data)))
    assert measure(folder).total == sum(path.stat().st_size for path in folder.iterdir())
    assert not (tmp_path / "exploded").exists()
    pickle.loads(data)  # the bomb is a real one
    assert (tmp_path / "exploded").exists()


def test_no_reader_can_execute_anything():
    """Neither the modules nor the built-in functions with which text becomes code."""
    modules = {"pickle", "marshal", "shelve", "dill", "joblib", "yaml", "importlib", "runpy",
               "ctypes", "subprocess", "mmap"}  # fmt: skip
    functions = {"eval", "exec", "compile", "__import__"}
    package = Path(pytest_modelsize.__file__).parent
    seen = 0
    # Readers of other packages are found, and run, because the user has installed them.
    # The registry imports the modules that it names itself.
    finders = {package / "formats" / name for name in ("reader_plugins.py", "registry.py")}
    # Initializers are made of the names that this package gives its own fields.
    finders.add(package / "sizes" / "records.py")
    files = {path for name in ("formats", "sizes") for path in (package / name).rglob("*.py")}
    for path in files - finders:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            seen += 1
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in functions, path
            assert not modules & {name.partition(".")[0] for name in names}, path
    assert seen > 10_000


def test_a_source_refuses_a_link_where_it_is_told_to(tmp_path):
    (tmp_path / "link").symlink_to(DATA / "dense.h5")
    with open_source(tmp_path / "link") as source:
        assert source.size > 0
    with (
        pytest.raises(ArtifactError, match="cannot be opened"),
        open_source(tmp_path / "link", follow=False),
    ):
        pass
