"""A small PyTorch network, trained for one step with Adam, from the test to the verdict."""

import re

import pytest

from pytest_modelsize import Kind, measure

STEP = 4  # bytes of the float32 that counts steps, one for each parameter
CONFTEST = """
import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(64, 128)
        self.norm = nn.BatchNorm1d(128)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.norm(self.body(x)).relu())


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def training(model):
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 64)).square().sum().backward()
    optimizer.step()
    return {"model": model, "optimizer": optimizer, "epoch": 1}
"""
PARAMETERS = 64 * 128 + 128 + 2 * 128 + 128 * 10 + 10
TENSORS = 6
STATE = 2 * PARAMETERS * 4 + TENSORS * STEP
BUFFERS = 2 * 128 * 4 + 8


@pytest.fixture
def run(torch, pytester, monkeypatch):
    """Run a test file in a project that holds the network."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest(CONFTEST)

    def run(code, *options):
        pytester.makepyfile(code)
        return pytester.runpytest("-p", "pytest_modelsize.plugin", *options)

    return run


@pytest.fixture
def checkpoints(torch, tmp_path):
    """The trained network as the tutorials save it, as Lightning does, and lean."""
    space = {}
    exec(compile(CONFTEST.replace("@pytest.fixture", ""), "conftest", "exec"), space)
    training = space["training"](space["model"]())
    weights, state = training["model"].state_dict(), training["optimizer"].state_dict()
    torch.save(
        {"epoch": 1, "model_state_dict": weights, "optimizer_state_dict": state, "loss": 0.5},
        tmp_path / "tutorial.pt",
    )
    torch.save(
        # The keys that Lightning 2.6 wrote, and their types.
        {
            "epoch": 0,
            "global_step": 1,
            "pytorch-lightning_version": "2.6.6",
            "state_dict": weights,
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}},
            "callbacks": {"ModelCheckpoint": {"best_model_path": "", "last_model_path": ""}},
            "optimizer_states": [state],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": {"lr": 1e-3},
        },
        tmp_path / "lightning.ckpt",
    )
    torch.save(weights, tmp_path / "lean.pt")
    return tmp_path


@pytest.mark.parametrize("name", ["tutorial.pt", "lightning.ckpt"])
def test_a_checkpoint_holds_two_moments_for_each_parameter_and_the_steps(checkpoints, name):
    measured = measure(checkpoints / name)
    assert measured.total == (checkpoints / name).stat().st_size
    assert measured.section("optimizer").of_kind(Kind.DATA) == STATE
    assert measured.section("weights").of_kind(Kind.DATA) == PARAMETERS * 4 + BUFFERS
    assert measure(checkpoints / "lean.pt").optimizer == 0


def test_artifacts_that_exist_are_held_to_the_promise(run, checkpoints):
    result = run(
        f"""
        import pytest

        @pytest.mark.parametrize("path", ["tutorial.pt", "lightning.ckpt", "lean.pt"])
        @pytest.mark.max_model_size("1MB", model="artifact", include_optimizer=False)
        def test_ships(artifact):
            pass

        @pytest.fixture
        def artifact(path):
            return {str(checkpoints)!r} + "/" + path
        """
    )
    result.assert_outcomes(passed=1, failed=2)
    size = measure(checkpoints / "tutorial.pt").optimizer
    holds = f"tutorial.pt: optimizer {size / 1000:.1f} kB > 0 B"
    result.stdout.fnmatch_lines(
        [
            f"{holds} (include_optimizer=False)",
            "  largest in optimizer:",
            "    exp_avg*/body.weight *  float32 128x64",
            "  fix: export it without the optimizer's state: * kB, 0 B of optimizer (replayed)",
        ]
    )
    result.stdout.fnmatch_lines(["lightning.ckpt: optimizer * > 0 B*"])


def test_a_live_module_and_its_optimizer_are_compared_with_the_lean_save(run, torch, tmp_path):
    result = run(
        """
        import pytest

        @pytest.mark.max_model_size("60 kB")
        def test_small(training):
            pass

        @pytest.mark.max_model_size("60 kB", include_optimizer=False)
        def test_small_without(training):
            pass

        @pytest.mark.max_model_size("60 kB")
        def test_alone(model):
            pass
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    text = result.stdout.str()
    for line in (
        r"training\.pt [\d.]+ kB > 60 kB",
        r"  section +lean +saved +change",
        r"  optimizer +0 +[\d,]+ +\+[\d,]+  #{20}",
        rf"  optimizer: adam, 2 slots x {PARAMETERS:,d} parameters, float32",
        r"    exp_avg(_sq)?/body\.weight +[\d,]+  float32 128x64",
        r"  fix: save without the optimizer's state: [\d.]+ kB, \d+ % of the budget \(measured\)",
        r'       torch\.save\(model\.state_dict\(\), "model\.pt"\)',
    ):
        assert re.search(f"^{line}", text, re.MULTILINE), line


def test_the_fix_that_is_shown_gives_the_size_that_is_shown(run, torch, tmp_path, monkeypatch):
    text = run(
        """
        import pytest

        @pytest.mark.max_model_size("60 kB")
        def test_small(training):
            pass
        """
    ).stdout.str()
    (lean,) = re.findall(r"^  total +([\d,]+) +[\d,]+ ", text, re.MULTILINE)
    (call,) = re.findall(r"^       (torch\.save.*)$", text, re.MULTILINE)
    space = {}
    exec(compile(CONFTEST.replace("@pytest.fixture", ""), "conftest", "exec"), space)
    model = space["model"]()
    space["training"](model)
    monkeypatch.chdir(tmp_path)
    exec(call, {"torch": torch, "model": model})
    assert (tmp_path / "model.pt").stat().st_size == int(lean.replace(",", ""))


def test_the_fixture_takes_a_dictionary(run):
    run(
        f"""
        def test_sizes(training, model, model_size):
            full = model_size({{"model": model, "optimizer": training["optimizer"]}})
            lean = model_size(training, include_optimizer=False)
            assert full.optimizer > {STATE}
            assert lean.optimizer == 0
            assert lean.total == model_size(model).total
            assert full.total > 2.8 * lean.total
        """
    ).assert_outcomes(passed=1)


def test_a_project_whose_default_is_a_format_of_keras_need_not_change_it(run):
    result = run(
        """
        import pytest

        @pytest.mark.max_model_size("60 kB")
        def test_default(model):
            pass

        @pytest.mark.max_model_size("60 kB", format="h5")
        def test_impossible(model):
            pass
        """,
        "-omodelsize_format=h5",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: Net is of PyTorch, which is not saved with format='h5': there are *"]
    )
