"""What only looks like optimizer state is weights; and state that hides under other names is found.

Each is written by Keras, TensorFlow or h5py; what is which is known from the model.
"""

import json

import pytest

from pytest_modelsize import Kind, measure
from tests.needs import needs


def state_in(path):
    return measure(path).section("optimizer").of_kind(Kind.DATA)


# ------------------------------------------------------------------ weights files

STEP, RATE, MATRIX, VECTOR = ("i4", ()), ("f4", ()), ("f4", (64, 64)), ("f4", (64,))
TALL, SMALL, LONG = ("f4", (64, 32)), ("f4", (32, 16)), ("i8", ())
DENSE = {
    "layers/dense/vars/0": MATRIX, "layers/dense/vars/1": VECTOR,
    "layers/dense_1/vars/0": TALL, "layers/dense_2/vars/0": SMALL,
}  # fmt: skip
FRIENDS = {
    "a layer with a step and a temperature": {
        "layers/gumbel/vars/0": STEP, "layers/gumbel/vars/1": RATE, "layers/gumbel/vars/2": MATRIX,
    },
    "the same as an attribute": {"gumbel/vars/0": STEP, "gumbel/vars/1": RATE, "gumbel/vars/2": MATRIX},
    "with a matrix that no other layer has": {
        "gumbel/vars/0": STEP, "gumbel/vars/1": RATE, "gumbel/vars/2": ("f4", (7, 64)),
    },
    "a step and a temperature alone": {"gumbel/vars/0": STEP, "gumbel/vars/1": RATE},
    "a codebook and its averages": {
        "quantizer/vars/0": STEP, "quantizer/vars/1": ("f4", (512,)),
        "quantizer/vars/2": ("f4", (512, 64)), "quantizer/vars/3": ("f4", (512, 64)),
    },
    "a layer called optimizer": {"layers/optimizer/vars/0": MATRIX, "layers/optimizer/vars/1": VECTOR},
    "an attribute called optimizer": {"optimizer/vars/0": MATRIX, "optimizer/vars/1": VECTOR},
    "with layers inside": {"optimizer/dense/vars/0": MATRIX, "optimizer/dense/vars/1": VECTOR},
    "a layer called adam": {"adam/vars/0": MATRIX, "adam/vars/1": VECTOR},
    "a layer called momentum that counts": {
        "layers/momentum/vars/0": STEP, "layers/momentum/vars/1": MATRIX, "layers/momentum/vars/2": VECTOR,
    },
    "a random state": {"seed_generator/vars/0": ("u4", (2,))},
    "a twin of the layer": {"twin/vars/0": MATRIX, "twin/vars/1": VECTOR},
    "averages of a layer": {"averages/vars/0": LONG, "averages/vars/1": MATRIX, "averages/vars/2": VECTOR},
    "a normalization that counts": {
        "layers/norm/vars/0": VECTOR, "layers/norm/vars/1": VECTOR, "layers/norm/vars/2": STEP,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FRIENDS)
def test_what_looks_like_state_in_a_weights_file_is_weights(h5py, np, tmp_path, name):
    path = tmp_path / "m.weights.h5"
    datasets = {**DENSE, **FRIENDS[name]}
    with h5py.File(path, "w") as file:
        for place, (dtype, shape) in datasets.items():
            file[place] = np.zeros(shape, dtype)
    measured = measure(path)
    assert measured.optimizer == 0
    expected = sum(np.zeros(shape, dtype).nbytes for dtype, shape in datasets.values())
    assert measured.section("weights").of_kind(Kind.DATA) == expected


HIDDEN = {
    "kernels alone": {
        "helper/vars/0": LONG, "helper/vars/1": RATE, "helper/vars/2": MATRIX, "helper/vars/3": TALL,
        "helper/vars/4": SMALL,
    },
    "four bits since": {
        "packed/vars/0": ("i1", (64, 8)), "packed/vars/1": ("f4", (16,)), "packed/vars/2": ("f4", (1, 16)),
        "helper/vars/0": LONG, "helper/vars/1": RATE, "helper/vars/2": ("f4", (64, 16)),
        "helper/vars/3": ("f4", (16,)), "helper/vars/4": MATRIX, "helper/vars/5": VECTOR,
    },
    "a kernel that was packed since": {
        "g_optimizer/vars/0": LONG, "g_optimizer/vars/1": RATE, "g_optimizer/vars/2": ("f4", (128, 64)),
        "g_optimizer/vars/3": VECTOR,
    },
    "a schedule": {"optimizer/vars/0": LONG, "optimizer/vars/1": MATRIX, "optimizer/vars/2": VECTOR},
    "a name of one's own": {"helper/vars/0": STEP, "helper/vars/1": MATRIX, "helper/vars/2": VECTOR},
    "in a list": {"parts/mine_1/vars/0": STEP, "parts/mine_1/vars/1": MATRIX, "parts/mine_1/vars/2": VECTOR},
    "inside a layer": {
        "layers/gan/trainer/vars/0": STEP, "layers/gan/trainer/vars/1": RATE,
        "layers/gan/trainer/vars/2": MATRIX, "layers/gan/trainer/vars/3": VECTOR,
    },
    "rows and columns": {
        "g_optimizer/vars/0": LONG, "g_optimizer/vars/1": VECTOR, "g_optimizer/vars/2": VECTOR,
        "g_optimizer/vars/3": MATRIX, "g_optimizer/vars/4": RATE, "g_optimizer/vars/5": RATE,
        "g_optimizer/vars/6": VECTOR,
    },
    "counters alone": {"d_optimizer/vars/0": LONG, "d_optimizer/vars/1": RATE},
    "one that scales the loss": {
        "mine/vars/0": LONG, "mine/vars/1": RATE, "mine/vars/2": STEP, "mine/vars/3": RATE,
        "mine/inner_optimizer/vars/0": LONG, "mine/inner_optimizer/vars/1": MATRIX,
        "mine/inner_optimizer/vars/2": VECTOR,
    },
}  # fmt: skip


def state_of(np, hidden):
    """Return the bytes of all that is added in a case, but for a layer that was packed."""
    slots = (what for place, what in hidden.items() if not place.startswith("packed"))
    return sum(np.zeros(shape, dtype).nbytes for dtype, shape in slots)


@pytest.mark.parametrize("name", HIDDEN)
def test_state_in_a_weights_file_is_found_whatever_holds_it(h5py, np, tmp_path, name):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        for place, (dtype, shape) in {**DENSE, **HIDDEN[name]}.items():
            file[place] = np.zeros(shape, dtype)
    expected = state_of(np, HIDDEN[name])
    assert state_in(path) == expected


@pytest.mark.parametrize("name", [*FRIENDS, *HIDDEN])
def test_shards_are_told_together(h5py, np, tmp_path, name):
    """Each variable is in a file of its own."""
    shards = {}
    for number, place in enumerate(whole := {**DENSE, **{**FRIENDS, **HIDDEN}[name]}):
        shards[place] = f"m_{number:05d}.weights.h5"
        with h5py.File(tmp_path / shards[place], "w") as file:
            file[place] = np.zeros(whole[place][1], whole[place][0])
    groups = {f"/{place.rpartition('/')[0]}" for place in whole}
    weight_map = {g: [s for p, s in shards.items() if p.startswith(g[1:])] for g in groups}
    (tmp_path / "m.weights.json").write_text(json.dumps({"weight_map": weight_map}))
    expected = state_of(np, HIDDEN.get(name, {}))
    assert state_in(tmp_path) == expected


def test_a_layer_of_weights_alone_may_be_called_optimizer_weights(h5py, np, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["layer_names"] = [b"optimizer_weights"]
        file["optimizer_weights/kernel"] = np.zeros((8, 8), "f4")
    assert state_in(tmp_path / "m.h5") == 0


def test_hdf5_of_no_known_layout_is_opaque_but_slots_are_told_by_names_and_shapes(
    h5py, np, tmp_path
):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["net/kernel"] = np.zeros((8, 8), "f4")
        file["net/kernel_adam_m"] = np.zeros((8, 8), "f4")
    measured = measure(tmp_path / "m.h5")
    assert measured.section("optimizer").of_kind(Kind.OPAQUE) == 256
    assert measured.section("weights").of_kind(Kind.OPAQUE) == 256


# ------------------------------------------------------------ checkpoints of TensorFlow 1

W = {"bert/kernel": (8, 4), "bert/bias": (4,), "out/kernel": (4, 2)}
SLOTS = {
    "Adam": ["{}/Adam", "{}/Adam_1"], "BERT": ["{}/adam_m", "{}/adam_v"], "LAMB": ["{}/lamb_m", "{}/lamb_v"],
    "momentum": ["{}/Momentum"], "RMSProp": ["{}/RMSProp", "{}/RMSProp_1"], "Ftrl": ["{}/Ftrl", "{}/Ftrl_1"],
    "Adagrad": ["{}/Adagrad"], "averages": ["{}/ExponentialMovingAverage"], "LARS": ["{}/LARSOptimizer"],
    "in a scope": ["train/{}/Adam", "train/{}/Adam_1"], "names of one's own": ["{}/first", "{}/second"],
    "Keras' legacy": ["Adam/{}/m", "Adam/{}/v"], "Keras 2": ["Adam/m/{}", "Adam/v/{}"],
    "names of one's own in a scope": ["train/{}/first", "train/{}/second"],
    "a known name in a scope": ["train/{}/ProximalAdagrad"],
    "Mesh": ["{}_slot_m", "{}_slot_v"], "of a whole scope": ["training/Adam/{}/m"],
}  # fmt: skip


def save_by_name(tf, folder, shapes):
    v1 = tf.compat.v1
    (folder / "ck").mkdir()
    with tf.Graph().as_default(), v1.Session() as session:
        for name, shape in shapes.items():
            v1.get_variable(name, shape=shape, initializer=v1.zeros_initializer())
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "ck" / "m"), write_meta_graph=False)
    return folder / "ck"


def nbytes(shapes):
    import math

    return sum(4 * math.prod(shape) for shape in shapes.values())


@pytest.mark.parametrize("name", SLOTS)
def test_slots_of_tensorflow_1_are_told_by_name_and_shape(tf, tmp_path, name):
    slots = {pattern.format(key): shape for key, shape in W.items() for pattern in SLOTS[name]}
    powers = {"beta1_power": (), "beta2_power": ()} if name == "Adam" else {}
    folder = save_by_name(tf, tmp_path, {**W, **slots, **powers})
    assert state_in(folder) == nbytes(slots) + nbytes(powers)


def test_slots_of_some_variables_are_told_by_the_numbers_of_the_second_ones(tf, tmp_path):
    net = {f"layer_{number}/kernel": (4, 4) for number in range(6)} | W
    slots = {f"{key}/trainer{n}": W[key] for key in ("out/kernel", "bert/bias") for n in ("", "_1")}
    assert state_in(save_by_name(tf, tmp_path, {**net, **slots})) == nbytes(slots)


def test_adafactor_s_rows_and_columns_are_slots(tf, tmp_path):
    slots = {"bert/kernel/Adafactor": (8,), "bert/kernel/Adafactor_1": (4,)}
    slots.update({"out/kernel_slot_vr": (4,), "out/kernel_slot_vc": (2,)})
    assert state_in(save_by_name(tf, tmp_path, {**W, **slots})) == nbytes(slots)


ALIKE = {
    "a scope called adam": {"adam/kernel": (8, 4), "adam/bias": (4,)},
    "a scope called momentum": {"momentum/bert/kernel": (8, 4)},
    "masks of pruned kernels": {"bert/kernel/mask": (8, 4), "out/kernel/mask": (4, 2)},
    "masks of a tower": {"tower/bert/kernel/mask": (8, 4), "tower/out/kernel/mask": (4, 2)},
    "numbered variables": {"w": (8, 4), "w_1": (8, 4), "w_2": (8, 4)},
    "gates": {"u": (8, 4), "u_r": (8, 4), "u_c": (8, 4)},
    "another shape": {"bert/kernel/Adam": (3, 3)},
    "a step": {"global_step": (), "temperature": ()},
    "beta1_power without slots": {"beta1_power": ()},
    "a teacher": {"teacher/bert/kernel": (8, 4), "teacher/bert/bias": (4,), "teacher/out/kernel": (4, 2)},
    "a variable that is a scope": {"bert/kernel/query": (8, 4)},
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_what_is_called_alike_in_tensorflow_1_is_weights(tf, tmp_path, name):
    assert state_in(save_by_name(tf, tmp_path, {**W, **ALIKE[name]})) == 0


def test_slices_of_a_variable_go_where_it_goes(tf, tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        parts = v1.fixed_size_partitioner(3)
        for name in ("emb", "emb/Adam"):
            v1.get_variable(
                name, shape=(9, 4), partitioner=parts, initializer=v1.zeros_initializer()
            )
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "ck" / "m"), write_meta_graph=False)
    measured = measure(tmp_path / "ck")
    assert measured.section("optimizer").of_kind(Kind.DATA) == 9 * 4 * 4
    assert measured.section("weights").of_kind(Kind.DATA) == 9 * 4 * 4
    notes = {part.name: part.note for part in measured.section("weights").children}
    assert notes == {"emb": "float32 9x4, 3 slices"}


# ------------------------------------------------------- checkpoints with an object graph


def module(tf, **attributes):
    found = tf.Module()
    for name, value in attributes.items():
        setattr(found, name, value)
    return found


def dense(tf, rows=6, columns=4):
    return module(
        tf, kernel=tf.Variable(tf.zeros((rows, columns))), bias=tf.Variable(tf.zeros((columns,)))
    )


def zeros_like(tf, net):
    return [tf.Variable(tf.zeros(v.shape)) for v in net.trainable_variables]


def counter(tf):
    return tf.Variable(0, dtype=tf.int64)


def weights_alone(tf):
    """What repeats shapes or counts, and is no optimizer."""
    net = dense(tf)
    yield "a teacher", {"net": net, "teacher": dense(tf)}
    yield (
        "a target network that counts",
        {"net": net, "target": module(tf, net=dense(tf), step=counter(tf))},
    )
    yield (
        "a layer that counts",
        {
            "net": net,
            "gumbel": module(
                tf, step=counter(tf), t=tf.Variable(0.5), w=tf.Variable(tf.zeros((6, 4)))
            ),
        },
    )
    yield "called optimizer", {"net": net, "optimizer": dense(tf)}
    yield "called adam, with m and v", {"net": net, "adam": module(tf, m=dense(tf), v=dense(tf, 5))}
    yield (
        "called momentum",
        {"net": net, "momentum": module(tf, kernel=tf.Variable(tf.zeros((6, 4))))},
    )
    yield "an ensemble in a list", {"nets": [dense(tf) for _ in range(3)]}
    yield (
        "lists of weights",
        {"net": net, "heads": [tf.Variable(tf.zeros((6, 4))) for _ in range(3)]},
    )
    tied = module(tf, tied=[net.kernel], bias=tf.Variable(tf.zeros((9,))), step=counter(tf))
    yield "a layer that shares a kernel", {"net": net, "tied": tied}
    net.kernel = tf.Variable(tf.zeros((6, 4)), name="kernel")
    mask = module(tf, x=tf.Variable(tf.zeros((6, 4)), name="kernel/mask"))
    yield "a mask", {"net": net, "mask": mask}
    average = module(tf, source=net, copy=dense(tf), step=counter(tf))
    yield "a copy that knows its source", {"net": net, "average": average}
    yield "a trainer around all", {"trainer": module(tf, net=net, step=counter(tf), twin=dense(tf))}
    averages = module(
        tf,
        _counter=counter(tf),
        hidden=tf.Variable(tf.zeros((4,))),
        average=tf.Variable(tf.zeros((4,))),
    )
    yield (
        "moving averages of a normalization",
        {"net": net, "norm": module(tf, mean=averages, scale=tf.Variable(tf.zeros((4,))))},
    )


def more_weights_alone(tf):
    """Layers whose variables are called as those of optimizers."""
    net = dense(tf)
    scalar = tf.Variable(0.1)
    yield (
        "a layer with an iteration, a rate and m and v",
        {
            "net": net,
            "layer": module(
                tf,
                iteration=counter(tf),
                learning_rate=scalar,
                m=tf.Variable(tf.zeros((6, 4))),
                v=tf.Variable(tf.zeros((4,))),
            ),
        },
    )
    yield (
        "a layer of averages that counts",
        {"net": net, "layer": module(tf, averages=zeros_like(tf, net), step=counter(tf))},
    )
    yield (
        "shadows",
        {"net": net, "layer": module(tf, ema_shadow=zeros_like(tf, net), step=counter(tf))},
    )


def optimizers_of_ones_own(tf):
    """Optimizers of no framework, with the bytes of their state."""
    net = dense(tf)
    size = (6 * 4 + 4) * 4
    m = zeros_like(tf, net)
    yield (
        "lists and references",
        {"net": net, "opt": module(tf, of=list(net.trainable_variables), a=m, t=counter(tf))},
        size + 8,
    )
    net = dense(tf)
    yield (
        "no counter",
        {"net": net, "opt": module(tf, of=list(net.trainable_variables), a=zeros_like(tf, net))},
        size,
    )
    net = dense(tf)
    yield (
        "two lists and a counter",
        {
            "net": net,
            "helper": module(tf, a=zeros_like(tf, net), b=zeros_like(tf, net), t=counter(tf)),
        },
        2 * size + 8,
    )
    net = dense(tf)
    yield (
        "Sonnet's momentum",
        {"net": net, "helper": module(tf, accumulated_momentum=zeros_like(tf, net))},
        size,
    )
    net = dense(tf)
    both = module(tf, m=zeros_like(tf, net), v=zeros_like(tf, net), step=counter(tf))
    yield "in a tuple", {"net": net, "helpers": (both,)}, 2 * size + 8
    net = dense(tf)
    both = module(tf, m=zeros_like(tf, net), v=zeros_like(tf, net), step=counter(tf))
    yield "in a dictionary", {"net": net, "helpers": {"one": both}}, 2 * size + 8
    net = dense(tf)
    slots = {"kernel": tf.Variable(tf.zeros((6, 4))), "bias": tf.Variable(tf.zeros((4,)))}
    yield (
        "dictionaries of slots",
        {"net": net, "helper": module(tf, momentum=slots, step=counter(tf))},
        size + 8,
    )
    net = dense(tf)
    trainer = module(
        tf, net=net, m=zeros_like(tf, net), v=zeros_like(tf, net), step=tf.Variable(0.0)
    )
    yield "kept by the trainer itself", {"trainer": trainer}, 2 * size
    net = dense(tf)
    named = [
        tf.Variable(tf.zeros((6, 4)), name="kernel/trace"),
        tf.Variable(tf.zeros((4,)), name="bias/trace"),
    ]
    net.kernel, net.bias = (
        tf.Variable(tf.zeros(s), name=n) for s, n in (((6, 4), "kernel"), ((4,), "bias"))
    )
    yield "names made from others", {"net": net, "helper": module(tf, x=named[0], y=named[1])}, size


def cases(make):
    tf = needs("tensorflow")
    return {name: rest for name, *rest in make(tf)}


FRIENDLY = (
    "a teacher", "a target network that counts", "a layer that counts", "called optimizer",
    "called adam, with m and v", "called momentum", "an ensemble in a list", "lists of weights",
    "a mask", "a layer that shares a kernel", "a copy that knows its source", "a trainer around all",
    "moving averages of a normalization",
)  # fmt: skip
CALLED_ALIKE = (
    "a layer with an iteration, a rate and m and v", "a layer of averages that counts", "shadows",
)  # fmt: skip
OWN = (
    "lists and references", "no counter", "two lists and a counter", "Sonnet's momentum",
    "in a tuple", "in a dictionary", "dictionaries of slots", "kept by the trainer itself",
    "names made from others",
)  # fmt: skip


@pytest.mark.parametrize("name", [*FRIENDLY, *CALLED_ALIKE])
def test_what_looks_like_state_in_an_object_graph_is_weights(tf, tmp_path, name):
    make = more_weights_alone if name in CALLED_ALIKE else weights_alone
    (held,) = cases(make)[name]
    tf.train.Checkpoint(**held).write(str(tmp_path / "m"))
    assert state_in(tmp_path / "m") == 0


@pytest.mark.parametrize("name", OWN)
def test_an_optimizer_of_one_s_own_is_found_in_an_object_graph(tf, tmp_path, name):
    held, size = cases(optimizers_of_ones_own)[name]
    tf.train.Checkpoint(**held).write(str(tmp_path / "m"))
    assert state_in(tmp_path / "m") == size


@pytest.mark.parametrize("name", ["AdamOptimizer", "MomentumOptimizer", "FtrlOptimizer"])
def test_an_optimizer_of_tensorflow_1_is_found_in_an_object_graph(tf, tmp_path, name):
    net = dense(tf)
    arguments = (0.1, 0.9) if name == "MomentumOptimizer" else (0.1,)
    optimizer = getattr(tf.compat.v1.train, name)(*arguments)
    zeros = [tf.zeros_like(v) for v in net.trainable_variables]
    optimizer.apply_gradients(zip(zeros, net.trainable_variables, strict=True))
    size = sum(int(tf.size(v)) * v.dtype.size for v in optimizer.variables())
    tf.train.Checkpoint(net=net, mine=optimizer).write(str(tmp_path / "m"))
    assert state_in(tmp_path / "m") == size > 0
