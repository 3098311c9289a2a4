import pytest

from pytest_modelsize.checks.causes.ballast import find, find_files
from tests.checks.causes.artifacts import evidence, of_file, ramp, safetensors


def folder(tmp_path, sizes):
    for name, size in sizes.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\1" * size)
    return of_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("training_args.bin", "state of the trainer"),
        ("rng_state.pth", "state of the trainer"),
        ("events.out.tfevents.1700000000.host", "logs"),
        ("wandb/run-1/files/output.txt", "logs"),
        ("__pycache__/net.cpython-311.pyc", "leavings of tools"),
        (".DS_Store", "leavings of tools"),
    ],
)
def test_what_no_user_of_the_model_loads_is_named_with_its_bytes(tmp_path, name, kind):
    (cause,) = find_files(folder(tmp_path, {name: 300, "model.bin": 700}), ())
    assert (cause.kind, cause.size, cause.entries) == (kind, 300, (name,))
    assert [file for file, change in cause.changes if change.gone] == [name]


def test_weights_in_a_folder_of_runs_are_no_logs(tmp_path):
    safetensors(tmp_path / "runs" / "best.safetensors", {"w": ([4], ramp(4))})
    assert list(find_files(folder(tmp_path, {"a.bin": 100}), ())) == []


def test_of_several_steps_all_but_the_newest_can_go(tmp_path):
    sizes = {"checkpoint-9/w.bin": 50, "checkpoint-10/w.bin": 60, "checkpoint-8/w.bin": 40}
    (cause,) = find_files(folder(tmp_path, sizes), ())
    assert (cause.kind, cause.size) == ("several steps", 50 + 40)
    assert {file for file, _ in cause.changes} == {"checkpoint-9/w.bin", "checkpoint-8/w.bin"}
    assert "3 steps of one training, of which 10 is the newest" in cause.text


def test_a_single_step_is_the_model(tmp_path):
    assert list(find_files(folder(tmp_path, {"checkpoint-9/w.bin": 50, "a.bin": 1}), ())) == []


def test_entries_that_only_a_debugger_or_the_trainer_reads():
    found = list(
        find(
            evidence(
                {
                    "weights/w": (400, "float32 100"),
                    "graph/code/m.py.debug_pkl": (200, ""),
                    "config/lr_schedulers": (100, ""),
                }
            )
        )
    )
    assert [(cause.size, cause.entries) for cause in found] == [
        (200, ("code/m.py.debug_pkl",)),
        (100, ("lr_schedulers",)),
    ]
