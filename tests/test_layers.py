"""The folders are the architecture: each has one sentence, and imports point downwards only."""

import ast
import re
from pathlib import Path

import pytest

import pytest_modelsize

PACKAGE = Path(pytest_modelsize.__file__).parent
BELOW = {
    "sizes": set(),
    "formats": {"sizes"},
    "saving": {"formats", "sizes"},
    "storage": {"formats", "sizes"},
    "checks": {"saving", "storage", "formats", "sizes"},
    "report": {"checks", "storage", "sizes"},
    "plugin": {"report", "checks", "storage", "saving", "formats", "sizes"},
    "cli": {"report", "checks", "storage", "saving", "formats", "sizes"},
    "__main__": {"cli"},
}
"""What the modules of a folder may import beside those of their own."""
FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "torch", "jax", "h5py", "numpy"}
NETWORK = {"urllib", "http", "socket", "ssl", "requests", "asyncio", "ftplib"}
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
CONTAINERS = "pytest_modelsize.formats.containers"
CONTAINERS_KNOW = (
    CONTAINERS,
    "pytest_modelsize.formats.source",
    "pytest_modelsize.formats.extents",
)


def imported_by(where):
    """Yield the name of each module that a file of the package imports."""
    for node in ast.walk(ast.parse((PACKAGE / where).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where}: imports are absolute"
            yield node.module or ""


def test_the_package_has_the_seven_folders_and_the_command():
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__pycache__", "py"} == {"__init__", *BELOW}


@pytest.mark.parametrize("where", FILES)
def test_imports_point_downwards_only(where):
    folder = where.partition("/")[0].removesuffix(".py")
    for name in imported_by(where):
        top, _, rest = name.partition(".")
        if top == "pytest_modelsize" and folder != "__init__":
            target = rest.partition(".")[0]
            assert target == folder or target in BELOW[folder], f"{where} imports {name}"
        if where.startswith("formats/containers/") and name.startswith("pytest_modelsize.formats"):
            assert name.startswith(CONTAINERS_KNOW), f"{where} knows models: it imports {name}"
        if top in ("pytest", "_pytest"):
            assert folder == "plugin", f"{where} imports pytest"
            assert top == "pytest", f"{where}: nothing private of pytest"
        if top in FRAMEWORKS:
            rebuilds = where.startswith("checks/stripping/") and name in {"h5py", "numpy"}
            assert folder == "saving" or rebuilds, f"{where} imports {name}"
        if top in NETWORK:
            assert where.startswith("cli/hosting/"), (
                f"{where} reaches the network: it imports {name}"
            )


def test_the_contributors_page_has_the_folders_and_their_rules():
    page = (Path(__file__).parent.parent / "docs" / "contributing.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| `") and "/`" in line
    ]
    shown = {name.strip("`/"): (sentence, above) for name, sentence, above in rows[:7]}
    assert shown.keys() == BELOW.keys() - {"cli", "__main__"}
    for folder, (sentence, above) in shown.items():
        assert {part.strip("` ") for part in above.split(",")} - {""} == BELOW[folder]
        about = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text("utf-8")))
        assert sentence.split(";")[0].lower().replace("`", "") in about.lower().replace("`", "")


def test_each_place_that_the_contributors_page_names_is_there():
    root = Path(__file__).parent.parent
    page = (root / "docs" / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.]+(?:/[\w.]+)*(?:/|\.(?:py|md|toml|json)))`", page))
    assert len(named) > 20
    bases = (PACKAGE, PACKAGE / "formats", root)
    missing = {name for name in named if not any((base / name).exists() for base in bases)}
    assert missing <= {"modelsize.toml"}
