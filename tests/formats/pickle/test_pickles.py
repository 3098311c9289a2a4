"""Pickles and joblib's files: followed with symbols, accounted for to the byte, and never loaded."""

import bz2
import gzip
import lzma
import os
import pickle
import pickletools
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.sizes.measurement import Kind
from tests.needs import needs

DATA = Path(__file__).parent.parent.parent / "data"


class Bomb:
    """What runs when it is loaded, as every pickle may."""

    def __reduce__(self):
        return os.abort, ()


class Net:
    """An object of a class of one's own, as an estimator is."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def tensors(measurement, section="weights"):
    """Return what a measurement says of arrays: data bytes and note by path."""
    found = {}
    for path, leaf in measurement.leaves():
        if path[0] == section and leaf.kind is Kind.DATA:
            name = "/".join(part for part in path[1:] if part != "(data)")
            found[name] = leaf.size
    return found


def notes(measurement):
    """Return the notes of all entries by path."""
    found, pending = {}, [((section.name,), section) for section in measurement.tree]
    while pending:
        path, section = pending.pop()
        if section.note:
            found["/".join(path[1:])] = section.note
        pending += [((*path, part.name), part) for part in section.children]
    return found


def opaque(measurement):
    return sum(leaf.size for _, leaf in measurement.leaves() if leaf.kind is Kind.OPAQUE)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_never_loaded_and_every_byte_has_its_place(tmp_path, protocol):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"a": Bomb(), "b": "text" * 500}, protocol))
    measured = measure(path)
    assert (recognise(path), measured.format) == ("pickle", "pickle")
    assert measured.total == measured.config == path.stat().st_size


@pytest.mark.parametrize("protocol", [0, 1])
def test_older_protocols_are_told_by_their_suffix(tmp_path, protocol):
    for name, format in (("m.pkl", "pickle"), ("m.bin", "text" if protocol == 0 else "file")):
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}, protocol))
        assert measure(tmp_path / name).format == format


def test_text_under_that_suffix_is_no_pickle_and_no_model(tmp_path):
    for content in (b"x", b"a text without a stop"):
        (tmp_path / "m.pkl").write_bytes(content)
        assert recognise(tmp_path / "m.pkl") == "placeholder"
        with pytest.raises(ArtifactError, match="plain text and not the model"):
            measure(tmp_path / "m.pkl")
    (tmp_path / "m.pkl").write_bytes(b"\x81\xff")
    assert recognise(tmp_path / "m.pkl") is None
    assert measure(tmp_path / "m.pkl").format == "file"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["m.pkl", "m.bin"])
def test_a_pickle_that_was_cut_off_is_no_model(tmp_path, protocol, name):
    whole = pickle.dumps({"weights": list(range(300)), "name": "m"}, protocol)
    for kept in range(3, len(whole), 41):
        (tmp_path / name).write_bytes(whole[:kept])
        if not whole[:kept].endswith(b"."):
            with pytest.raises(ArtifactError, match="a pickle that was cut off"):
                measure(tmp_path / name)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_pickle_that_was_cut_off_is_no_model(tmp_path, compress):
    whole = compress(pickle.dumps({"weights": list(range(3000))}))
    for kept in range(9, len(whole) - 1, 97):
        (tmp_path / "m.pkl.z").write_bytes(whole[:kept])
        with pytest.raises(ArtifactError, match="a pickle that was cut off"):
            measure(tmp_path / "m.pkl.z")
    (tmp_path / "m.pkl.z").write_bytes(whole)
    assert measure(tmp_path / "m.pkl.z").total == len(whole)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_are_weights_by_attribute_with_type_and_shape(tmp_path, protocol):
    np = needs("numpy")
    step = Net(mean_=np.ones(7, np.float32))
    net = Net(
        coef_=np.arange(600.0).reshape(20, 30),
        layers_=[np.zeros((5, 4), np.int8), np.zeros(6, np.complex64)],
        steps=[("scale", step)],
        nested={"inner": {"table": np.zeros(3, [("a", "<f8"), ("b", "<i4")])}},
        words=np.array(["one", "three"]),
        flag=True,
    )
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(net, protocol))
    measured = measure(path)
    expected = {
        "coef_": 20 * 30 * 8,
        "layers_/0": 5 * 4,
        "layers_/1": 6 * 8,
        "steps/scale/mean_": 7 * 4,
        "nested/inner/table": 3 * 12,
        "words": 2 * 5 * 4,
    }
    if protocol == 2:
        # Bytes are stored as text there, in which those from 128 on take two of them.
        encoded = len(net.coef_.tobytes().decode("latin-1").encode())
        ones = len(step.mean_.tobytes().decode("latin-1").encode())
        expected |= {"coef_": encoded, "steps/scale/mean_": ones}
    assert tensors(measured) == expected
    told = notes(measured)
    assert told["coef_"] == "float64 20x30"
    assert told["layers_/1"] == "complex64 6"
    assert told["nested/inner/table"] == "void12 3"
    assert told["words"] == "str5 2"
    assert opaque(measured) == 0


COMPRESS = {"none": 0, "zlib": 3, "gzip": ("gzip", 3), "bz2": ("bz2", 3), "xz": ("xz", 3),
            "lzma": ("lzma", 3)}  # fmt: skip


@pytest.mark.parametrize("compress", COMPRESS)
def test_what_joblib_writes_has_the_same_sections(tmp_path, compress):
    np = needs("numpy")
    joblib = needs("joblib")
    path = tmp_path / "m.joblib"
    words = np.array(["a", None, "b" * 300], dtype=object)
    held = {"coef_": np.arange(5000.0), "words": words, "name": "m", "last": np.ones((2, 3))}
    joblib.dump(held, path, compress=COMPRESS[compress])
    measured = measure(path)
    assert measured.total == path.stat().st_size
    assert opaque(measured) == 0
    told = notes(measured)
    assert (told["coef_"], told["last"]) == ("float64 5000", "float64 2x3")
    found = tensors(measured)
    if compress == "none":
        assert (found["coef_"], found["last"]) == (5000 * 8, 2 * 3 * 8)
    else:
        assert measured.weights > 0.9 * measured.bytes_on_disk


def packed(name, data):
    return {
        "gzip": gzip.compress, "zlib": zlib.compress, "bz2": bz2.compress, "xz": lzma.compress,
    }[name](data)  # fmt: skip


@pytest.mark.parametrize("compress", ["gzip", "zlib", "bz2", "xz"])
def test_a_pickle_that_is_compressed_as_a_whole_is_opened(tmp_path, compress):
    path = tmp_path / "model.pkl.gz"
    data = pickle.dumps(Net(words={f"w{i}": i for i in range(20_000)}, alpha=0.5))
    path.write_bytes(packed(compress, data))
    measured = measure(path)
    assert measured.total == measured.config == path.stat().st_size
    assert "words" in {"/".join(p[1:]) for p, _ in measured.leaves()}
    assert any(f"{len(data):,d} B unpacked" in note for note in notes(measured).values())


def test_what_cannot_be_unpacked_or_followed_is_opaque_and_says_why(tmp_path):
    data = pickle.dumps({"a": list(range(1000))})
    cases = {
        "lz4.pkl": (b"\x04\x22\x4d\x18" + bytes(50), "lz4 is not unpacked here"),
        "broken.pkl.gz": (gzip.compress(data)[:10] + b"\xff" * 50, "broken"),
        "buffer.pkl": (b"\x80\x05\x97.", "NEXT_BUFFER"),
        "bomb.pkl.gz": (gzip.compress(bytes(2**27)), "unpacks to more than"),
    }
    for name, (content, why) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        measured = measure(path)
        assert opaque(measured) == measured.total == len(content)
        ((_, leaf),) = measured.leaves()
        assert why in leaf.note, name
        assert leaf.note.endswith("never loaded: what is inside is not known")


def test_bytes_of_a_format_of_their_own_are_opaque(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Net(handle=bytes(range(256)) * 4, name="booster")))
    measured = measure(path)
    assert opaque(measured) == 1024
    assert notes(measured)["handle"] == "bytes of a format of their own"


MODELS = {
    "boosted/xgboost.ubj": "xgboost",
    "boosted/xgboost.json": "xgboost",
    "dense.keras": "keras",
    "flax/state.msgpack": "flax",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_in_its_own_format_is_read_in_the_pickle_too(name, tmp_path):
    content, path = (DATA / name).read_bytes(), tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Net(handle=content, name="booster")))
    measured, alone = measure(path), measure(DATA / name)
    assert (measured.format, measured.total) == ("pickle", path.stat().st_size)
    assert opaque(measured) == 0
    for section in ("weights", "optimizer"):
        held, own = measured.section(section), alone.section(section)
        assert held.of_kind(Kind.DATA) == own.of_kind(Kind.DATA), section
    around = measured.total - len(content)
    assert measured.config + measured.weights - alone.config - alone.weights == around
    assert notes(measured)["handle"] == f"a model of the format {MODELS[name]}"


def test_so_is_the_text_of_lightgbms_boosters(tmp_path):
    content, path = (DATA / "boosted/lightgbm.txt").read_bytes(), tmp_path / "model.pkl"
    path.write_bytes(
        pickle.dumps(Net(_handle=content.decode(), note="tree\nversion=" + "x" * 9000))
    )
    measured = measure(path)
    weights = measure(DATA / "boosted/lightgbm.txt").section("weights")
    assert measured.section("weights").of_kind(Kind.DATA) == weights.of_kind(Kind.DATA)
    assert opaque(measured) == 0
    assert notes(measured).keys() >= {"_handle"}
    assert measured.config > 9000  # what only begins like one


def test_a_broken_model_in_a_pickle_is_opaque(tmp_path):
    content, path = (DATA / "boosted/xgboost.ubj").read_bytes()[:-9], tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([Net(handle=content)]))
    assert opaque(measure(path)) == len(content)


def test_state_of_an_optimizer_of_pytorchs_is_told_by_its_structure(tmp_path):
    np = needs("numpy")
    state = {"state": {0: {"exp_avg": np.ones(100)}}, "param_groups": [{"lr": 0.1}]}
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(Net(coef_=np.ones(10), trainer=state)))
    measured = measure(path)
    assert tensors(measured, "optimizer") == {"trainer/state/0/exp_avg": 100 * 8}
    assert tensors(measured) == {"coef_": 10 * 8}


def test_an_array_that_is_held_twice_counts_once(tmp_path):
    np = needs("numpy")
    array = np.ones(1000)
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(Net(first=array, second=array)))
    assert tensors(measure(path)) == {"first": 8000}


def test_pickles_behind_one_another_are_all_opened(tmp_path):
    np = needs("numpy")
    path = tmp_path / "net.pkl"
    with path.open("wb") as file:
        pickle.dump(Net(coef_=np.ones(100)), file)
        pickle.dump(Net(coef_=np.ones(10)), file)
    measured = measure(path)
    assert tensors(measured) == {"coef_": 800, "object 1/coef_": 80}
    path.write_bytes(path.read_bytes() + b"behind")
    assert opaque(measure(path)) == len(b"behind")


def test_in_a_folder_it_keeps_its_path(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "m.pkl").write_bytes(pickle.dumps([1, 2]))
    (path, leaf), = measure(tmp_path).leaves()  # fmt: skip
    assert path[:2] == ("config", "sub/m.pkl")
    assert leaf.size == len(pickle.dumps([1, 2]))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=400),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=VALUES, protocol=st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_whatever_is_pickled_adds_up(tmp_path_factory, value, protocol):
    path = tmp_path_factory.getbasetemp() / "any.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    measured = measure(path)
    assert measured.total == path.stat().st_size
    blobs = [value] if isinstance(value, bytes) else []
    for _, argument, _ in pickletools.genops(path.read_bytes()):
        blobs += [argument] if isinstance(argument, bytes) and len(argument) >= 256 else []
    assert blobs or not opaque(measured)


def test_a_hostile_pickle_takes_little_memory(tmp_path):
    """Containers without end, a quarter of a megabyte of them, in a quarter of 200 MiB."""
    shapes = {
        "lists": b"\x80\x04" + b"]" * 125_000 + b"a" * 124_999 + b".",
        "memo": b"\x80\x04" + b"]\x94" * 100_000 + b"0" * 99_999 + b".",
        "deep": b"\x80\x04" + b"}\x8c\x01a" * 25_000 + b"Ns" + b"s" * 24_999 + b".",
    }
    for name, data in shapes.items():
        path = tmp_path / f"{name}.pkl"
        path.write_bytes(data)
        tracemalloc.start()
        measured = measure(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert measured.total == len(data)
        assert peak < 50 * 2**20, f"{name}: {peak:,d} bytes, and 50 MiB are allowed"
