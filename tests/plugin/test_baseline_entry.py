"""The name under which an artifact is kept."""

from pathlib import Path

import pytest

from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings
from pytest_modelsize.plugin.baseline_entry import artifact_key

LIVE, FILE = Subject("net.fp16", model=object()), Subject("net.fp16", path=Path("net.fp16"))


class Option:
    """Its form shows its address."""


@pytest.mark.parametrize(
    ("subject", "settings", "expected"),
    [
        (LIVE, Settings("keras", True), "net.fp16.keras"),
        (LIVE, Settings("weights", False), "net.fp16.weights.h5 without optimizer state"),
        (LIVE, Settings("keras", True, compression="gzip"), "net.fp16.keras, gzip"),
        (LIVE, Settings("tflite", True, {"a": 1}), "net.fp16.tflite with {'a': 1}"),
        (FILE, Settings("keras", False), "net.fp16"),
        (FILE, Settings("keras", True, compression="zstd"), "net.fp16, zstd"),
    ],
)
def test_it_tells_all_that_makes_another_artifact(subject, settings, expected):
    assert artifact_key(subject, settings) == expected


def test_it_holds_no_address():
    one, two = ({"a": Option()} for _ in range(2))
    keys = {artifact_key(LIVE, Settings("tflite", True, options)) for options in (one, two)}
    assert len(keys) == 1
    assert "0x" not in keys.pop()
