"""Artifacts that need no framework, found and held to budgets by real runs of pytest."""

import json
from pathlib import Path

import pytest

import tests
from tests.formats.hub_files import FILES
from tests.formats.onnx.wire import field, model, tensor
from tests.formats.reader_package import WHOLE, reader
from tests.formats.safetensors_files import made
from tests.formats.safetensors_files import tensor as entry

ROOT = Path(tests.__file__).parent.parent
PARAMETERS = {"fc.weight": entry(0, 24, "F32", [3, 2]), "fc.bias": entry(24, 32, "F32", [2])}
STATE = {"fc.weight.exp_avg": entry(32, 56, "F32", [3, 2])}


@pytest.fixture
def run(pytester, monkeypatch):
    """``run(marker, files, body="pass")``: a test that leaves ``files`` in its ``tmp_path``."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(marker, files, body="pass", fixtures="tmp_path"):
        for name, content in files.items():
            path = pytester.path / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        pytester.makepyfile(
            test_it=f"""
            import pathlib, shutil, pytest

            FILES = pathlib.Path(__file__).parent / "files"

            @pytest.fixture
            def exported(tmp_path):
                shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
                return tmp_path

            @pytest.mark.max_model_size({marker})
            def test_it(exported, {fixtures}):
                {body}
            """
        )
        return pytester.runpytest_inprocess("-p", "modelsize", "-Werror")

    return run


def external(name):
    message = tensor("w", b"", dims=[9], location=name)
    return model(field(5, message))


FOUND = {
    "safetensors": ({"m.safetensors": made(PARAMETERS, bytes(32))}, "m.safetensors"),
    "onnx": ({"sub/m.onnx": model(field(5, tensor("w", b"123")))}, "sub/m.onnx"),
    "onnx with external data": ({"m.onnx": external("m.bin"), "m.bin": bytes(9)}, "m.onnx"),
    "onnx by content": ({"net.bin": model(field(5, tensor("w", b"123")))}, "net.bin"),
    "a pickle": ({"m.pkl": b"\x80\x04N."}, "m.pkl"),
    "a model beside a pickle": (
        {"scaler.pkl": b"\x80\x04N.", "m.safetensors": made(PARAMETERS, bytes(32))}, "m.safetensors",
    ),
    "shards with an index": (
        {
            "a-1.safetensors": made(PARAMETERS, bytes(32)),
            "a-2.safetensors": made({"x": entry(0, 1)}, b"1"),
            "a.safetensors.index.json": json.dumps(
                {"weight_map": {"fc.weight": "a-1.safetensors", "x": "a-2.safetensors"}}
            ),
        },
        "a.safetensors.index.json",
    ),
    "a folder of the hub": (
        {f"bert/{name}": text for name, text in FILES.items()}
        | {"bert/model.safetensors": made(PARAMETERS, bytes(32))},
        "bert",
    ),
    "tmp_path as a folder of the hub": (
        {"config.json": "{}", "model.safetensors": made(PARAMETERS, bytes(32))}, "tmp_path",
    ),
    "a TensorFlow.js folder": (
        {
            "web/model.json": '{"weightsManifest": [{"paths": ["g.bin"], "weights": []}]}',
            "web/g.bin": "xyz",
        },
        "web",
    ),
    "TensorFlow.js under another name": (
        {"net.json": '{"weightsManifest": [{"paths": ["g.onnx"], "weights": []}]}', "g.onnx": "x"},
        "net.json",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_the_one_artifact_in_tmp_path_is_found_with_all_its_bytes(run, case):
    files, name = FOUND[case]
    result = run('"1 B"', files)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{name} * > 1 B*"])
    counted = [text for file, text in files.items() if file != "scaler.pkl"]
    total = sum(len(text if isinstance(text, bytes) else text.encode()) for text in counted)
    result.stdout.re_match_lines([rf"  total +{total:,d} .*budget 1"])


@pytest.mark.parametrize("case", FOUND)
def test_it_is_found_by_its_path_and_passes_where_it_fits(run, case):
    files, name = FOUND[case]
    path = "" if name == "tmp_path" else f', path="{name}"'
    run(f'"10 kB"{path}', files).assert_outcomes(passed=1)


def test_state_in_safetensors_breaks_the_promise(run):
    whole = {"m.safetensors": made(PARAMETERS | STATE, bytes(56))}
    result = run('"1MB", include_optimizer=False', whole)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["m.safetensors: optimizer * > 0 B (include_optimizer=False)*"])
    lean = {"m.safetensors": made(PARAMETERS, bytes(32))}
    run('"1MB", include_optimizer=False', lean).assert_outcomes(passed=1)


def test_layers_are_named_in_a_failure(run):
    result = run('weights="10 B"', {"m.safetensors": made(PARAMETERS, bytes(32))})
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r"  largest in weights:", r"    fc/weight +\d+  float32 3x2"])


CLOSED = b"\x80\x05\x97."
"""A pickle whose content lies elsewhere: an opcode NEXT_BUFFER."""


@pytest.mark.parametrize(
    "limits", ['"1MB", include_optimizer=False', 'config="3 B"', 'optimizer="0 B"']
)
def test_what_cannot_be_known_of_a_pickle_is_not_checked_and_does_not_pass(run, limits):
    result = run(limits, {"m.joblib": CLOSED})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*budget not checked: m.joblib holds * bytes that nobody could open*"]
    )


def test_a_promise_holds_of_a_pickle_that_is_opened(run):
    run(
        '"1MB", include_optimizer=False, config="100 B"', {"m.joblib": b"\x80\x04N."}
    ).assert_outcomes(passed=1)


def test_a_promise_on_a_file_of_no_known_format_is_not_checked_and_does_not_pass(run):
    result = run('"1MB", path="m.bin", include_optimizer=False', {"m.bin": bytes(100)})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*not checked: *m.bin holds * bytes that nobody could open, so include_opt*"]
    )
    run('"1MB", path="m.bin"', {"m.bin": bytes(100)}).assert_outcomes(passed=1)


def test_a_promise_on_a_folder_that_holds_a_pickle_is_not_checked(run):
    files = {"hub/config.json": b'{"model_type": "x"}', "hub/extra.pkl": CLOSED}
    files["hub/model.safetensors"] = made(PARAMETERS, bytes(32))
    result = run('"1MB", path="hub", include_optimizer=False', files)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not checked: *hub holds * bytes that nobody could open*"])
    run('"1MB", path="hub"', files).assert_outcomes(passed=1)


def test_the_fixture_says_the_same_of_a_pickle(run):
    body = "model_size(exported / 'm.pkl', include_optimizer=False)"
    result = run('"1MB"', {"m.pkl": CLOSED}, body, "model_size")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*m.pkl holds * bytes that nobody could open*"])
    body = "assert model_size(exported / 'm.pkl').weights == 4"
    run('weights="4 B"', {"m.pkl": CLOSED}, body, "model_size").assert_outcomes(passed=1)


@pytest.fixture
def offered(pytester, monkeypatch):
    """``offered(code)`` offers a reader to the runs of this test."""

    def offered(code):
        about = pytester.path / "their_package-1.0.dist-info"
        about.mkdir(exist_ok=True)
        (about / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n"
        )
        (about / "entry_points.txt").write_text("[pytest_modelsize.readers]\nown = their_reader\n")
        (pytester.path / "their_reader.py").write_text(code)
        monkeypatch.syspath_prepend(str(pytester.path))

    return offered


@pytest.mark.parametrize("path", ["", ', path="m.own"'])
def test_a_format_of_another_package_is_found_and_held_to_its_budget(run, offered, path):
    offered(reader(read=WHOLE))
    result = run(f'weights="7 B"{path}', {"m.own": b"OWN12345"})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["m.own: weights 8 B > 7 B"])


@pytest.mark.parametrize("path", ["", ', path="m.own"'])
@pytest.mark.parametrize(
    "code", [reader(read="{}['shape']"), reader(read="pass"), reader(recognises="1 / 0"), "1 / 0"]
)
def test_a_budget_does_not_pass_where_another_package_s_reader_fails(run, offered, code, path):
    offered(code)
    result = run(f'"1MB"{path}', {"m.own": b"OWN12345"})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*budget not checked: *the reader 'own' of their-package 1.0 *"])
