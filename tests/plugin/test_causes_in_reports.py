"""What a failure names as the cause is in the reports too, with the types of all weights."""

import json
import random

import pytest

from tests.needs import needs

SIZE = 40_000
"""Bytes of each of two tensors that are alike."""


@pytest.fixture
def found(suite):
    """The result of a test whose artifact holds the same tensor twice, over two of its limits."""
    content = random.Random(0).randbytes(SIZE)
    shape = [SIZE // 400, 100]
    header = json.dumps(
        {
            name: {"dtype": "F32", "shape": shape, "data_offsets": [at, at + SIZE]}
            for name, at in (("layer.weight", 0), ("copy.weight", SIZE))
        }
    ).encode()
    (suite.path / "net.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + content * 2
    )
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_size("10 kB", weights="5 kB", path="net.safetensors")
        def test_it(): pass
        """
    )
    suite.start("--modelsize-report=r.json", "--modelsize-report=r.md").assert_outcomes(failed=1)
    return json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"][0], suite.path


def test_a_cause_is_a_value_of_its_own_and_is_told_once(found):
    result, _ = found
    (cause,) = result["causes"]
    # One of the two, with its part of the header.
    assert SIZE < cause["size"] < SIZE + 100
    assert f"cause: {cause['kind']}, 40.1 kB" in result["detail"]


def test_the_types_of_the_weights_are_told_in_bytes(found):
    result, folder = found
    assert result["dtypes"] == {"float32": 2 * SIZE}
    text = (folder / "r.md").read_text("utf-8")
    assert "| weights (float32) | " in text
    assert f"| **{result['causes'][0]['kind']}**: " in text


def test_the_report_is_what_its_schema_says(found, pytestconfig):
    jsonschema = needs("jsonschema")
    from tests.check_results import SCHEMA

    document = json.loads((found[1] / "r.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
