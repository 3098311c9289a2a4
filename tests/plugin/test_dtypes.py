"""``dtypes=``: a budget on what the weights are made of, in real runs."""

import json
import struct

import pytest


def safetensors(**tensors):
    """Return a file with tensors given as (type, shape, bytes)."""
    header, body = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        place = [len(body), len(body) + len(data)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": place}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + body


MIXED = safetensors(dense=("I8", [900], bytes(900)), embedding=("F32", [25], bytes(100)))


@pytest.fixture
def run(pytester):
    def run(marker, content=MIXED):
        (pytester.path / "m.safetensors").write_bytes(content)
        pytester.makepyfile(
            f"import pytest\n@pytest.mark.max_model_size({marker}, path='m.safetensors')\n"
            "def test_net(): pass\n"
        )
        return pytester.runpytest("-p", "no:randomly")

    return run


def test_a_quantization_that_did_not_take_fails_and_names_the_tensors(run):
    result = run('dtypes={"float32": "5 %"}')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "*m.safetensors: float32 100 B > 5 % of its weights (50 B)",
        "*largest in weights:",
        "    embedding*float32 25",
    ])  # fmt: skip


def test_within_its_share_it_passes(run):
    run('dtypes={"float32": "10 %", "float64": 0}').assert_outcomes(passed=1)


def test_of_what_nobody_opened_the_types_are_not_known(run, pytester):
    result = run('dtypes={"float32": "5 %"}', b"\x80\x05\x97.")
    result.assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ('dtypes={"flota32": "5 %"}', "did you mean 'float32'?"),
        ('dtypes="float32"', 'dtypes= takes a dictionary such as {"float32": "5 %"}'),
        ('dtypes={"float32": "5 pc"}', "5 pc"),
    ],
)
def test_a_mistake_is_an_error_of_the_test(run, marker, said):
    result = run(marker)
    result.assert_outcomes(errors=1)
    assert said in result.stdout.str()
