"""Public complaints about PyTorch's files, rebuilt small: the cause is named, and so is the cure.

Each test cites its thread. The size with the fix is that of a real fix: what is to be saved
otherwise is saved so, and what is to be deleted is deleted.
"""

import shutil

import pytest

from pytest_modelsize import measure
from tests.acceptance.complaints.conftest import weight_of
from tests.needs import needs

needs("torch")
safetensors = needs("safetensors.torch")


@pytest.fixture
def net(torch):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.Linear(128, 32))


PARAMETERS = 64 * 128 + 128 + 128 * 32 + 32


@pytest.fixture
def hub(torch, net, tmp_path):
    """Return a folder as Hugging Face's Trainer leaves it."""
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["Net"]}')
    safetensors.save_file(net.state_dict(), folder / "model.safetensors")
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save({"learning_rate": 0.1}, folder / "training_args.bin")
    torch.save(torch.get_rng_state(), folder / "rng_state.pth")
    return folder


def test_huggingface_transformers_13548_optimizer_state_in_what_ships(causes, hub):
    cause = causes(hub)["optimizer state"]
    assert cause.size == measure(hub).optimizer
    assert cause.size >= 2 * PARAMETERS * 4
    (hub / "optimizer.pt").unlink()
    assert (cause.given, cause.how) == (weight_of(hub), "rebuilt")


def test_huggingface_transformers_13548_state_of_the_trainer(causes, hub):
    cause = causes(hub)["state of the trainer"]
    assert cause.size == weight_of(hub / "training_args.bin") + weight_of(hub / "rng_state.pth")
    (hub / "training_args.bin").unlink()
    (hub / "rng_state.pth").unlink()
    assert cause.given == weight_of(hub)


def test_huggingface_hub_2831_bin_beside_safetensors(causes, hub, torch, net):
    torch.save(net.state_dict(), hub / "pytorch_model.bin")
    cause = causes(hub)["weights in several files"]
    assert cause.entries == ("pytorch_model.bin",)
    assert cause.size == weight_of(hub / "pytorch_model.bin")
    (hub / "pytorch_model.bin").unlink()
    assert cause.given == weight_of(hub)
    assert "weights in several files" not in causes(hub)


def test_tensorflow_models_8785_several_steps_in_one_folder(causes, net, tmp_path):
    for step in (100, 200, 1000):
        folder = tmp_path / "run" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        safetensors.save_file(net.state_dict(), folder / "model.safetensors")
    cause = causes(tmp_path / "run")["several steps"]
    for step in (100, 200):
        shutil.rmtree(tmp_path / "run" / f"checkpoint-{step}")
    assert cause.given == weight_of(tmp_path / "run")


@pytest.mark.parametrize("name", ["ema", "shadow_params", "model_ema", "ema_net"])
def test_imagen_pytorch_166_ema_beside_the_model(causes, torch, net, tmp_path, name):
    path = tmp_path / "both.safetensors"
    own = {f"net.{key}": value for key, value in net.state_dict().items()}
    average = {f"{name}.{key}": value + 1 for key, value in net.state_dict().items()}
    safetensors.save_file({**own, **average}, path)
    cause = causes(path)["moving average"]
    assert PARAMETERS * 4 <= cause.size < PARAMETERS * 4 * 1.02
    safetensors.save_file(own, path)
    assert cause.given == weight_of(path)
    assert "moving average" not in causes(path)


@pytest.mark.parametrize("keys", [("model", "ema"), ("state_dict", "state_dict_ema")])
def test_ultralytics_1390_ema_in_a_checkpoint(causes, torch, net, tmp_path, keys):
    path = tmp_path / "best.pt"
    state = net.state_dict()
    average = {key: value + 1 for key, value in state.items()}
    torch.save({keys[0]: state, keys[1]: average, "epoch": 3}, path)
    cause = causes(path)["moving average"]
    assert PARAMETERS * 4 <= cause.size < PARAMETERS * 4 * 1.05
    assert keys[1] in cause.text


def test_towers_of_one_shape_are_no_moving_average(causes, net, tmp_path):
    path = tmp_path / "siamese.safetensors"
    state = net.state_dict()
    safetensors.save_file(
        {
            f"{side}.{k}": v + n
            for n, side in enumerate(("left", "right"))
            for k, v in state.items()
        },
        path,
    )
    assert causes(path) == {}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_transformers_24683_half_precision_saved_as_single(causes, torch, net, tmp_path, dtype):
    path = tmp_path / "model.safetensors"
    half = {key: value.to(getattr(torch, dtype)) for key, value in net.state_dict().items()}
    safetensors.save_file({key: value.float() for key, value in half.items()}, path)
    cause = causes(path)["half precision saved as single"]
    assert dtype in cause.fix
    safetensors.save_file(half, path)
    assert cause.given == weight_of(path)
    assert causes(path) == {}


def test_pytorch_forums_double_precision_by_accident(causes, torch, net, tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.save_file(net.double().state_dict(), path)
    cause = causes(path)["double precision"]
    safetensors.save_file(net.float().state_dict(), path)
    assert cause.given == weight_of(path)


def test_trained_weights_are_not_called_too_wide(causes, net, tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.save_file(net.state_dict(), path)
    assert causes(path) == {}


@pytest.mark.parametrize("rows", [10, 500])
def test_pytorch_40157_a_slice_drags_its_storage_along(causes, torch, tmp_path, rows):
    path = tmp_path / "slice.pt"
    whole = torch.arange(1_000_000.0).reshape(1000, 1000)
    torch.save({"part": whole[:rows]}, path)
    cause = causes(path)["views of larger storages"]
    assert cause.size == (1000 - rows) * 1000 * 4
    assert "clone()" in cause.fix
    before = weight_of(path)
    torch.save({"part": whole[:rows].clone()}, path)
    # Names of storages and numbers in the pickle get shorter: a few bytes.
    assert abs(before - cause.size - weight_of(path)) < 64
    assert "views of larger storages" not in causes(path)


def test_peft_2898_equal_layers_are_stored_once(causes, torch, tmp_path):
    path = tmp_path / "adapter.safetensors"
    base = torch.randn(100, 64)
    safetensors.save_file({"a.weight": base, "b.weight": base.clone()}, path)
    cause = causes(path)["equal tensors"]
    assert 100 * 64 * 4 <= cause.size < 100 * 64 * 4 + 200
    safetensors.save_file({"a.weight": base}, path)
    assert cause.given == weight_of(path)


def test_model_optimization_760_zeros_are_stored_in_full(causes, torch, net, tmp_path):
    path = tmp_path / "pruned.safetensors"
    state = {key: value.clone() for key, value in net.state_dict().items()}
    state["0.weight"][:, 8:] = 0
    safetensors.save_file(state, path)
    cause = causes(path)["zero weights"]
    assert cause.size == 128 * 56 * 4
    assert "gzip" in cause.fix


def test_model_optimization_162_masks_are_left_in(causes, torch, tmp_path):
    from torch.nn.utils import prune

    path = tmp_path / "pruned.pt"
    layer = torch.nn.Linear(100, 100)
    prune.l1_unstructured(layer, "weight", amount=0.8)
    torch.save(layer.state_dict(), path)
    cause = causes(path)["pruning masks"]
    assert 100 * 100 * 4 <= cause.size < 100 * 100 * 4 + 400
    prune.remove(layer, "weight")
    torch.save(layer.state_dict(), path)
    assert "pruning masks" not in causes(path)


def test_ignite_1954_three_times_the_size(causes, torch, net, tmp_path):
    path = tmp_path / "checkpoint.pt"
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
    cause = causes(path)["optimizer state"]
    assert cause.size >= 2 * PARAMETERS * 4
    torch.save({"model": net.state_dict()}, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")


def test_yoyodyne_32_a_dataset_among_hyper_parameters(causes, torch, net, tmp_path):
    path = tmp_path / "last.ckpt"
    data = torch.randn(100, 64)
    torch.save({"state_dict": net.state_dict(), "hyper_parameters": {"train_set": data}}, path)
    cause = causes(path)["data among hyper-parameters"]
    assert 100 * 64 * 4 <= cause.size < 100 * 64 * 4 + 400
    assert "ignore=" in cause.fix
