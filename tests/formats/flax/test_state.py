"""Optimizer state by what it repeats: every optimizer of Optax, any nesting, and false friends."""

import pytest

from pytest_modelsize.formats.flax.state import state_among
from tests.needs import needs


def dense(inputs, outputs):
    return {"kernel": (inputs, outputs), "bias": (outputs,)}


NET = {"Dense_0": dense(3, 7), "Dense_1": dense(7, 7), "Dense_2": dense(7, 2)}
SAME = {"l1": dense(8, 8), "l2": dense(8, 8)}
ONE = dense(3, 3)
STATS = {"norm": {"mean": (7,), "var": (7,)}}


def adam(params=NET):
    """What optax.adam(1e-3).init returns, as Flax writes it."""
    return {"0": {"count": (), "mu": params, "nu": params}, "1": {}}


def momentum(params=NET):
    """The same of optax.sgd(0.1, 0.9)."""
    return {"0": {"trace": params}, "1": {}}


def old(params=NET):
    """What flax.optim.Adam kept, until Flax 0.6."""
    if isinstance(params, tuple):
        return {"grad_ema": params, "grad_sq_ema": params}
    return {key: old(value) for key, value in params.items()}


OLD = {"target": NET, "state": {"step": (), "param_states": old()}}
CASES = {
    "params beside any name": ({"params": NET, "o": adam()}, ["o"]),
    "no known name": ({"p": NET, "o": adam()}, ["o"]),
    "momentum alone": ({"p": NET, "o": momentum()}, ["o"]),
    "a model's variables": ({"net": {"params": NET, "batch_stats": STATS}, "s": momentum()}, ["s"]),
    "two models": (
        {"g": {"params": NET, "opt_state": adam(), "step": ()},
         "d": {"params": ONE, "opt_state": momentum(ONE), "step": ()}},
        ["g/opt_state", "g/step", "d/opt_state", "d/step"],
    ),
    "an average": (
        {"params": NET, "ema_params": NET, "opt_state": adam(), "step": ()}, ["opt_state", "step"],
    ),
    "a target network": (
        {"params": NET, "target_params": NET, "opt_state": adam()}, ["opt_state"],
    ),
    "an average beside the state": (
        {"model": {"params": NET}, "training": {"opt_state": adam(), "ema_params": NET, "step": ()}},
        ["training/opt_state", "training/step"],
    ),
    "below a model": (
        {"model": {"params": NET, "opt_state": adam(), "step": ()}, "lr": ()},
        ["model/opt_state", "model/step"],
    ),
    "params in params": (
        {"params": {"params": NET, "batch_stats": STATS}, "opt_state": adam({"params": NET})},
        ["opt_state"],
    ),
    "of the parameters among the variables": (
        {"variables": {"params": NET, "batch_stats": STATS}, "opt_state": adam()}, ["opt_state"],
    ),
    "in a list": ({"0": NET, "1": adam()}, ["1"]),
    "of one layer": ({"w": ONE, "o": adam(ONE)}, ["o"]),
    "of some parameters": (
        {"params": NET, "lora_params": ONE, "opt_state": adam(ONE)}, ["opt_state"],
    ),
    "agents": (
        {"agent": {"actor": {"params": NET, "tx": momentum()}, "critic": {"params": ONE, "tx": adam(ONE)}}},
        ["agent/actor/tx", "agent/critic/tx"],
    ),
    "by hand": ({"params": NET, "m": NET, "v": NET, "t": ()}, ["m", "v", "t"]),
    "one slot by hand": ({"params": NET, "momentum": NET}, ["momentum"]),
    "flax.optim": (OLD, ["state"]),
    "flax.optim, below a name": (
        {"optimizer": OLD, "model_state": {"batch_stats": STATS}}, ["optimizer/state"],
    ),
    "flax.optim beside an average": (
        {"optimizer": OLD, "ema": {"params": NET}, "teacher_params": NET}, ["optimizer/state"],
    ),
    "the state alone": (adam(), ["0"]),
    "a counter alone": (
        {"params": NET, "opt_state": {"0": {}, "1": {"count": ()}}, "step": ()},
        ["opt_state", "step"],
    ),
    "beside what else a training has": (
        {"params": NET, "opt_state": adam(), "buffer": {"obs": (100, 4)}, "rng": (2,),
         "dynamic_scale": {"scale": (), "fin_steps": ()}},
        ["opt_state"],
    ),
    "layers called like slots, with their state": (
        {"net": {"enc": dense(8, 8), "mu": dense(8, 8)},
         "opt": adam({"enc": dense(8, 8), "mu": dense(8, 8)})},
        ["opt"],
    ),
}  # fmt: skip
FRIENDS = {
    "layers called like slots": {"params": {n: dense(8, 8) for n in ("enc", "mu", "nu", "trace")}},
    "the same without params": {n: dense(8, 8) for n in ("enc", "mu", "nu", "trace")},
    "layers called like optimizers": {
        "params": {n: dense(8, 8) for n in ("enc", "optimizer", "opt_state", "adam")}
    },
    "the same, bare": {n: dense(8, 8) for n in ("enc", "optimizer", "opt_state", "adam")},
    "slots in an optimizer, of layers": {
        "params": {"enc": dense(8, 8), "optimizer": {"mu": dense(8, 8), "nu": dense(8, 8)}}
    },
    "a teacher": {"student": {"params": NET}, "teacher": {"params": NET}},
    "two towers": {"params": {"a": SAME, "b": SAME}},
    "towers, one called like a slot": {"a": SAME, "b": SAME, "mu": SAME},
    "one beside a count": {"encoder": SAME, "mu": SAME, "count": ()},
    "an average": {"params": NET, "ema": {"params": NET, "count": ()}},
    "a counter of no optimizer": {"params": NET, "dropout": {"count": ()}, "step": ()},
    "a counter in a layer": {"params": {"enc": dense(8, 8), "adam": {"count": ()}}},
    "masks": {
        "params": NET,
        "pruned": {"step": (), "masks": {"Dense_0": {"kernel": {"mask": (3, 7)}}}},
    },
    "batch statistics": {"params": NET, "batch_stats": STATS},
}


def flat(tree, path=()):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield (*path, key), tuple(value)


def found_in(tree):
    leaves = dict(flat(tree))
    places = state_among(leaves)
    assert all(places)
    return {path for path in leaves if any(path[:end] in places for end in range(1, len(path) + 1))}


def below(tree, places):
    return {
        path
        for path, _ in flat(tree)
        if any(
            "/".join(path).startswith(f"{place}/") or "/".join(path) == place for place in places
        )
    }


@pytest.mark.parametrize("name", CASES)
def test_state_is_what_repeats_the_parameters_wherever_it_hangs(name):
    tree, places = CASES[name]
    assert found_in(tree) == below(tree, places)


@pytest.mark.parametrize("name", FRIENDS)
def test_what_is_only_called_so_or_only_repeats_others_is_none(name):
    assert found_in(FRIENDS[name]) == set()


OPTIMIZERS = [
    "adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw", "amsgrad", "lamb",
    "lion", "nadam", "novograd", "radam", "rmsprop", "sm3", "yogi", "lars", "fromage", "adan",
]  # fmt: skip
STATELESS = {"fromage"}
KEYS = ["opt_state", "o"]
CONTRIBUTED = ["muon", "prodigy", "schedule_free_adamw"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_each_optimizer_of_optax_is_found(name, key):
    optax, numpy = needs("optax"), needs("numpy", "estimators")
    serialization = needs("flax.serialization")

    def filled(tree):
        return (
            {k: filled(v) for k, v in tree.items()}
            if isinstance(tree, dict)
            else numpy.zeros(tree, "float32")
        )

    def shapes(tree):
        if isinstance(tree, dict):
            return {k: shapes(v) for k, v in tree.items()}
        return numpy.shape(tree)

    params = filled(NET)
    settings = {"min_dim_size_to_factor": 2} if name == "adafactor" else {}
    state = getattr(optax, name)(0.1, **settings).init(params)
    tree = {"params": NET, key: shapes(serialization.to_state_dict(state))}
    large = {path for path in below(tree, [key]) if dict(flat(tree))[path] not in ((), (1,))}
    assert bool(large) == (name not in STATELESS)
    if large:
        assert found_in(tree) == below(tree, [key])


@pytest.mark.parametrize("name", CONTRIBUTED)
def test_so_is_that_of_others_under_a_known_name(name):
    optax, numpy = needs("optax"), needs("numpy", "estimators")
    serialization = needs("flax.serialization")
    params = {
        "a": {"kernel": numpy.ones((4, 4), "float32")},
        "b": {"bias": numpy.ones(4, "float32")},
    }
    state = serialization.to_state_dict(getattr(optax.contrib, name)(0.1).init(params))

    def shapes(tree):
        if isinstance(tree, dict):
            return {k: shapes(v) for k, v in tree.items()}
        return numpy.shape(tree)

    tree = {"params": shapes(params), "opt_state": shapes(state), "step": ()}
    assert found_in(tree) == below(tree, ["opt_state", "step"])
