"""Budgets in ``pyproject.toml``: what they mean, and every mistake with its line."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelsize.checks.budget_file.entries import BudgetFileError, read_budgets
from pytest_modelsize.checks.budget_file.search import artifacts_of, nearest_budgets, shown
from pytest_modelsize.checks.budget_file.toml_lines import lines_of
from tests.needs import lacks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DATA = Path(__file__).parent.parent / "data"

DOCUMENT = r'''
title = "a [table] = \" # no comment"   # a comment with = and [
"quoted \u0061.key" = 'C:\dir'
many = [
  1, # one
  [ "]", '}' ],
  { a = 1, b.c = [ 2,
    3 ] },
]
text = """
[no.table]
key = "no key" \""" ""
"""
raw = \'\'\'
[neither] '' \'\'\'
date = 1979-05-27 07:32:00Z
empty = []
nothing = {}

[ tool . "modelsize" ]
x.y = 1
[[tool.modelsize.budgets]]
path = """a"b"""""
[[tool.modelsize.budgets]]
[tool.modelsize.budgets.inner]
deep = true
[[tool.modelsize.budgets.list]]
[[tool.modelsize.budgets.list]]
z=1e3
'''


def places(value, at=()):
    """The places of all values in what ``tomllib`` returned."""
    yield at
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from places(inside, (*at, key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from places(inside, (*at, number))


def test_every_place_of_a_document_has_the_line_in_which_it_begins():
    text = DOCUMENT.replace("\\'", "'")
    found = lines_of(text)
    assert set(found) == set(places(tomllib.loads(text)))
    lines = text.split("\n")
    begins = {
        ("title",): "title",
        ("quoted a.key",): '"quoted',
        ("many", 1, 0): "[ ",
        ("many", 2, "b"): "{ a",
        ("many", 2, "b", "c", 1): "3 ]",
        ("date",): "date",
        ("tool", "modelsize"): "[ tool",
        ("tool", "modelsize", "x", "y"): "x.y",
        ("tool", "modelsize", "budgets", 0, "path"): "path",
        ("tool", "modelsize", "budgets", 1, "inner", "deep"): "deep",
        ("tool", "modelsize", "budgets", 1, "list", 1, "z"): "z=",
    }
    for place, start in begins.items():
        assert lines[found[place] - 1].strip().startswith(start), place
    # Two of the same kind are told apart.
    first, second = (found["tool", "modelsize", "budgets", number] for number in (0, 1))
    assert (lines[first - 1], second - first) == ("[[tool.modelsize.budgets]]", 2)


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.sampled_from(['"a b"', "'c.d'", '"\\u00e9"', '"]"', "'#'"]),
)
SCALARS = st.sampled_from(
    ["1", "-2.5", "true", '"text"', "'raw'", '"a]b"', '"""two\nlines"""', "'''x'y\n'''",
     "1979-05-27T07:32:00", '"\\\\"', '""', '"""""quoted"""""', "inf"]
)  # fmt: skip
GAPS = st.sampled_from(["", " ", "\n", " # ] }\n", "\r\n\t"])
VALUES = st.recursive(
    SCALARS,
    lambda inside: st.one_of(
        st.tuples(st.lists(st.tuples(GAPS, inside, GAPS), max_size=3), st.booleans()).map(
            lambda drawn: (
                "["
                + ",".join(map("".join, drawn[0]))
                + ("," if drawn[1] and drawn[0] else "")
                + "]"
            )
        ),
        st.lists(st.tuples(KEYS, inside), max_size=3).map(
            lambda pairs: "{ " + ", ".join(f"{k} = {v}" for k, v in pairs) + " }"
        ),
    ),
    max_leaves=6,
)
BLOCKS = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.tuples(KEYS, KEYS, VALUES).map(lambda drawn: "{}.{} = {}".format(*drawn)),
    st.lists(KEYS, min_size=1, max_size=3).map(lambda keys: f"[{'.'.join(keys)}]"),
    st.lists(KEYS, min_size=1, max_size=3).map(lambda keys: f"[[ {' . '.join(keys)} ]]"),
    st.just("# [comment] = 1"),
)


@given(st.lists(BLOCKS, max_size=8).map("\n".join))
def test_the_places_that_have_a_line_are_those_of_the_document(text):
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = lines_of(text)
    assert set(found) | {()} == set(places(document))
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@pytest.fixture
def project(tmp_path):
    """A folder with artifacts; ``project(text, name)`` writes its budgets and returns the file."""
    exports = tmp_path / "exports"
    exports.mkdir()
    for name, size in (("a.tflite", 1000), ("b.tflite", 300), (".hidden.tflite", 7)):
        (exports / name).write_bytes(b"x" * size)

    def write(text, name="pyproject.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_an_entry_says_what_a_marker_says(project):
    file = project(
        '[project]\nname = "x"\n\n[[tool.modelsize.budgets]]\npath = "exports/*.tflite"\n'
        'max = "2 MiB"\nconfig = 500\ninclude_optimizer = false\nmax_growth = "5%"\n'
        'compression = "gzip"\nreason = "the store\'s limit"\n'
    )
    (budget,) = read_budgets(file, "pyproject.toml")
    assert (budget.path, budget.line, budget.compression) == ("exports/*.tflite", 4, "gzip")
    limits = [(limit.section, limit.size) for limit in budget.budget.limits]
    assert limits == [(None, 2 * 2**20), ("config", 500)]
    assert not budget.budget.include_optimizer
    assert budget.budget.reason == "the store's limit"
    assert [limit.allowed(2000) for limit in budget.growth] == [100]
    assert budget.place.startswith('pyproject.toml:4: path = "exports/*.tflite", max = "2 MiB", ')


def test_a_file_of_our_own_has_the_list_at_its_top(project):
    file = project('[[budgets]]\npath = "exports"\nmax = 9\n', "modelsize.toml")
    assert [budget.path for budget in read_budgets(file)] == ["exports"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project]\n",
        "[tool.other]\nmodelsize = 1\n",
        "tool = 3 # modelsize\n",
        '[tool.poetry.dependencies]\npytest-modelsize = "^0.1"\n',
    ],
)
def test_a_project_without_our_table_has_no_budgets(project, text):
    assert read_budgets(project(text)) == ()


HEADER = "[[tool.modelsize.budgets]]\n"
MISTAKES = [
    (HEADER + 'path = "a"\n\nmaxx = 1\n', 4, ["has no key 'maxx': did you mean 'max'?"]),
    (HEADER + 'path = "a"\nmax = "2Mb"\n', 3, ["max: '2Mb'", 'did you mean "2MB"?']),
    (HEADER + 'path = "a"\nmax = 2.5\n', 3, ["max: 2.5 is not a size"]),
    (HEADER + 'path = "a"\nmax = true\n', 3, ["max: true is not a size"]),
    (HEADER + 'path = "a"\nmax = ["2MB"]\n', 3, ['max: ["2MB"] is not a size', 'did you mean "2MB"?']),
    (HEADER + 'path = "a"\nmax = 1979-05-27\n', 3, ["max: 1979-05-27 ", "is not a size"]),
    (HEADER + 'path = "a"\nweights = "5%"\n', 3, ["weights: '5%' is not a size", 'growth: max_growth = "5%"', "integer"]),
    (HEADER + 'path = "a"\nmax_growth = "5 percent"\n', 3, ["max_growth: ", "unknown unit"]),
    (HEADER + "path = 3\nmax = 1\n", 2, ["path: takes a non-empty text, not 3"]),
    (HEADER + 'path = " "\nmax = 1\n', 2, ["path: takes a non-empty text"]),
    (HEADER + 'path = "/abs/a"\nmax = 1\n', 2, ["path: '/abs/a' is not a path relative"]),
    (HEADER + 'path = "a/**b"\nmax = 1\n', None, []),
    (HEADER + "max = 1\n", 1, ["has no path: write path ="]),
    (HEADER + 'path = "a"\n', 1, ["has no limit: write max ="]),
    (HEADER + 'path = "a"\nmax = 1\ninclude_optimizer = "no"\n', 4, ["takes true or false"]),
    (HEADER + 'path = "a"\nmax = 1\ncompression = "zip"\n', 4, ["'zip' is not known", "gzip"]),
    (HEADER + 'path = "a"\nmax = 1\nreason = 7\n', 4, ["reason: takes a non-empty text"]),
    (HEADER + 'path = "a"\nmax = 1\n' + HEADER + 'path = "a"\n', 4, ["has no limit"]),
    ("\n[tool.modelsize]\nbudget = []\n", 3, ["has no key 'budget': did you mean 'budgets'?"]),
    ("[tool.modelsize]\n", 1, ["there is no budget: write [[tool.modelsize.budgets]]"]),
    ("[tool.modelsize]\nbudgets = []\n", 2, ["there is no budget"]),
    ("[tool.modelsize]\n[tool.modelsize.budgets]\n", 2, ["is not a list of tables"]),
    ("[tool.modelsize]\nbudgets = [1]\n", 2, ["is not a list of tables"]),
    ("\n\ntool.modelsize = 3\n", 3, ["is not a table"]),
    ("tool.modelsize = ]\n", 1, ["this is not TOML"]),
    ('[tool.modelsize]\nx = "\n', 2, ["this is not TOML"]),
    (HEADER + 'path = "a"\nmax = 2 MB\n', 3, ['a size stands in quotes: max = "2 MB"']),
    (HEADER + 'path = "a\\x"\nmax = 1\n', 2, ["write / between folders"]),
    (HEADER + 'path = "a"\nlimit = "2 MB"\n', 3, ["has no key 'limit': did you mean 'max'?"]),
    ('[tool.modelsize]\nmax = "2 MB"\n', 2, ["write [[tool.modelsize.budgets]] above it"]),
    ("\n[[tool.model-size]]\nmax = 1\n", 2, ["[tool.model-size] is not read: write [[tool."]),
    ("[tool.pytest-modelsize]\nmax = 1\n", 1, ["[tool.pytest-modelsize] is not read"]),
    ("[[modelsize.budgets]]\nmax = 1\n", 1, ["[modelsize] is not read"]),
    ("[tool.modelsize]\nx = 1\nx = 2\n", 3, ["this is not TOML"]),
    ("[tool]\nmodelsize.budgets = [\n  { path = 'a', max = 1 },\n  { path = 'b', mx = 1 },\n]\n",
     4, ["has no key 'mx'"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), MISTAKES)
def test_a_mistake_names_the_file_the_line_and_what_to_write(project, text, line, said):
    file = project(text)
    if line is None:
        assert read_budgets(file)
        return
    with pytest.raises(BudgetFileError) as caught:
        read_budgets(file, "pyproject.toml")
    told = [
        one for one in str(caught.value).split("\n") if one.startswith(f"pyproject.toml:{line}:")
    ]
    assert any(all(part in one for part in said) for one in told), str(caught.value)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(project):
    file = project(HEADER + 'max = "2 mb"\npth = "a"\n' + HEADER + 'path = ""\noptimiser = 1\n')
    with pytest.raises(BudgetFileError) as caught:
        read_budgets(file)
    lines = [int(line.split(":")[1]) for line in str(caught.value).split("\n")]
    assert lines == [2, 3, 5, 6]


@pytest.mark.parametrize("content", [b"\xff\xfe[tool.modelsize]", None])
def test_a_file_that_is_no_text_is_named(tmp_path, content):
    file = tmp_path / "pyproject.toml"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(BudgetFileError, match=r"^pyproject\.toml is not (UTF-8|a file)"):
        read_budgets(file, "pyproject.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "modelsize.toml")
    with pytest.raises(BudgetFileError, match="is not a file"):
        read_budgets(tmp_path / "modelsize.toml")


def test_values_nested_too_deep_are_said(project):
    file = project("modelsize = " + "[" * 100_000 + "]" * 100_000 + "\n")
    with pytest.raises(BudgetFileError):
        read_budgets(file)


def matched(project, pattern):
    file = project(f"{HEADER}path = '{pattern}'\nmax = 1\n")
    (budget,) = read_budgets(file)
    return [shown(artifact, budget) for artifact in artifacts_of(budget)]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("exports/a.tflite", ["exports/a.tflite"]),
        ("exports/*.tflite", ["exports/a.tflite", "exports/b.tflite"]),
        ("**/[ab].tflite", ["exports/a.tflite", "exports/b.tflite"]),
        ("exports", ["exports"]),
        ("exports/", ["exports"]),
        ("export*", ["exports"]),
        ("exports/**", ["exports/a.tflite", "exports/b.tflite"]),
        ("exports/.*.tflite", [".hidden"]),
        ("exports/c.tflite", []),
        ("export/*", []),
    ],
)
def test_a_glob_matches_as_in_a_shell(project, pattern, names):
    if names == [".hidden"]:
        names = ["exports/.hidden.tflite"]
    assert matched(project, pattern) == names


def test_parts_of_an_artifact_are_none_by_themselves(project, tmp_path):
    for name in ("saved", "hub", "web", "external", "checkpoint"):
        (tmp_path / name).symlink_to(DATA / name)
    assert matched(project, "s*") == ["saved"]
    assert matched(project, "saved/*") == [
        "saved/fingerprint.pb", "saved/saved_model.pb", "saved/variables"
    ]  # fmt: skip
    assert matched(project, "[hs]*/**/*") == matched(project, "[hs]*/**")
    assert matched(project, "external/*") == ["external/dense.onnx"]
    assert "web/group1-shard1of1.bin" not in matched(project, "web/*")
    assert not [n for n in matched(project, "hub/*") if n.startswith("hub/model-0000")]
    assert matched(project, "checkpoint/ckpt-1*") == ["checkpoint/ckpt-1.index"]
    assert matched(project, "checkpoint/ckpt-1") == ["checkpoint/ckpt-1"]


def test_a_folder_that_the_glob_goes_into_is_none_and_one_that_it_names_is(project, tmp_path):
    inner = tmp_path / "exports" / "inner"
    inner.mkdir()
    (inner / "c.bin").write_bytes(b"c")
    assert matched(project, "exports/*") == [
        "exports/a.tflite",
        "exports/b.tflite",
        "exports/inner",
    ]
    assert matched(project, "exports/**/*") == [
        "exports/a.tflite", "exports/b.tflite", "exports/inner/c.bin"
    ]  # fmt: skip


def test_a_link_that_leads_nowhere_is_an_artifact_that_cannot_be_measured(project, tmp_path):
    (tmp_path / "exports" / "gone.tflite").symlink_to(tmp_path / "nowhere")
    assert "exports/gone.tflite" in matched(project, "exports/*")
    assert matched(project, "exports/gone.tflite") == ["exports/gone.tflite"]


def test_links_in_a_circle_end(project, tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / "exports" / name).symlink_to(tmp_path / "exports")
    assert "exports/a.tflite" in matched(project, "**/*.tflite")


def test_the_nearest_folder_with_budgets_has_the_word(project, tmp_path):
    project(HEADER + 'path = "exports"\nmax = 1\n')
    inner = tmp_path / "exports" / "deep"
    inner.mkdir()
    (inner.parent / "pyproject.toml").write_text("[project]\nname = 'modelsize'\n")
    (found,) = nearest_budgets(inner)
    assert found.file == tmp_path / "pyproject.toml"
    assert found.place.startswith(os.path.join("..", "..", "pyproject.toml") + ":1: ")
    (inner / "modelsize.toml").write_text('[[budgets]]\npath = "x"\nmax = 1\n')
    assert [budget.path for budget in nearest_budgets(inner)] == ["x"]
    project('[[budgets]]\npath = "both"\nmax = 1\n', "modelsize.toml")
    assert [budget.path for budget in nearest_budgets(tmp_path)] == ["exports", "both"]


def test_a_table_in_braces_may_go_over_several_lines_where_the_parser_allows_that():
    text = 'a = {\n  b = 1, # one\n  "\\x63\\e" = [\n    2,\n  ],\n}\n'
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        pytest.skip(lacks("parser of TOML 1.1: tomli 2.4 on Python 3.10, or a newer Python"))
    found = lines_of(text)
    assert set(found) == set(places(document))
    assert (found["a", "b"], found["a", "c\x1b"], found["a", "c\x1b", 0]) == (2, 3, 4)
