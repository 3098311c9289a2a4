import json

import pytest

from pytest_modelsize.checks.causes.tokenizers import find_files
from tests.checks.causes.artifacts import of_file

FAST = {"model": {"vocab": {"a": 0, "b": 1}}, "added_tokens": [{"content": "<s>"}]}


def folder(tmp_path, **files):
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return of_file(tmp_path)


@pytest.mark.parametrize(
    ("slow", "content"),
    [("vocab_json", {"a": 0, "<s>": 2}), ("vocab_txt", "a\nb\n<s>\n")],
)
def test_a_slow_tokenizer_whose_words_the_fast_one_holds_can_go(tmp_path, slow, content):
    known = folder(tmp_path, tokenizer_json=FAST, merges_txt="a b\n", **{slow: content})
    (cause,) = find_files(known, ())
    names = (slow.replace("_", "."), "merges.txt")
    assert cause.entries == names
    assert cause.size == sum((tmp_path / name).stat().st_size for name in names)


@pytest.mark.parametrize(
    "files",
    [
        {"tokenizer_json": FAST, "vocab_json": {"a": 0, "c": 1}},  # a word of its own
        {"tokenizer_json": "{", "vocab_json": {"a": 0}},
        {"tokenizer_json": FAST, "vocab_json": {}},
        {"vocab_json": {"a": 0}},
        {"tokenizer_json": FAST, "merges_txt": "a b\n"},
    ],
    ids=["other words", "broken", "empty", "slow alone", "fast with merges"],
)
def test_nothing_can_go_where_words_would_be_lost_or_nothing_is_twice(tmp_path, files):
    assert list(find_files(folder(tmp_path, **files), ())) == []
