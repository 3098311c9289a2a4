"""Complaints about a second set of weights, whatever it is called, and what is no such thing.

The size with the fix is that of a save without it.
"""

import pytest

from tests.needs import needs

needs("torch")
safetensors = needs("safetensors.torch")


@pytest.fixture
def state(torch):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.Linear(128, 32))
    return dict(net.state_dict())


def near(state):
    """Return a state as an average of it is: nearly the same."""
    return {name: value * 0.99 + 0.0001 for name, value in state.items()}


@pytest.mark.parametrize("name", ["avg_model", "netG_avg", "target_encoder", "ema", "slow"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_pytorch_2022_an_average_under_any_name(causes, torch, state, tmp_path, name, wrapped):
    """Its counters and settings go with it, so that all of it is gone."""
    path = tmp_path / "checkpoint.pt"
    average = near(state)
    if wrapped:
        average = {"decay": 0.999, "updates": 1000, "module": average}
    torch.save({"model": state, name: average, "epoch": 3}, path)
    cause = causes(path)["moving average"]
    torch.save({"model": state, "epoch": 3}, path)
    assert (cause.given, cause.how) == (path.stat().st_size, "replayed")


def test_an_average_in_numpy_arrays_is_told_from_the_weights(causes, torch, state, tmp_path):
    path = tmp_path / "checkpoint.pt"
    average = {name: value.numpy() for name, value in near(state).items()}
    torch.save({"model": state, "ema": average}, path)
    cause = causes(path)["moving average"]
    torch.save({"model": state}, path)
    assert (cause.given, cause.how) == (path.stat().st_size, "replayed")


@pytest.mark.parametrize("name", ["best_model", "backup"])
def test_another_state_of_the_weights_is_told_by_its_values(causes, torch, state, tmp_path, name):
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": state, name: near(state)}, path)
    cause = causes(path)["another state of the weights"]
    torch.save({"model": state}, path)
    assert (cause.given, cause.how) == (path.stat().st_size, "replayed")


@pytest.mark.parametrize("names", [("actor", "critic"), ("best", "last"), ("fold_0", "fold_1")])
def test_networks_of_one_shape_that_were_trained_apart_are_no_copies(
    causes, torch, state, tmp_path, names
):
    path = tmp_path / "checkpoint.pt"
    torch.manual_seed(1)
    apart = {key: torch.randn_like(value) for key, value in state.items()}
    torch.save(dict(zip(names, (state, apart), strict=True)), path)
    assert causes(path) == {}


def test_folds_that_were_tuned_from_the_same_weights_are_models(causes, torch, state, tmp_path):
    path = tmp_path / "folds.pt"
    torch.save({"fold_0": state, "fold_1": near(state)}, path)
    assert causes(path) == {}


def test_fast_neural_style_30_gradients_beside_the_weights(causes, torch, state, tmp_path):
    path = tmp_path / "checkpoint.pt"
    grads = {key: torch.randn_like(value) for key, value in state.items()}
    torch.save({"model": state, "gradients": grads}, path)
    cause = causes(path)["gradients"]
    torch.save({"model": state}, path)
    assert (cause.given, cause.how) == (path.stat().st_size, "replayed")


@pytest.mark.parametrize("folder", ["fp16", "half", "other"])
def test_the_same_weights_in_another_type_are_told_by_their_values(causes, state, tmp_path, folder):
    (tmp_path / folder).mkdir()
    safetensors.save_file(state, tmp_path / "model.safetensors")
    half = {key: value.half() for key, value in state.items()}
    safetensors.save_file(half, tmp_path / folder / "model.safetensors")
    cause = causes(tmp_path)["weights in several types"]
    assert cause.size == (tmp_path / folder / "model.safetensors").stat().st_size


@pytest.mark.parametrize(("names", "found"), [(("best", "last"), True), (("a", "b"), False)])
def test_two_states_of_a_training_in_a_folder(causes, torch, state, tmp_path, names, found):
    for name, held in zip(names, (state, near(state)), strict=True):
        torch.save(held, tmp_path / f"{name}.pt")
    assert ("another state of the weights" in causes(tmp_path)) is found


@pytest.mark.parametrize("apart", [True, False])
def test_a_layer_that_is_called_like_an_average_is_none(causes, torch, tmp_path, apart):
    """A projection for the teacher's features has the shapes of another layer, and its own values."""
    path = tmp_path / "net.pt"
    torch.manual_seed(0)
    head, other = (dict(torch.nn.Linear(64, 32).state_dict()) for _ in range(2))
    held = other if apart else near(head)
    state = {"body.weight": torch.randn(300, 200)}
    state |= {f"head.{key}": value for key, value in head.items()}
    state |= {f"teacher_head.{key}": value for key, value in held.items()}
    torch.save(state, path)
    assert ("moving average" in causes(path)) is not apart


def test_a_small_average_that_was_never_trained_is_one_all_the_same(causes, torch, tmp_path):
    path = tmp_path / "net.pt"
    head = {"weight": torch.randn(32, 64), "bias": torch.randn(32)}
    state = {"body": torch.randn(300, 200), "head": head}
    torch.save(state | {"head_ema": {key: value.clone() for key, value in head.items()}}, path)
    cause = causes(path)["moving average"]
    torch.save(state, path)
    assert (cause.given, cause.how) == (path.stat().st_size, "replayed")
