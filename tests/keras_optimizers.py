"""Optimizers of Keras 3 by their kind, and models that hold them in every way."""

from tests.saving.kinds import OPTIMIZERS


def rate(keras, kind):
    if kind == "schedule":
        return keras.optimizers.schedules.CosineDecay(1e-3, 100)
    return (lambda: 1e-3) if kind == "callable" else 1e-3


def own_optimizer(keras):
    """An optimizer of one's own, whose slots have names of its own."""

    class Wanderer(keras.optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.trails = [self.add_variable_from_reference(v, name="trail") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient * learning_rate)

    return Wanderer


def kinds_of_keras_3(keras):
    """Every optimizer of Keras 3, by name, as a function of the learning rate."""
    found = {}
    for name in OPTIMIZERS:
        if hasattr(keras.optimizers, name):
            found[name] = getattr(keras.optimizers, name)
    sgd, adam = keras.optimizers.SGD, keras.optimizers.Adam
    found["momentum"] = lambda lr: sgd(lr, momentum=0.9)
    found["amsgrad"] = lambda lr: adam(lr, amsgrad=True)
    found["centered"] = lambda lr: keras.optimizers.RMSprop(lr, centered=True, momentum=0.9)
    found["average"] = lambda lr: sgd(lr, use_ema=True)
    found["accumulation"] = lambda lr: adam(lr, gradient_accumulation_steps=2)
    found["loss scale"] = lambda lr: keras.optimizers.LossScaleOptimizer(adam(lr))
    found["loss scale, bare"] = lambda lr: keras.optimizers.LossScaleOptimizer(sgd(lr))
    found["of one's own"] = own_optimizer(keras)
    return found


def dense(keras):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(5), layers.BatchNormalization(), layers.Dense(2)]
    )


class Place:
    """Puts optimizers into a model in one way of holding them."""

    def __init__(self, how):
        self.how = how

    def __call__(self, model, make):
        first = make()
        if self.how == "compiled":
            model.compile(first, "mse")
            return [first]
        if self.how == "nested":
            model.part.inner_trainer = first
            return [first]
        second = make()
        if self.how == "attribute":
            model.wanderer = first
            return [first]
        if self.how == "two":
            model.g_optimizer, model.d_optimizer = first, second
        elif self.how == "list":
            model.helpers = [first, second]
        elif self.how == "dict":
            model.helpers = {"one": first, "two": second}
        elif self.how == "tuple":
            model.helpers = (first, second)
        return [first, second]


def holding(keras, np):
    """A model with parts of its own, as a GAN is one."""

    class Part(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)

        def call(self, x):
            return self.dense(x)

    class Whole(keras.Model):
        def __init__(self):
            super().__init__()
            self.part = Part()
            self.last = keras.layers.Dense(3)

        def call(self, x):
            return self.last(self.part(x))

    model = Whole()
    model(np.ones((1, 6), "float32"))
    return model
