"""The folder list is the architecture: imports point downwards only."""

import ast
from pathlib import Path

import pytest

import pytest_modelsize

PACKAGE = Path(pytest_modelsize.__file__).parent
LAYERS = [
    ["bytesize", "printable"],
    ["sections"],
    ["formats"],
    ["budget", "comparison", "compression", "exchange", "saving"],
    ["condensed"],
    ["changes"],
    ["growth", "record"],
    ["targets", "marker_place", "diagnosis", "baseline"],
    ["collected", "marker", "report", "check"],
    ["copies", "outcomes", "reuse"],
    ["session", "cli"],
    ["accepted"],
    ["holding", "handed", "recording"],
    ["plugin", "__main__"],
    ["__init__"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MAY_IMPORT_PYTEST = {
    "accepted",
    "copies",
    "handed",
    "holding",
    "outcomes",
    "plugin",
    "recording",
    "session",
}
FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "torch", "jax", "h5py", "numpy"}


def imports():
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        owner = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{relative}: imports are absolute"
                names = [node.module or ""]
            for name in names:
                yield relative.as_posix(), owner, name


def test_every_module_has_its_place_in_the_layers():
    owners = {owner for _, owner, _ in imports()}
    assert owners - set(RANK) == set()


@pytest.mark.parametrize(("where", "owner", "name"), list(imports()))
def test_imports_point_downwards_only(where, owner, name):
    top, _, rest = name.partition(".")
    if top == "pytest_modelsize" and owner != "__init__":
        target = rest.partition(".")[0]
        assert target == owner or RANK[target] < RANK[owner], f"{where} imports {name}"
    if top in ("pytest", "_pytest"):
        assert owner in MAY_IMPORT_PYTEST, where
        assert top == "pytest", f"{where}: nothing private of pytest"
    if top in FRAMEWORKS:
        assert owner == "saving", f"{where} imports {name}"
