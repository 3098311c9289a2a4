from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.optimizer_state import find, find_files
from tests.measurements import measured, of_sections


def test_state_is_told_with_its_bytes_and_left_out_as_a_whole():
    (cause,) = find(Evidence(of_sections(weights=100, optimizer=200)))
    assert (cause.kind, cause.size, cause.section) == ("optimizer state", 200, "optimizer")
    assert [change.state for _, change in cause.changes] == [True]
    assert list(find(Evidence(of_sections(weights=100)))) == []


def test_in_a_flat_file_the_tensors_are_left_out_by_name():
    sizes = {"weights/w": 100, "optimizer/exp_avg": 100, "optimizer/step": 8}
    notes = {"optimizer/exp_avg": "float32 25", "optimizer/step": "int64 scalar"}
    (cause,) = find(Evidence(measured(sizes, format="safetensors", notes=notes)))
    ((_, change),) = cause.changes
    assert change.without == {("optimizer", "exp_avg"), ("optimizer", "step")}


def test_whole_files_of_state_are_left_out():
    folder = Evidence(of_sections(weights=1))
    folder.files = {
        "model.pt": Evidence(of_sections(weights=900, optimizer=100)),
        "optimizer.pt": Evidence(of_sections(optimizer=180, overhead=20)),
        "older.pt": Evidence(of_sections(optimizer=50)),
    }
    (cause,) = find_files(folder, {"older.pt"})
    assert (cause.size, cause.fix) == (200, "do not ship optimizer.pt")
