"""Live PyTorch modules: saved as their users save them, and handed back as they were."""

import copy
import json
import sys

import pytest

from pytest_modelsize import measure
from pytest_modelsize.saving import SaveError, default_format, framework_of, save
from tests.needs import needs


@pytest.fixture
def build(torch):
    """A module with buffers, dropout, shared weights and frozen ones, and its optimizer."""

    def build():
        torch.manual_seed(3)
        nn = torch.nn
        model = nn.Sequential(
            nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 5), nn.Linear(5, 5)
        )
        model[4].weight = model[3].weight
        model[0].bias.requires_grad_(False)
        model[1].eval()
        trained = [p for p in model.parameters() if p.requires_grad]
        return model, torch.optim.Adam(trained, lr=0.01)

    return build


def train(torch, model, optimizer):
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(8, 6)).square().sum().backward()
        optimizer.step()


def snapshot(torch, model, optimizer):
    """What must be the same objects, and equal values, after a save."""
    tensors = [*model.parameters(), *model.buffers()]
    return {
        "objects": [*map(id, tensors), *map(id, model.modules()), id(optimizer)],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "modes": [module.training for module in model.modules()],
        "gradients": [(t.requires_grad, t.grad is None) for t in tensors],
        "devices": [t.device for t in tensors],
        "hooks": [len(module._forward_hooks) for module in model.modules()],
        "values": [t.tolist() for t in tensors],
        "state": json.dumps(optimizer.state_dict(), default=lambda t: t.tolist()),
        "groups": [sorted(group) for group in optimizer.param_groups],
        "random": torch.get_rng_state().tolist(),
    }


def saved_as(model, folder, format="torch", include_optimizer=True, **options):
    return save(model, folder, format=format, include_optimizer=include_optimizer, options=options)


@pytest.mark.parametrize(
    ("format", "include_optimizer"),
    [
        ("torch", True),
        ("torch", False),
        ("safetensors", True),
        ("safetensors", False),
        ("onnx", False),  # which holds no optimizer state
    ],
)
def test_training_goes_on_bit_for_bit(torch, build, tmp_path, format, include_optimizer):
    if format != "torch":
        needs(format)
    if format == "onnx":
        needs("onnxscript")
    twins = []
    for checked in (False, True):
        model, optimizer = build()
        model[0].register_forward_hook(lambda module, inputs, output: None)
        train(torch, model, optimizer)
        if checked:
            before = snapshot(torch, model, optimizer)
            options = {"args": (torch.zeros(8, 6),)} if format == "onnx" else {}
            subject = {"model": model, "optimizer": optimizer}
            saved_as(subject, tmp_path, format, include_optimizer, **options)
            assert snapshot(torch, model, optimizer) == before
        train(torch, model, optimizer)
        twins.append(snapshot(torch, model, optimizer))
    for key in ("values", "state", "modes", "random"):
        assert twins[0][key] == twins[1][key]


def test_a_module_is_saved_as_its_state_dict(torch, build, tmp_path):
    model, _ = build()
    saved = saved_as(model, tmp_path)
    assert saved.path.name == "model.pt"
    loaded = torch.load(saved.path, weights_only=True)
    assert list(loaded) == list(model.state_dict())
    assert saved.optimizers == ()
    own = tmp_path / "own"
    own.mkdir()
    torch.save(model.state_dict(), own / "model.pt")
    assert saved.path.stat().st_size == (own / "model.pt").stat().st_size


def test_a_dictionary_is_saved_as_the_tutorials_do(torch, build, tmp_path):
    model, optimizer = build()
    train(torch, model, optimizer)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    subject = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "epoch": 3,
        "loader": [1, 2],
        "criterion": torch.nn.MSELoss(),
    }
    before = dict(subject)
    loaded = torch.load(saved_as(subject, tmp_path).path, weights_only=True)
    assert list(loaded) == [
        "model_state_dict",
        "optimizer_state_dict",
        "scheduler_state_dict",
        "epoch",
    ]
    assert list(loaded["optimizer_state_dict"]["state"]) == list(range(6))
    assert subject == before


def test_without_the_optimizer_a_dictionary_is_what_ships(torch, build, tmp_path):
    model, optimizer = build()
    train(torch, model, optimizer)
    subject = {"net": model, "optimizer": optimizer, "epoch": 3}
    saved = saved_as(subject, tmp_path, include_optimizer=False)
    assert list(torch.load(saved.path, weights_only=True)) == list(model.state_dict())
    assert saved.call == 'torch.save(net.state_dict(), "model.pt")'
    assert not saved.flag_ignored
    two = {"one": model, "two": copy.deepcopy(model), "optimizer": optimizer}
    saved = saved_as(two, tmp_path, include_optimizer=False)
    assert list(torch.load(saved.path, weights_only=True)) == ["one", "two"]
    assert saved.call == (
        'torch.save({"one": one.state_dict(), "two": two.state_dict()}, "model.pt")'
    )


@pytest.mark.parametrize(
    ("kind", "options", "slots"),
    [
        ("Adam", {}, 2),
        ("AdamW", {"amsgrad": True}, 3),
        ("SGD", {"lr": 0.1, "momentum": 0.9}, 1),
        ("SGD", {"lr": 0.1}, 0),
        ("RMSprop", {}, 1),
        ("Adadelta", {}, 2),
    ],
)
def test_what_an_optimizer_keeps_is_told(torch, tmp_path, kind, options, slots):
    model = torch.nn.Linear(6, 5)
    optimizer = getattr(torch.optim, kind)(model.parameters(), **options)
    model(torch.ones(1, 6)).sum().backward()
    optimizer.step()
    saved = saved_as({"model": model, "optimizer": optimizer}, tmp_path)
    (facts,) = saved.optimizers
    assert (facts.name, facts.slots, facts.group) == (kind.lower(), slots, "/optimizer")
    if slots:
        assert (facts.parameters, facts.dtype) == (6 * 5 + 5, "float32")
        loaded = torch.load(saved.path, weights_only=True)["optimizer_state_dict"]["state"]
        tensors = [t for held in loaded.values() for t in held.values() if torch.is_tensor(t)]
        assert facts.state_bytes == sum(t.untyped_storage().nbytes() for t in tensors)


def test_an_optimizer_that_has_not_stepped_keeps_nothing(torch, build, tmp_path):
    model, optimizer = build()
    (facts,) = saved_as({"model": model, "optimizer": optimizer}, tmp_path).optimizers
    assert (facts.parameters, facts.state_bytes) == (0, 0)


def test_safetensors_stores_shared_weights_once(torch, build, tmp_path):
    safe = needs("safetensors.torch")
    model, _ = build()
    saved = saved_as(model, tmp_path, "safetensors")
    loaded = safe.load_file(saved.path)
    assert len(loaded) == len(model.state_dict()) - 1
    twin = copy.deepcopy(model)
    torch.nn.init.zeros_(twin[0].weight)
    safe.load_model(twin, saved.path)
    assert torch.equal(twin[0].weight, model[0].weight)


def test_safetensors_that_is_not_installed_is_named(build, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(SaveError, match="needs the package safetensors"):
        saved_as(build()[0], tmp_path, "safetensors")


def test_an_export_to_onnx_holds_the_weights(torch, build, tmp_path):
    onnx = needs("onnx")
    needs("onnxscript")
    model, _ = build()
    saved = saved_as(model, tmp_path, "onnx", args=(torch.zeros(8, 6),))
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    graph = onnx.load(saved.path).graph
    kernel = model[4].weight.detach().numpy().tobytes()
    assert kernel in [tensor.raw_data for tensor in graph.initializer]


def test_external_data_of_onnx_is_measured_with_it(torch, build, tmp_path):
    needs("onnxscript")
    model, _ = build()
    options = {"args": (torch.zeros(8, 6),), "external_data": True}
    saved = saved_as(model, tmp_path, "onnx", **options)
    files = {path.name: path.stat().st_size for path in saved.path.iterdir()}
    assert set(files) == {"model.onnx", "model.onnx.data"}
    assert measure(saved.path).total == sum(files.values())


def test_an_export_without_example_inputs_says_what_to_write(build, tmp_path):
    with pytest.raises(SaveError, match=r"save_options=\{'args': \(torch\.zeros\(1, 3\),\)\}"):
        saved_as(build()[0], tmp_path, "onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["keras", "h5", "weights", "saved_model", "tflite"])
def test_a_format_of_keras_is_refused_by_name(build, tmp_path, format):
    with pytest.raises(SaveError, match=r"Sequential is of PyTorch, .* torch, safetensors, onnx"):
        saved_as(build()[0], tmp_path, format)


@pytest.mark.parametrize("preferred", ["keras", "h5", "saved_model"])
def test_the_default_of_a_project_of_keras_models_does_not_bind_a_module(build, preferred):
    assert default_format(build()[0], preferred) == "torch"
    assert default_format(build()[0], "safetensors") == "safetensors"


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_module_without_values_is_refused(torch, tmp_path):
    lazy = torch.nn.Sequential(torch.nn.LazyLinear(3))
    with pytest.raises(SaveError, match=r"0\.weight of model has no shape yet"):
        saved_as(lazy, tmp_path)
    meta = torch.nn.Linear(300, 300, device="meta")
    with pytest.raises(SaveError, match="weight of net is on the meta device"):
        saved_as({"net": meta}, tmp_path)


def test_several_modules_are_no_single_file_of_weights(build, tmp_path):
    needs("safetensors")
    with pytest.raises(SaveError, match="saves one module, and there are one, two"):
        saved_as({"one": build()[0], "two": build()[0]}, tmp_path, "safetensors")


def test_modules_are_told_by_their_classes(torch, build):
    model, optimizer = build()
    assert framework_of(model) == "torch"
    assert framework_of({"model": model, "optimizer": optimizer}) == "torch"
    assert framework_of(torch.nn.CrossEntropyLoss()) is None
    for value in ({"optimizer": optimizer}, {}, {"batch": torch.zeros(3)}, optimizer, [model]):
        assert framework_of(value) is None


def test_a_module_of_fake_tensors_has_nothing_to_save(torch, tmp_path):
    with torch._subclasses.FakeTensorMode():
        net = torch.nn.Linear(2, 2)
    with pytest.raises(SaveError, match="weight of model is a fake tensor, and has no values"):
        save(net, tmp_path, format="torch", include_optimizer=True)
