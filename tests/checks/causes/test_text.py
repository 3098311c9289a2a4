import pytest

from pytest_modelsize.checks.causes.text import find
from tests.checks.causes.artifacts import evidence


@pytest.mark.parametrize(
    ("path", "note", "kind"),
    [
        ("config/lookup/vocabulary", "list of 3 strings", "vocabulary in the configuration"),
        ("config/norm/mean", "list of 9 numbers", "numbers as text in the configuration"),
        ("config/lambda/function", "marshalled code", "code as text in the configuration"),
        ("graph/constants/words", "string const", "vocabulary in the graph"),
    ],
)
def test_what_became_text_is_told_by_its_kind_and_its_place(path, note, kind):
    (cause,) = find(evidence({path: (500, note), "weights/w": (500, "float32 125")}, "h5"))
    assert (cause.kind, cause.size, cause.section) == (kind, 500, path.partition("/")[0])


def test_numbers_are_text_in_json_and_lists_in_a_pickle():
    entries = {"config/mean": (500, "list of 9 numbers"), "weights/w": (500, "float32 125")}
    kinds = {format: [c.kind for c in find(evidence(entries, format))] for format in ("h5", "torch", "gguf")}  # fmt: skip
    assert kinds == {
        "h5": ["numbers as text in the configuration"],
        "torch": ["lists of numbers in the configuration"],
        "gguf": [],  # its tokenizer has no other place
    }


@pytest.mark.parametrize(("size", "found"), [(50, True), (49, False)])
def test_a_twentieth_of_the_artifact_is_worth_a_word(size, found):
    entries = {"config/words": (size, "list of 9 strings"), "weights/w": (1000 - size, "")}
    assert bool(list(find(evidence(entries)))) is found


def test_hyper_parameters_of_a_checkpoint_are_another_cause():
    entries = {"config/hyper_parameters/words": (900, "list of 9 strings"), "weights/w": (100, "")}
    assert list(find(evidence(entries, "torch"))) == []
