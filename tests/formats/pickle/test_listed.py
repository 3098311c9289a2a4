"""Long lists in pickles have entries of their own, which say what they hold."""

import pickle

import pytest

from pytest_modelsize import measure
from pytest_modelsize.sizes.comparison import entries

WORDS = [f"word{number}" for number in range(300)]


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (WORDS, "300 strings"),
        (dict.fromkeys(WORDS, 1), "300 strings"),
        (dict(enumerate(WORDS)), "300 strings"),
        ([0.5] * 300, "300 numbers"),
        ([[1, 2, 3]] * 100, ""),  # one list, a hundred times
        ([[number, 2.5, 3] for number in range(100)], "300 numbers"),
        (tuple(range(300)), "300 numbers"),
        ([(f"a{n}", f"b{n}") for n in range(150)], "300 strings"),
        ([{"loss": n / 7, "epoch": n} for n in range(150)], "300 numbers"),
        ([{"loss": n / 7, "name": "a"} for n in range(300)], ""),
        (WORDS[:100], ""),
        ([True] * 300, ""),
        ([*WORDS[:32], *range(300)], ""),
        ([], ""),
        ({word: {"a": 1} for word in WORDS}, ""),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_a_long_list_says_what_it_holds(tmp_path, value, note, protocol):
    path = tmp_path / "model.pkl"
    content = {"name": "net", "held": value, "more": WORDS}
    path.write_bytes(pickle.dumps(content, protocol))
    found = {entry.path: entry for entry in entries(measure(path).section("config"))}
    held = found.get(("config", "held"))
    assert (held.note if held else "") == note
    if note == "300 numbers" and type(value) is list and value[0] == 0.5:
        size = len(pickle.dumps(content, protocol)) - len(
            pickle.dumps({"name": "net", "more": WORDS}, protocol)
        )
        assert held.size == pytest.approx(size, abs=10)
