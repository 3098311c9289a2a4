"""Public complaints about PyTorch's files, rebuilt small: the cause is named, and so is the cure.

Each test cites its thread. The size with the fix is that of a real fix: what is to be saved
otherwise is saved so, and what is to be deleted is deleted.
"""

import gzip
import json
import shutil
from copy import deepcopy as copy_of

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


def test_huggingface_transformers_13548_optimizer_state_in_what_ships(causes, fixed, hub):
    cause = causes(hub)["optimizer state"]
    assert cause.size == measure(hub).optimizer
    assert cause.size >= 2 * PARAMETERS * 4
    (hub / "optimizer.pt").unlink()
    fixed(cause, hub, "rebuilt")


def test_huggingface_transformers_13548_state_of_the_trainer(causes, fixed, hub):
    cause = causes(hub)["state of the trainer"]
    assert cause.size == weight_of(hub / "training_args.bin") + weight_of(hub / "rng_state.pth")
    (hub / "training_args.bin").unlink()
    (hub / "rng_state.pth").unlink()
    fixed(cause, hub, "rebuilt")


def test_huggingface_hub_2831_bin_beside_safetensors(causes, fixed, hub, torch, net):
    state = safetensors.load_file(hub / "model.safetensors")
    torch.save(state, hub / "pytorch_model.bin")
    cause = causes(hub)["weights in several files"]
    assert cause.entries == ("pytorch_model.bin",)
    assert cause.size == weight_of(hub / "pytorch_model.bin")
    (hub / "pytorch_model.bin").unlink()
    fixed(cause, hub, "rebuilt")
    assert "weights in several files" not in causes(hub)


def test_torchchat_173_shards_of_both_kinds(causes, fixed, hub, torch, net):
    """Both sets have an index, and two shards that are cut at other places."""
    (hub / "model.safetensors").unlink()
    names = list(net.state_dict())
    for stem, suffix, cut, save in (
        ("model", "safetensors", 2, safetensors.save_file),
        ("pytorch_model", "bin", 3, torch.save),
    ):
        index = {}
        for number, part in enumerate((names[:cut], names[cut:]), 1):
            shard = f"{stem}-{number:05d}-of-00002.{suffix}"
            save({name: net.state_dict()[name] for name in part}, hub / shard)
            index |= dict.fromkeys(part, shard)
        (hub / f"{stem}.{suffix}.index.json").write_text(
            json.dumps({"metadata": {"total_size": 4 * PARAMETERS}, "weight_map": index})
        )
    cause = causes(hub)["weights in several files"]
    assert cause.entries == ("pytorch_model.bin",)
    for file in hub.glob("pytorch_model*"):
        file.unlink()
    fixed(cause, hub, "rebuilt")
    assert "weights in several files" not in causes(hub)


@pytest.mark.parametrize("kind", ["vocab.json", "vocab.txt"])
def test_a_tokenizer_is_stored_twice(causes, hub, kind):
    words = {f"word{number}": number for number in range(3000)}
    fast = {"model": {"type": "BPE", "vocab": words}, "added_tokens": [{"content": "[PAD]"}]}
    (hub / "tokenizer.json").write_text(json.dumps(fast))
    slow = {**words, "[PAD]": 3000}
    (hub / kind).write_text(json.dumps(slow) if kind == "vocab.json" else "\n".join(slow))
    (hub / "merges.txt").write_text("w o\n")
    cause = causes(hub)["tokenizer in several files"]
    assert cause.entries == (kind, "merges.txt")
    (hub / "merges.txt").unlink()
    text = (hub / kind).read_text()
    (hub / kind).write_text(text.replace("word7", "other"))
    assert "tokenizer in several files" not in causes(hub)
    (hub / kind).unlink()
    assert cause.given == weight_of(hub)


def test_tensorflow_models_8785_several_steps_in_one_folder(causes, fixed, net, tmp_path):
    for step in (100, 200, 1000):
        folder = tmp_path / "run" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        safetensors.save_file(net.state_dict(), folder / "model.safetensors")
    cause = causes(tmp_path / "run")["several steps"]
    for step in (100, 200):
        shutil.rmtree(tmp_path / "run" / f"checkpoint-{step}")
    fixed(cause, tmp_path / "run", "rebuilt")


@pytest.mark.parametrize("name", ["ema", "shadow_params", "model_ema", "ema_net"])
def test_imagen_pytorch_166_ema_beside_the_model(causes, fixed, torch, net, tmp_path, name):
    path = tmp_path / "both.safetensors"
    own = {f"net.{key}": value for key, value in net.state_dict().items()}
    average = {f"{name}.{key}": value + 1 for key, value in net.state_dict().items()}
    safetensors.save_file({**own, **average}, path)
    cause = causes(path)["moving average"]
    assert PARAMETERS * 4 <= cause.size < PARAMETERS * 4 * 1.02
    safetensors.save_file(own, path)
    fixed(cause, path, "rebuilt")
    assert "moving average" not in causes(path)


@pytest.mark.parametrize("keys", [("model", "ema"), ("state_dict", "state_dict_ema")])
def test_ultralytics_1390_ema_in_a_checkpoint(causes, fixed, torch, net, tmp_path, keys):
    path = tmp_path / "best.pt"
    state = net.state_dict()
    average = {key: value + 1 for key, value in state.items()}
    torch.save({keys[0]: state, keys[1]: average, "epoch": 3}, path)
    cause = causes(path)["moving average"]
    assert PARAMETERS * 4 <= cause.size < PARAMETERS * 4 * 1.05
    assert keys[1] in cause.text
    torch.save({keys[0]: state, "epoch": 3}, path)
    fixed(cause, path, "replayed")
    assert "moving average" not in causes(path)


def test_f5_tts_84_ema_in_a_file_of_its_own(causes, fixed, torch, hub, net):
    """As diffusers keeps it: the same names, in a folder beside."""
    (hub / "unet_ema").mkdir()
    average = {key: value + 1 for key, value in net.state_dict().items()}
    safetensors.save_file(average, hub / "unet_ema" / "model.safetensors")
    cause = causes(hub)["moving average"]
    assert cause.entries == ("unet_ema/model.safetensors",)
    shutil.rmtree(hub / "unet_ema")
    fixed(cause, hub, "rebuilt")
    assert "moving average" not in causes(hub)


def test_yolov5_4349_model_and_ema_are_pickled_whole(causes, fixed, torch, net, tmp_path):
    path = tmp_path / "last.pt"
    average = copy_of(net).half()
    torch.save({"epoch": 3, "model": net, "ema": average, "updates": 100, "date": "today"}, path)
    cause = causes(path)["moving average"]
    assert "ema" in cause.text
    torch.save({"epoch": 3, "model": net, "updates": 100, "date": "today"}, path)
    fixed(cause, path, "replayed")


@pytest.mark.parametrize("key", ["shadow_params", "ema"])
def test_an_average_is_a_list_without_names(causes, torch, net, tmp_path, key):
    """As torch_ema and diffusers' EMAModel have it in their state."""
    path = tmp_path / "last.ckpt"
    state = net.state_dict()
    average = [value + 1 for value in state.values()]
    checkpoint = {"model": state, "average": {"decay": 0.999, key: average}, "step": 3}
    torch.save(checkpoint, path)
    cause = causes(path)["moving average"]
    assert PARAMETERS * 4 <= cause.size < PARAMETERS * 4 * 1.05
    del checkpoint["average"]
    torch.save(checkpoint, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")
    assert causes(path) == {}


def test_a_file_in_another_type_is_told_from_a_copy(causes, hub, net):
    half = {key: value.half() for key, value in net.state_dict().items()}
    safetensors.save_file(half, hub / "model.fp16.safetensors")
    cause = causes(hub)["weights in several types"]
    assert cause.entries == ("model.fp16.safetensors",)
    assert "weights in several files" not in causes(hub)


def test_members_of_an_ensemble_are_no_copies(causes, torch, hub, net):
    other = {key: value + 1 for key, value in net.state_dict().items()}
    safetensors.save_file(other, hub / "model_2.safetensors")
    torch.save({key: value + 2 for key, value in other.items()}, hub / "model_3.bin")
    assert not {"weights in several files", "moving average"} & causes(hub).keys()


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
def test_transformers_24683_half_precision_saved_as_single(
    causes, fixed, torch, net, tmp_path, dtype
):
    path = tmp_path / "model.safetensors"
    half = {key: value.to(getattr(torch, dtype)) for key, value in net.state_dict().items()}
    safetensors.save_file({key: value.float() for key, value in half.items()}, path)
    cause = causes(path)["half precision saved as single"]
    assert dtype in cause.fix
    safetensors.save_file(half, path)
    fixed(cause, path, "rebuilt")
    assert causes(path) == {}


def test_pytorch_forums_double_precision_by_accident(causes, fixed, torch, net, tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.save_file(net.double().state_dict(), path)
    cause = causes(path)["double precision"]
    safetensors.save_file(net.float().state_dict(), path)
    fixed(cause, path, "rebuilt")


def test_trained_weights_are_not_called_too_wide(causes, net, tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.save_file(net.state_dict(), path)
    assert causes(path) == {}


@pytest.mark.parametrize("rows", [10, 500])
def test_pytorch_40157_a_slice_drags_its_storage_along(causes, fixed, torch, tmp_path, rows):
    path = tmp_path / "slice.pt"
    whole = torch.arange(1_000_000.0).reshape(1000, 1000)
    torch.save({"part": whole[:rows]}, path)
    cause = causes(path)["views of larger storages"]
    assert cause.size == (1000 - rows) * 1000 * 4
    assert "clone()" in cause.fix
    torch.save({"part": whole[:rows].clone()}, path)
    fixed(cause, path, "replayed")
    assert "views of larger storages" not in causes(path)


def test_peft_2898_equal_layers_are_stored_once(causes, fixed, torch, tmp_path):
    path = tmp_path / "adapter.safetensors"
    net = torch.nn.ModuleDict({name: torch.nn.Linear(64, 100, bias=False) for name in "ba"})
    net["a"].load_state_dict(net["b"].state_dict())
    safetensors.save_file(net.state_dict(), path)
    cause = causes(path)["equal tensors"]
    assert 100 * 64 * 4 <= cause.size < 100 * 64 * 4 + 200
    net["a"].weight = net["b"].weight
    safetensors.save_model(net, path)
    fixed(cause, path, "rebuilt")


def test_transformers_23868_tied_weights_are_stored_twice(causes, fixed, torch, tmp_path):
    """Embedding and head were tied while it was trained, and cloned on the way to the file."""
    path = tmp_path / "model.pt"
    net = torch.nn.ModuleDict({
        "embedding": torch.nn.Embedding(100, 64),
        "head": torch.nn.Linear(64, 100, bias=False),
    })  # fmt: skip
    net["head"].weight = net["embedding"].weight
    torch.save({name: value.clone() for name, value in net.state_dict().items()}, path)
    cause = causes(path)["equal tensors"]
    torch.save(dict(net.state_dict()), path)
    fixed(cause, path, "replayed")
    assert causes(path) == {}


def test_model_optimization_760_zeros_are_stored_in_full(causes, fixed, torch, net, tmp_path):
    path = tmp_path / "pruned.safetensors"
    state = {key: value.clone() for key, value in net.state_dict().items()}
    state["0.weight"][:, 8:] = 0
    safetensors.save_file(state, path)
    cause = causes(path)["zero weights"]
    assert cause.size == 128 * 56 * 4
    assert "gzip" in cause.fix
    packed = tmp_path / "pruned.safetensors.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))
    fixed(cause, packed, "measured")


def test_model_optimization_162_masks_are_left_in(causes, fixed, torch, tmp_path):
    from torch.nn.utils import prune

    path = tmp_path / "pruned.pt"
    layer = torch.nn.Linear(100, 100)
    prune.l1_unstructured(layer, "weight", amount=0.8)
    torch.save(layer.state_dict(), path)
    cause = causes(path)["pruning masks"]
    assert 100 * 100 * 4 <= cause.size < 100 * 100 * 4 + 400
    prune.remove(layer, "weight")
    torch.save(layer.state_dict(), path)
    fixed(cause, path, "replayed")
    assert "pruning masks" not in causes(path)


def test_ignite_1954_three_times_the_size(causes, fixed, torch, net, tmp_path):
    path = tmp_path / "checkpoint.pt"
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
    cause = causes(path)["optimizer state"]
    assert cause.size >= 2 * PARAMETERS * 4
    torch.save({"model": net.state_dict()}, path)
    fixed(cause, path, "replayed")


def test_yoyodyne_32_a_dataset_among_hyper_parameters(causes, fixed, torch, net, tmp_path):
    path = tmp_path / "last.ckpt"
    data = torch.randn(100, 64)
    checkpoint = {
        "state_dict": net.state_dict(),
        "hyper_parameters": {"train_set": data, "learning_rate": 0.1},
        "epoch": 4,
    }
    torch.save(checkpoint, path)
    cause = causes(path)["data among hyper-parameters"]
    assert 100 * 64 * 4 <= cause.size < 100 * 64 * 4 + 400
    assert "ignore=" in cause.fix
    del checkpoint["hyper_parameters"]["train_set"]
    torch.save(checkpoint, path)
    fixed(cause, path, "replayed")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_transformers_35072_half_precision_saved_as_single_in_a_pickle(
    causes, fixed, torch, net, tmp_path, dtype
):
    path = tmp_path / "pytorch_model.bin"
    half = {key: value.to(getattr(torch, dtype)) for key, value in net.state_dict().items()}
    torch.save({key: value.float() for key, value in half.items()}, path)
    cause = causes(path)["half precision saved as single"]
    assert dtype in cause.fix
    torch.save(half, path)
    fixed(cause, path, "replayed")
    assert causes(path) == {}


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_pytorch_123066_debug_information_of_torchscript(causes, fixed, torch, tmp_path):
    """What nobody reads is left out as the thread does it, by PyTorch's own writer of archives."""
    traced, path, lean = (tmp_path / name for name in ("traced.pt", "long.pt", "lean.pt"))
    layers = [torch.nn.Linear(4, 4) for _ in range(30)]
    torch.jit.trace(torch.nn.Sequential(*layers), torch.ones(1, 4)).save(str(traced))
    copy(torch, traced, path)
    copy(torch, traced, lean, without=".debug_pkl")
    torch.jit.load(str(lean))
    cause = causes(path)["debug information"]
    assert cause.size >= sum(
        len(record) for name, record in records(torch, path) if name.endswith(".debug_pkl")
    )
    fixed(cause, lean, "replayed")
    assert causes(traced)["debug information"].given < weight_of(traced)
    assert "debug information" not in causes(lean)


def copy(torch, old, new, without="(nothing)"):
    """Write an archive's records to another one by PyTorch's own writer."""
    writer = torch._C.PyTorchFileWriter(str(new))
    for name, record in records(torch, old):
        # What the writer adds by itself is not copied.
        if not name.endswith((without, "version", "byteorder", "serialization_id")):
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()


def records(torch, path):
    reader = torch._C.PyTorchFileReader(str(path))
    return [(name, reader.get_record(name)) for name in reader.get_all_records()]


def test_callbacks_of_lightning_keep_what_they_saw(causes, fixed, torch, net, tmp_path):
    path = tmp_path / "last.ckpt"
    checkpoint = {
        "epoch": 1,
        "state_dict": net.state_dict(),
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"Collect": {"outputs": [torch.randn(50, 64), torch.randn(50, 64)]}},
        "lr_schedulers": [],
    }
    torch.save(checkpoint, path)
    cause = causes(path)["state of the trainer"]
    for key in ("callbacks", "loops", "lr_schedulers"):
        del checkpoint[key]
    torch.save(checkpoint, path)
    fixed(cause, path, "replayed")


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        ([f"word{number}" for number in range(3000)], "vocabulary in the configuration"),
        ({f"word{number}": number for number in range(3000)}, "vocabulary in the configuration"),
        ([number / 7 for number in range(3000)], "lists of numbers in the configuration"),
        ([{"loss": n / 7} for n in range(3000)], "lists of numbers in the configuration"),
        ("def forward(self, x): return x\n" * 2000, "text in the configuration"),
    ],
)
def test_a_long_list_in_a_checkpoint(causes, torch, net, tmp_path, held, kind):
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": net.state_dict(), "kept": {"lr": 0.1, "held": held}}, path)
    cause = causes(path)[kind]
    torch.save({"model": net.state_dict(), "kept": {"lr": 0.1}}, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")


def test_what_is_ignored_among_hyper_parameters_leaves_the_others(causes, torch, net, tmp_path):
    path = tmp_path / "last.ckpt"
    kept, texts = {"state_dict": net.state_dict()}, [f"text {n}" for n in range(3000)]
    torch.save(kept | {"hyper_parameters": {"lr": 0.1, "texts": texts}}, path)
    (cause,) = causes(path).values()
    assert cause.kind == "data among hyper-parameters"
    torch.save(kept | {"hyper_parameters": {"lr": 0.1}}, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")


@pytest.mark.filterwarnings("ignore")
def test_accelerate_writes_the_optimizer_as_a_folder(causes, torch, hub, net):
    """An optimizer that is saved alone by torch.distributed.checkpoint, and a model beside it."""
    import torch.distributed.checkpoint as dcp

    (hub / "optimizer.pt").unlink()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    state = {"optimizer": optimizer.state_dict()}
    dcp.save(state, checkpoint_id=hub / "optimizer_0", no_dist=True)
    cause = causes(hub)["optimizer state"]
    shutil.rmtree(hub / "optimizer_0")
    assert (cause.given, cause.how) == (weight_of(hub), "rebuilt")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".git/objects/pack/a.pack", "leavings of tools"),
        (".cache/huggingface/download/model.safetensors.metadata", "leavings of tools"),
        (".pytest_cache/v/cache/nodeids", "leavings of tools"),
        (".ipynb_checkpoints/run-checkpoint.ipynb", "leavings of tools"),
        ("lightning_logs/version_0/metrics.csv", "logs"),
        ("mlruns/0/meta.yaml", "logs"),
        ("sampler.bin", "state of the trainer"),
        ("custom_checkpoint_0.pkl", "state of the trainer"),
        ("zero_to_fp32.py", "state of the trainer"),
    ],
)
def test_what_tools_leave_beside_a_model(causes, hub, name, kind):
    for mine in ("optimizer.pt", "training_args.bin", "rng_state.pth"):
        (hub / mine).unlink()
    ballast = hub / name
    ballast.parent.mkdir(parents=True, exist_ok=True)
    ballast.write_bytes(b"\x01\x99" * 2000)
    (cause,) = causes(hub).values()
    ballast.unlink()
    assert (cause.kind, cause.given, cause.how) == (kind, weight_of(hub), "rebuilt")


def test_a_model_in_a_folder_of_runs_is_no_log(causes, torch, hub):
    (hub / "runs/train/exp/weights").mkdir(parents=True)
    other = {"w": torch.randn(100, 100), "b": torch.randn(100)}
    torch.save(other, hub / "runs/train/exp/weights/best.pt")
    assert "logs" not in causes(hub)


def test_the_same_file_in_two_folders(causes, hub):
    for folder in ("tokenizer", "tokenizer_2"):
        (hub / folder).mkdir()
        (hub / folder / "spiece.txt").write_text("\n".join(f"word{n}" for n in range(3000)))
    cause = causes(hub)["equal files"]
    (hub / "tokenizer_2" / "spiece.txt").unlink()
    assert (cause.given, cause.how) == (weight_of(hub), "rebuilt")


@pytest.mark.parametrize("name", ["numpy_rng", "cuda_rng_state", "rng_states", "random_state"])
def test_states_of_random_numbers_in_a_checkpoint(causes, torch, net, tmp_path, name):
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": net.state_dict(), name: torch.get_rng_state()}, path)
    cause = causes(path)["state of the trainer"]
    torch.save({"model": net.state_dict()}, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")


def test_masks_in_a_dictionary_of_their_own(causes, torch, net, tmp_path):
    path = tmp_path / "checkpoint.pt"
    state = net.state_dict()
    masks = {key: value > 0 for key, value in state.items() if value.dim() > 1}
    torch.save({"model": state, "masks": masks}, path)
    cause = causes(path)["pruning masks"]
    torch.save({"model": state}, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")


def quantized(torch, kind):
    """Return the state of a network that is quantized but for a part, in one of three ways."""
    wide = torch.randn(64, 256)
    if kind == "dynamic":
        net = torch.nn.Sequential(torch.nn.Linear(256, 64), torch.nn.Conv1d(64, 64, 3))
        return torch.ao.quantization.quantize_dynamic(net, {torch.nn.Linear}).state_dict()
    if kind == "packed":
        return {"a.qweight": torch.ones(32, 256, dtype=torch.int32), "head.weight": wide}
    return {"a.weight": wide.to(torch.float8_e4m3fn), "head.weight": wide}


@pytest.mark.parametrize("kind", ["dynamic", "packed", "eight bits"])
@pytest.mark.filterwarnings("ignore")
def test_distiller_43_quantized_but_for_a_layer(causes, torch, tmp_path, kind):
    path = tmp_path / "quantized.pt"
    state = quantized(torch, kind)
    torch.save(state, path)
    left = sum(v.numel() for v in state.values() if getattr(v, "dtype", None) == torch.float32)
    cause = causes(path)["float weights in a quantized model"]
    assert cause.size == pytest.approx(left * 3, abs=3)  # a scale has no shape


def test_the_scales_of_quantized_blocks_are_no_float_weights(causes, torch, tmp_path):
    path = tmp_path / "quantized.pt"
    numbers = torch.randint(-128, 127, (64, 256), dtype=torch.int8)
    torch.save({"a.weight": numbers, "a.scale": torch.rand(64, 32)}, path)
    assert causes(path) == {}


@pytest.mark.filterwarnings("ignore")
def test_distiller_486_trained_for_quantization_and_not_converted(causes, torch, net, tmp_path):
    path = tmp_path / "aware.pt"
    net.qconfig = torch.ao.quantization.get_default_qat_qconfig("fbgemm")
    torch.save(torch.ao.quantization.prepare_qat(net.train()).state_dict(), path)
    cause = causes(path)["float weights in a quantized model"]
    assert cause.size >= PARAMETERS * 3
    assert "convert" in cause.fix


@pytest.mark.parametrize("name", ["train_data", "replay_buffer", "x_train", "training_images"])
@pytest.mark.parametrize("nested", [False, True])
def test_stable_baselines_data_in_a_checkpoint(causes, torch, net, tmp_path, name, nested):
    path = tmp_path / "checkpoint.pt"
    rows = torch.randn(500, 64)
    held = {"obs": rows, "done": torch.ones(500)} if nested else rows
    torch.save({"model": net.state_dict(), name: held, "epoch": 3}, path)
    cause = causes(path)["training data"]
    torch.save({"model": net.state_dict(), "epoch": 3}, path)
    assert (cause.given, cause.how) == (weight_of(path), "replayed")
