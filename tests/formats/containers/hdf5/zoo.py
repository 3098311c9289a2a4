"""Small HDF5 files that between them hold every structure that the library writes.

Each function fills an open file; `write_zoo` runs them all for several generations of the format.
"""

from __future__ import annotations

from contextlib import suppress

GENERATIONS = {
    "old": {},
    "v108": {"libver": ("v108", "v108")},
    "v110": {"libver": ("v110", "v112")},
    "new": {"libver": "latest"},
}


def model(h5py, np, file, layers=12):
    """What Keras writes: nested groups, text attributes, small tensors."""
    file.attrs["model_config"] = '{"config": "' + "x" * 3000 + '"}'
    file.attrs["keras_version"] = "3.15.1"
    weights = file.create_group("model_weights")
    weights.attrs["layer_names"] = [f"dense_{i}" for i in range(layers)]
    for index in range(layers):
        layer = weights.create_group(f"dense_{index}")
        layer.attrs["weight_names"] = np.array([b"kernel", b"bias"])
        layer.create_dataset("kernel", data=np.full((4, index + 1), index, "float32"))
        layer.create_dataset("bias", data=np.zeros(index + 1, "float32"))
    state = file.create_group("optimizer_weights/adam")
    for index in range(layers):
        state.create_dataset(f"velocity_{index}", data=np.zeros((4, index + 1), "float32"))
    state.create_dataset("iteration", data=np.int64(3))


def empty(h5py, np, file):
    """A root group and nothing else."""


def wide(h5py, np, file):
    """A group with so many members that its B-tree has several levels."""
    group = file.create_group("members")
    for index in range(700):
        group.create_dataset(f"member_{index:04d}", data=np.int32(index))


def ordered(h5py, np, file):
    """Creation order is kept, which takes a second index."""
    group = file.create_group("ordered", track_order=True)
    for index in range(40):
        group.create_group(f"g{index}", track_order=True).attrs["n"] = index


def indexes(h5py, np, file):
    """Chunks under every index: none, one, few, many, growing in one and in two dimensions."""
    random = np.random.default_rng(1)
    make = file.create_dataset
    for packed in ({}, {"compression": "gzip", "shuffle": True}, {"fletcher32": True}):
        tag = "_".join(packed) or "plain"
        make(f"single_{tag}", data=random.random((6, 6)), chunks=(6, 6), **packed)
        make(f"fixed_{tag}", data=random.random((40, 6)), chunks=(5, 6), **packed)
        make(
            f"growing_{tag}",
            data=random.random((60, 4)),
            chunks=(1, 4),
            maxshape=(None, 4),
            **packed,
        )
        make(
            f"square_{tag}",
            data=random.random((24, 24)),
            chunks=(4, 4),
            maxshape=(None, None),
            **packed,
        )
    make("fixed_paged", data=np.arange(2500, dtype="int8"), chunks=(1,))
    sparse = make("fixed_sparse", shape=(4000,), chunks=(1,), dtype="int8")
    sparse[3], sparse[3500] = 1, 2
    far = make("growing_far", shape=(40_000,), chunks=(1,), maxshape=(None,), dtype="int8")
    far[2], far[5000], far[39_999] = 1, 2, 3
    make("deep", data=np.zeros((40, 40), "int8"), chunks=(1, 1), maxshape=(None, None))
    make("untouched", shape=(10,), dtype="float32", chunks=(5,))
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((3, 4))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((10, 9))
    h5py.h5d.create(file.id, b"implicit", h5py.h5t.NATIVE_FLOAT, space, early)


def layouts(h5py, np, file):
    """Data that is contiguous, compact, absent, empty, scalar, or has no dataspace."""
    file["contiguous"] = np.arange(100, dtype="int16")
    file["scalar"] = 2.5
    file["null"] = h5py.Empty("float32")
    file.create_dataset("absent", shape=(7,), dtype="float64")
    file.create_dataset("zero", shape=(0, 3), dtype="float64", maxshape=(None, 3))
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((9,))
    h5py.h5d.create(file.id, b"compact", h5py.h5t.NATIVE_INT32, space, compact)
    file["compact"][...] = 7


def texts(h5py, np, file):
    """Values in the global heap: texts, sequences, inside compounds and chunks."""
    string = h5py.string_dtype()
    words = ["ab" * n for n in range(120)]
    file.create_dataset("words", data=words, dtype=string)
    file.create_dataset("packed", data=words, dtype=string, chunks=(20,), compression="gzip")
    file.create_dataset("growing", data=words, dtype=string, chunks=(20,), maxshape=(None,))
    rows = file.create_dataset("rows", (8,), dtype=h5py.vlen_dtype("int16"))
    for index in range(8):
        rows[index] = np.arange(index)
    mixed = np.dtype([("n", "int32"), ("name", string), ("at", "float64", (2,))])
    table = file.create_dataset("table", (5,), dtype=mixed)
    for index in range(5):
        table[index] = (index, f"row {index}", (0.5, 1.5))
    large = file.create_dataset("large", (2,), dtype=string)
    large[0] = "q" * 70_000
    file.attrs["list"] = np.array(["one", "", "three"], dtype=object)
    file.attrs["fixed"] = np.bytes_("fixed")
    file.attrs["nothing"] = h5py.Empty("S4")
    file.attrs["colour"] = np.array([1, 2], dtype=h5py.enum_dtype({"RED": 1, "BLUE": 2}))
    file.attrs["pair"] = np.array([(1, 2.5)], dtype=[("x", "int32"), ("y", "float64")])


def references(h5py, np, file):
    """References to objects and regions, and dimension scales, which are made of them."""
    data = file.create_dataset("data", data=np.arange(50))
    group = file.create_group("group")
    file.attrs["object"] = group.ref
    file.attrs["region"] = data.regionref[3:9]
    regions = file.create_dataset("regions", (3,), dtype=h5py.regionref_dtype)
    regions[0], regions[2] = data.regionref[1:4], data.regionref[::5]
    scale = file.create_dataset("scale", data=np.arange(50))
    scale.make_scale("position")
    data.dims[0].attach_scale(scale)


def links(h5py, np, file):
    """Hard, soft, external and circular links, committed types, and names beyond ASCII."""
    data = file.create_dataset("a/data", data=np.arange(5))
    file["hard"] = data
    file["a/loop"] = file["/"]
    file["soft"] = h5py.SoftLink("/a/data")
    file["dangling"] = h5py.SoftLink("/nothing")
    file["external"] = h5py.ExternalLink("other.h5", "/x")
    file["type"] = np.dtype([("x", "int32"), ("y", "float64")])
    file["type"].attrs["note"] = "on a type"
    file.create_dataset("typed", data=np.zeros(3, file["type"].dtype), dtype=file["type"])
    file["text"] = h5py.string_dtype()
    file.create_dataset("worded", (2,), dtype=file["text"])[0] = "word"
    file.attrs.create("worded", "value", dtype=file["text"])
    file.create_group("größe/模型")


def virtual(h5py, np, file):
    """A dataset that is a view of others."""
    layout = h5py.VirtualLayout((2, 4), "int64")
    for row in range(2):
        layout[row] = h5py.VirtualSource("elsewhere.h5", "x", (4,))
    with suppress(Exception):  # not in the older generations
        file.create_virtual_dataset("view", layout)


def dense(h5py, np, file):
    """So many attributes and links that they move into fractal heaps."""
    for index in range(150):
        file.attrs[f"attribute_{index}"] = "v" * index
    data = file.create_dataset("data", data=np.arange(3))
    for index in range(30):
        data.attrs[f"n{index}"] = np.arange(index)
    group = file.create_group("links")
    for index in range(2500):
        group[f"soft_{index:05d}"] = h5py.SoftLink("/" + "t" * (index % 40))


def huge(h5py, np, file):
    """Attributes too large for a heap's blocks, where the generation allows them."""
    for index in range(4):
        with suppress(Exception):
            file.attrs[f"huge_{index}"] = np.zeros(9000 * (index + 1))


def deleted(h5py, np, file):
    """What deletions leave behind: holes, dead heap objects, orphaned structures."""
    model(h5py, np, file)
    file.flush()
    for index in range(0, 12, 2):
        del file[f"model_weights/dense_{index}"]
    file.attrs["model_config"] = "short"
    file.attrs["gone"] = "x" * 2000
    del file.attrs["gone"]


def continued(h5py, np, file):
    """Attributes added later, which continue headers elsewhere and leave empty messages."""
    names = [f"d{index}" for index in range(4)]
    for name in names:
        file[name] = np.arange(2)
    for turn in range(7):
        for name in names:
            file[name].attrs[f"k{turn}"] = "value" * turn
    for name in names[:2]:
        for turn in range(0, 7, 2):
            del file[name].attrs[f"k{turn}"]


FILLERS = (
    model, empty, wide, ordered, indexes, layouts, texts, references, links, virtual, dense, huge,
    deleted, continued,
)  # fmt: skip


def write_zoo(h5py, np, folder):
    """Write all files into ``folder``; return their paths."""
    paths = []
    for generation, options in GENERATIONS.items():
        for filler in FILLERS:
            paths.append(folder / f"{generation}_{filler.__name__}.h5")
            with h5py.File(paths[-1], "w", **options) as file:
                filler(h5py, np, file)
        paths.append(folder / f"{generation}_userblock.h5")
        with h5py.File(paths[-1], "w", userblock_size=1024, **options) as file:
            model(h5py, np, file, layers=3)
        paths.append(folder / f"{generation}_reopened.h5")
        with h5py.File(paths[-1], "w", **options) as file:
            model(h5py, np, file)
        with h5py.File(paths[-1], "a") as file:
            del file["optimizer_weights"]
            del file["model_weights/dense_3"]
            file.attrs["model_config"] = "y" * 5000
    for strategy in ("fsm", "page", "aggregate", "none"):
        for persist in (False, True):
            path = folder / f"space_{strategy}_{persist}.h5"
            with suppress(Exception):  # not every pair is allowed
                with h5py.File(path, "w", fs_strategy=strategy, fs_persist=persist) as file:
                    model(h5py, np, file)
                with h5py.File(path, "a") as file:
                    del file["model_weights/dense_1"]
                paths.append(path)
    paths.append(folder / "narrow.h5")
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_sizes(4, 4)
    with h5py.File(h5py.h5f.create(str(paths[-1]).encode(), fcpl=creation)) as file:
        model(h5py, np, file)
        file.create_dataset("chunked", data=np.zeros((9, 9)), chunks=(2, 2), maxshape=(None, None))
        file.create_dataset("words", data=["a" * n for n in range(9)], dtype=h5py.string_dtype())
    return paths
