"""The state of a model and of its optimizers, to be compared."""

from tests.needs import needs


def optimizers_of(model):
    if hasattr(model, "g_optimizer"):
        return [model.g_optimizer, model.d_optimizer, model.spare[0], model.named["lion"]]
    return [model.optimizer]


def state_of(model):
    variables = [*model.variables, *(v for o in optimizers_of(model) for v in o.variables)]
    return [variable.numpy() for variable in variables]


def snapshot(model):
    """What must be the same objects, and equal values, after a save."""
    np = needs("numpy")
    return {
        "objects": [*map(id, optimizers_of(model)), id(model.train_function)],
        "metrics": list(map(id, model.metrics)),
        "config": model.get_compile_config(),
        "attributes": sorted(vars(model)),
        "iterations": [int(np.asarray(o.iterations)) for o in optimizers_of(model)],
    }


def fit(keras, model, data):
    keras.utils.set_random_seed(11)
    model.fit(*data, epochs=2, batch_size=4, verbose=0, shuffle=False)
