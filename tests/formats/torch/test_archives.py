"""What `torch.save` writes, against what `torch.load` gets back, and against `zipfile`."""

import zipfile

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.sizes.comparison import entries
from tests.formats.torch.handmade import PROTO, STOP, archive, mapping, tensor
from tests.needs import needs

ZIPPED = (
    "weights.pt", "protocol_4.pt", "protocol_5.pt", "optimizer.pt", "tutorial.pt", "lightning.ckpt",
    "module.pt", "objects.pt",
)  # fmt: skip
LEGACY = ("weights_legacy.pth", "tutorial_legacy.pth", "module_legacy.pth")


def data_of(measured, section):
    return measured.section(section).of_kind(Kind.DATA)


def tensors_in(value):
    """All tensors of a loaded object, by way of Python's own containers."""
    if hasattr(value, "untyped_storage"):
        yield value
    elif isinstance(value, dict):
        for held in value.values():
            yield from tensors_in(held)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from tensors_in(held)


def bytes_loaded(value):
    """Bytes of the storages, each once, as PyTorch counts them."""
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage() for t in tensors_in(value)}
    return sum(storage.nbytes() for storage in storages.values())


def named(measured, section):
    return {entry.name: entry for entry in entries(measured.section(section))}


@pytest.mark.parametrize("name", [*ZIPPED, *LEGACY])
def test_a_file_is_measured_to_the_byte_and_recognised(saved, name):
    path = saved[0] / name
    measured = measure(path)
    assert measured.total == path.stat().st_size
    assert (measured.format, recognise(path)) == ("torch", "torch")


@pytest.mark.parametrize("name", ["weights.pt", "weights_legacy.pth"])
def test_weights_are_the_storages_that_are_loaded(torch, saved, name):
    path = saved[0] / name
    loaded = torch.load(path, weights_only=True)
    measured = measure(path)
    assert data_of(measured, "weights") == bytes_loaded(loaded) > 0
    assert set(named(measured, "weights")) - {"(headers)"} == set(loaded)
    assert measured.optimizer == 0


@pytest.mark.parametrize("name", ["protocol_4.pt", "protocol_5.pt"])
def test_newer_protocols_of_pickle_say_the_same(saved, name):
    def sizes(name):
        found = named(measure(saved[0] / name), "weights")
        return {entry: found[entry].note for entry in found}

    assert sizes(name) == sizes("weights.pt")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("tutorial.pt", "optimizer_state_dict"),
        ("tutorial_legacy.pth", "optimizer_state_dict"),
        ("lightning.ckpt", "optimizer_states"),
        ("optimizer.pt", None),
    ],
)
def test_optimizer_state_is_the_storages_that_are_loaded(torch, saved, name, key):
    folder, model, _ = saved
    loaded = torch.load(folder / name, weights_only=True)
    measured = measure(folder / name)
    state = loaded if key is None else loaded[key]
    parameters = sum(p.numel() for p in model.parameters())
    steps = len(list(model.parameters()))
    assert data_of(measured, "optimizer") == bytes_loaded(state)
    assert data_of(measured, "optimizer") == 2 * parameters * 4 + steps * 4


@pytest.mark.parametrize("name", ["tutorial.pt", "lightning.ckpt", "objects.pt"])
def test_state_is_named_by_slot_and_parameter(saved, name):
    folder, model, _ = saved
    found = named(measure(folder / name), "optimizer")
    for parameter, _ in model.named_parameters():
        for slot in ("step", "exp_avg", "exp_avg_sq"):
            assert f"{slot}/{parameter}" in found
    assert not [entry for entry in found if "param " in entry]


def test_state_alone_is_named_by_slot_and_number(saved):
    folder, model, _ = saved
    found = named(measure(folder / "optimizer.pt"), "optimizer")
    numbers = range(len(list(model.parameters())))
    assert {f"exp_avg/param {number}" for number in numbers} <= set(found)


@pytest.mark.parametrize("name", ZIPPED)
def test_headers_and_padding_go_with_their_storage(saved, name):
    """Against `zipfile`: where members start, how large they are."""
    path = saved[0] / name
    measured = measure(path)
    with zipfile.ZipFile(path) as file:
        storages = [i for i in file.infolist() if "/data/" in i.filename]
        least = sum(i.file_size + 76 + 2 * len(i.filename) for i in storages)
        stored = sum(i.file_size for i in storages)
        pickle = file.getinfo(f"{path.stem}/data.pkl").file_size
    sections = ("weights", "optimizer")
    assert sum(int(measured.sections[s]) for s in sections) > least
    # The one tensor of a callback is Lightning's own business.
    callback = 4 if name == "lightning.ckpt" else 0
    assert sum(data_of(measured, s) for s in sections) == stored - callback
    assert data_of(measured, "config") <= pickle
    assert measured.overhead < 1_300


def test_settings_of_a_trainer_are_configuration(saved):
    found = named(measure(saved[0] / "lightning.ckpt"), "config")
    assert {"epoch", "loops", "lr_schedulers", "hyper_parameters"} <= set(found)
    assert "optimizer_states/0/param_groups" in found
    assert found["callbacks/ModelCheckpoint/best_model_score"].size >= 4


def test_an_optimizer_without_state_is_configuration(torch, tmp_path):
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    path = tmp_path / "sgd.pt"
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    measured = measure(path)
    assert measured.optimizer == 0
    assert named(measured, "config")["optimizer"].size > 0


@pytest.mark.parametrize("key", ["callbacks", "anything", "hyper_parameters", "lr_schedulers"])
def test_state_is_found_wherever_it_is(torch, saved, tmp_path, key):
    _, _, optimizer = saved
    path = tmp_path / "hidden.pt"
    torch.save({key: {"mine": [{"kept": optimizer.state_dict()}]}, "w": torch.zeros(3)}, path)
    assert data_of(measure(path), "optimizer") == bytes_loaded(optimizer.state_dict())


def test_a_number_of_steps_is_state(tmp_path):
    state = b"}J\x00\x00\x00\x00" + mapping(step=b"J\x05\x00\x00\x00") + b"s"
    groups = b"]" + mapping(params=b"]J\x00\x00\x00\x00a") + b"a"
    pickled = PROTO + mapping(opt=mapping(state=state, param_groups=groups)) + STOP
    path = tmp_path / "old.pt"
    path.write_bytes(archive(pickled))
    assert named(measure(path), "optimizer")["step/param 0"].size > 0


def test_shared_weights_count_once_and_say_so(saved):
    folder, model, _ = saved
    entry = named(measure(folder / "weights.pt"), "weights")["words.weight"]
    assert entry.size >= model["words"].weight.numel() * 4
    assert entry.note == "float32 7x6, shared with last.weight"


def test_a_view_that_drags_its_storage_along_is_named(torch, tmp_path):
    path = tmp_path / "view.pt"
    whole = torch.zeros(1000, 3)
    torch.save(
        {"head": whole[:2], "column": torch.zeros(10, 10)[:, 0], "all": torch.zeros(4)}, path
    )
    found = named(measure(path), "weights")
    assert found["head"].note == "float32 2x3, waste: 11,976 B of the storage are in no tensor"
    assert found["column"].note == "float32 10, waste: 360 B of the storage are in no tensor"
    assert found["all"].note == "float32 4"


def test_views_that_use_all_of_their_storage_together_waste_nothing(torch, tmp_path):
    path = tmp_path / "views.pt"
    whole = torch.zeros(10, 4)
    torch.save({"a": whole[:5], "b": whole[5:], "a_again": whole[:5]}, path)
    assert named(measure(path), "weights")["a"].note == "float32 5x4, shared with b and 1 more"


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_tensors_of_every_kind_are_counted(torch, tmp_path):
    path = tmp_path / "kinds.pt"
    big = torch.randn(30, 4)
    kinds = {
        "sparse": big.to_sparse(),
        "quantized": torch.quantize_per_tensor(big, 0.1, 0, torch.qint8),
        "bfloat16": big.bfloat16(),
        "complex": big.to(torch.complex64),
        "float8": big.to(torch.float8_e4m3fn),
        "uint16": torch.zeros(4, dtype=torch.uint16),
        "empty": torch.empty(0),
        "parameter": torch.nn.Parameter(big),
        "scalar": torch.tensor(1.0),
        "meta": torch.empty(3, device="meta"),
    }
    torch.save(kinds, path)
    with zipfile.ZipFile(path) as file:
        stored = {i.filename: i.file_size for i in file.infolist() if "/data/" in i.filename}
    measured = measure(path)
    assert data_of(measured, "weights") == sum(stored.values())
    notes = {name: entry.note for name, entry in named(measured, "weights").items()}
    assert notes["float8"] == "float8_e4m3fn 30x4"
    assert notes["uint16"] == "uint16 4"
    assert notes["bfloat16"] == "bfloat16 30x4"


def test_several_models_keep_the_keys_that_tell_them_apart(torch, tmp_path):
    path = tmp_path / "gan.pt"
    models = {name: torch.nn.Linear(2, 3) for name in ("generator", "discriminator")}
    optimizers = {n: torch.optim.Adam(m.parameters()) for n, m in models.items()}
    for name, model in models.items():
        model(torch.zeros(1, 2)).sum().backward()
        optimizers[name].step()
    torch.save(
        {n: m.state_dict() for n, m in models.items()}
        | {f"{n}_optimizer": o.state_dict() for n, o in optimizers.items()},
        path,
    )
    measured = measure(path)
    assert {"generator/weight", "discriminator/weight"} <= set(named(measured, "weights"))
    # Both models have these shapes: which of them the state serves cannot be told.
    assert "generator_optimizer/exp_avg/weight" in named(measured, "optimizer")


def test_a_key_alone_tells_little(torch, tmp_path):
    path = tmp_path / "keys.pt"
    torch.save(
        {
            "opt": {"decoder.weight": torch.zeros(10)},
            "optimizer.weight": torch.zeros(11),
            "optimizer": {"moments": [torch.zeros(12), torch.zeros(13)], "kind": "mine"},
            "rng_state": torch.get_rng_state(),
        },
        path,
    )
    measured = measure(path)
    assert data_of(measured, "weights") == 4 * (10 + 11)
    assert data_of(measured, "optimizer") == 4 * (12 + 13)
    assert named(measured, "config")["rng_state"].size > torch.get_rng_state().numel()


def test_a_storage_that_nothing_speaks_of_is_slack(tmp_path):
    path = tmp_path / "orphan.pt"
    pickled = PROTO + mapping(w=tensor("0", (2,), 2)) + STOP
    path.write_bytes(archive(pickled, {"0": bytes(8), "7": bytes(100)}))
    assert measure(path).section("overhead").of_kind(Kind.SLACK) == 100


def test_bytes_behind_the_pickle_are_slack(tmp_path):
    path = tmp_path / "behind.pt"
    pickled = PROTO + mapping(w=tensor("0", (2,), 2)) + STOP
    path.write_bytes(archive(pickled + bytes(50), {"0": bytes(8)}))
    assert measure(path).section("overhead").of_kind(Kind.SLACK) == 50


def test_a_compressed_archive_is_looked_into(torch, saved, tmp_path):
    path = tmp_path / "deflated.pt"
    with (
        zipfile.ZipFile(saved[0] / "tutorial.pt") as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    measured = measure(path)
    assert measured.total == path.stat().st_size
    found = named(measured, "optimizer")
    assert "exp_avg/first.weight" in found
    assert "compressed, 120 B unpacked" in found["exp_avg/first.weight"].note


def test_a_storage_that_is_missing_or_of_another_size_is_an_error(tmp_path):
    path = tmp_path / "broken.pt"
    pickled = PROTO + mapping(w=tensor("0", (2,), 2)) + STOP
    path.write_bytes(archive(pickled))
    with pytest.raises(ArtifactError, match=r"'model/data/0', which is not there"):
        measure(path)
    path.write_bytes(archive(pickled, {"0": bytes(9)}))
    with pytest.raises(ArtifactError, match=r"8 bytes, but 'model/data/0' has 9"):
        measure(path)


def test_an_archive_of_another_kind_is_none_of_pytorch(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("some/data.pkl", b"\x80\x02K\x01.")
    assert measure(path).format == "zip"


def test_nothing_in_a_pickle_is_executed(tmp_path):
    marker = tmp_path / "executed"
    command = f"touch {marker}".encode()
    evil = b"cos\nsystem\n(X" + len(command).to_bytes(4, "little") + command + b"tR"
    path = tmp_path / "evil.pt"
    path.write_bytes(
        archive(PROTO + mapping(w=tensor("0", (2,), 2), evil=evil) + STOP, {"0": bytes(8)})
    )
    assert measure(path).total == path.stat().st_size
    assert not marker.exists()


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (lambda t: t.chunk(t.rand(10_000), 10), "10 tensors, float32 1000 each"),
        (lambda t: [t.rand(3, n) for n in range(1, 6)], "5 tensors, float32"),
        (lambda t: (t.arange(100), t.tensor(10)), "2 tensors, int64"),
        (lambda t: (t.arange(100), t.rand(3)), "2 tensors"),
        (lambda t: {"history": [t.rand(6, 9) for _ in range(50)]}, "50 tensors, float32 6x9 each"),
        (lambda t: {"one": [t.rand(6, 9)]}, "float32 6x9"),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_an_entry_of_several_tensors_says_how_many(torch, tmp_path, make, note, old):
    path = tmp_path / "several.pt"
    torch.save(make(torch), path, _use_new_zipfile_serialization=not old)
    measured = measure(path)
    assert note in {part.note for part in measured.section("weights").children}
    assert measured.total == path.stat().st_size


@pytest.mark.parametrize("old", [False, True])
def test_arrays_of_numpy_are_weights_with_their_type(torch, tmp_path, old):
    numpy = needs("numpy", "pytorch")
    path = tmp_path / "numpy.pt"
    arrays = {"a": numpy.arange(1000.0), "b": {"c": numpy.zeros((3, 400), "int8")}}
    options = {"_use_new_zipfile_serialization": not old}
    torch.save({**arrays, "hyper_parameters": {"d": numpy.ones(500)}}, path, **options)
    found = named(measure(path), "weights")
    assert found["a"].note.startswith("float64 1000")
    assert found["b/c"].note.startswith("int8 3x400")
    # Protocol 2 has no bytes: they are a text, in which those above 127 take two.
    encoded = {
        n: len(a.tobytes().decode("latin1").encode())
        for n, a in (("a", arrays["a"]), ("b/c", arrays["b"]["c"]))
    }
    assert all(encoded[n] <= found[n].size <= encoded[n] + 400 for n in encoded)
    assert "hyper_parameters/d" in named(measure(path), "config")


def test_random_states_are_configuration_and_bytes_are_opaque(torch, tmp_path):
    numpy = needs("numpy", "pytorch")
    path = tmp_path / "more.pt"
    more = {
        "w": torch.zeros(3),
        "rng_states": {"cpu": torch.get_rng_state(), "cuda": [torch.zeros(16, dtype=torch.uint8)]},
        "mine": torch.get_rng_state(),
        "np": numpy.random.RandomState(0).get_state(),
        "seed_vector": torch.zeros(7),
        "inner": b"\x80" * 5000,
    }
    torch.save(more, path)
    measured = measure(path)
    assert data_of(measured, "weights") == 4 * (3 + 7)
    assert data_of(measured, "config") >= 2 * torch.get_rng_state().numel() + 16 + 624 * 4
    assert measured.section("assets").of_kind(Kind.OPAQUE) >= 5000
