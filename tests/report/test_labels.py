"""Names on the page: no two alike, whole on their tile or not at all."""

import re

import pytest

from pytest_modelsize.report.page.labels import distinct, label

LONG = "encoder/layers/{}/self_attention/output_projection/kernel"


def needed(found):
    """The custom properties, as numbers."""
    return {key: int(value) for key, value in re.findall(r"--(\w):(\d+)", found.css)}


@pytest.mark.parametrize("longest", [10, 20, 40, 240])
@pytest.mark.parametrize(
    "names",
    [
        [LONG.format(n) for n in range(30)],
        [LONG.format(n) + "/" + "x" * 300 for n in range(12)],
        ["x" * 300 + str(n) for n in range(12)],
        ["kernel", "kernel", "kernel"],
        ["a", "a #1", "a"],
        ["a\nb", "a\\nb", "a\x1b", "a\\x1b"],
        ["", "", "x"],
        ["same" * 100, "same" * 101],
    ],
    ids=lambda names: names[0][:12],
)
def test_no_two_names_look_the_same_however_short_they_are_cut(names, longest):
    shown = distinct(names, longest)
    assert len(set(shown)) == len(names)
    assert all(text.isprintable() for text in shown)


def test_names_that_need_no_cutting_stay_as_they_are():
    names = ["conv2d/kernel", "conv2d/bias"]
    assert distinct(names, 40) == names


def test_names_cut_alike_are_cut_to_where_they_differ():
    shown = distinct([LONG.format(1), LONG.format(17)], 30)
    assert [re.search(r"\d+", text)[0] for text in shown] == ["1", "17"]
    assert max(map(len, shown)) <= 32


def test_a_cut_name_has_a_bounded_length():
    shown = distinct(["x" * 5000 + "a" * 5000, "x" * 5000 + "b" * 5000], 20)
    assert max(map(len, shown)) <= 30


def test_the_room_that_a_label_needs_is_counted_by_hand_here():
    # adam/conv2d_4/kernel momentum: 29; adam/conv2d_4/ and kernel momentum: 14 and 15;
    # adam/, conv2d_4/, kernel, momentum: 5, 9, 7 with its blank, 8.
    assert needed(label("adam/conv2d_4/kernel momentum")) == {"f": 29, "h": 15, "w": 9, "n": 4}
    assert needed(label("kernel")) == {"f": 6}
    # On two lines it is as narrow as on more.
    assert needed(label("dense/kernel")) == {"f": 12, "h": 6}
    # A mark takes up to three.
    assert needed(label("kernel", marked=True)) == {"f": 9}
    # Letters of East Asia are twice as wide.
    assert needed(label("重み")) == {"f": 4}


def test_a_label_ends_its_lines_at_slashes_alone():
    found = label("gpt-2/layer|0/what?now/kernel")
    assert [piece.replace("\u2060", "") for piece in found.pieces] == [
        "gpt-2/", "layer|0/", "what?now/", "kernel"
    ]  # fmt: skip
    # Where a browser would end a line, a word joiner keeps it from that:
    # https://www.unicode.org/reports/tr14/#WJ
    assert found.pieces[0] == "gpt-\u20602/"
