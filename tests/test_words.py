"""One word for each thing: names are defined once, imported from there, and explained."""

import ast
import re
from pathlib import Path

import pytest

import pytest_modelsize

PACKAGE = Path(pytest_modelsize.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "contributing.md"
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
OF_EACH_FORMAT = {
    "Array": "Flax's, NumPy's",
    "Homes": "of names with dots, of TensorFlow's variables",
    "Item": "of a folder, of a pickle",
    "Message": "of protobuf, of an HDF5 header: each specification's own word",
    "Node": "of a pickled object, of a tree of tensors",
    "Stored": "elements of HDF5, variables of Keras",
    "Table": "FlatBuffers', LevelDB's: each specification's own word",
    "Tensor": "ONNX's, PyTorch's, and any artifact's, as causes see it",
    "Walk": "over HDF5, over a configuration",
}
"""What two formats have of their own under one name, because their specifications do."""


def named(tree):
    """Yield the names that a module defines."""
    for node in tree.body:
        for part in ast.walk(node) if isinstance(node, ast.If) else [node]:
            if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
                yield part.name
            elif isinstance(part, ast.ImportFrom) and isinstance(node, ast.If):
                yield from (alias.asname or alias.name for alias in part.names)
            elif isinstance(part, (ast.Assign, ast.AnnAssign)):
                targets = part.targets if isinstance(part, ast.Assign) else [part.target]
                yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def test_no_public_class_has_the_name_of_another():
    where = {}
    for path, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(path)
    twice = {name for name, paths in where.items() if len(paths) > 1}
    assert twice == OF_EACH_FORMAT.keys(), {name: where[name] for name in twice}


@pytest.mark.parametrize("path", TREES)
def test_a_name_is_imported_from_where_it_is_defined(path):
    for node in ast.walk(TREES[path]):
        if not isinstance(node, ast.ImportFrom) or not node.module.startswith("pytest_modelsize"):
            continue
        source = node.module.removeprefix("pytest_modelsize").strip(".").replace(".", "/")
        if f"{source}.py" not in TREES:  # a folder says in its own module what is open to others
            continue
        there = set(named(TREES[f"{source}.py"]))
        for alias in node.names:
            assert alias.name in there, f"{node.module} has {alias.name} from elsewhere"


def test_a_folder_s_table_of_modules_has_each_of_them_once_and_no_other():
    for path, tree in TREES.items():
        about = ast.get_docstring(tree) or ""
        if path.endswith("__init__.py") and "\n====" in about:
            folder = PACKAGE / path.removesuffix("__init__.py")
            there = {file.stem for file in folder.glob("*.py")} - {"__init__"}
            assert set(re.findall(r"`(\w+)`", about)) >= there, path
            first = re.findall(r"^`(\w+)`", about, re.MULTILINE)
            assert set(first) <= there, path
            assert len(set(first)) == len(first), path


def test_each_word_of_the_contributors_page_is_where_the_page_says():
    section = PAGE.read_text(encoding="utf-8").partition("## Words")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([\w ,]+) \| .+ \| `([\w/]+\.py)`: `(\w+)` \|$", section, re.MULTILINE)
    assert len(rows) > 20
    for word, path, name in rows:
        assert name in set(named(TREES[path])), f"{word}: {path} has no {name}"
    assert section.count("\n| ") == len(rows) + 1, "a row that is not of this form"
