"""Models with every way of keeping an optimizer, each built twice alike from one seed."""

import pytest


@pytest.fixture(scope="session")
def zoo(keras, np):
    """Builders of small compiled models by name; each takes a seed's model once more."""
    layers, optimizers = keras.layers, keras.optimizers

    def small():
        return keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(5, "relu", name="hidden"),
                layers.BatchNormalization(),
                layers.Dropout(0.5),
                layers.Dense(2),
            ]
        )

    def compiled(optimizer, model=None):
        model = model or small()
        model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=True)
        return model

    def nested():
        inner = small()
        return keras.Sequential([keras.Input((6,)), layers.Dense(6), inner, layers.Dense(2)])

    def shared():
        dense = layers.Dense(6)
        start = keras.Input((6,))
        return keras.Model(start, layers.Dense(2)(dense(dense(start))))

    @keras.saving.register_keras_serializable("zoo")
    class Subclassed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.first = layers.Dense(4)
            self.last = layers.Dense(2)

        def call(self, inputs):
            return self.last(self.first(inputs))

    @keras.saving.register_keras_serializable("zoo")
    class Gan(keras.Model):
        """Two optimizers as attributes, more in a list and a dictionary."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.generator = keras.Sequential([layers.Dense(2)])
            self.critic = keras.Sequential([layers.Dense(1)])

        def compile(self, **kwargs):
            super().compile(**kwargs)
            self.g_optimizer = optimizers.Adam()
            self.d_optimizer = optimizers.SGD(momentum=0.9)
            self.spare = [optimizers.RMSprop()]
            self.named = {"lion": optimizers.Lion()}

        def call(self, inputs):
            return self.critic(self.generator(inputs))

        def pairs(self):
            return (
                (self.generator, self.g_optimizer),
                (self.critic, self.d_optimizer),
                (self.critic, self.spare[0]),
                (self.generator, self.named["lion"]),
            )

        def fit(self, *data, **options):
            """Train; but on other backends than TensorFlow, where steps are written otherwise, move
            each optimizer by gradients that are made up."""
            if keras.backend.backend() == "tensorflow":
                return super().fit(*data, **options)
            for part, optimizer in self.pairs():
                variables = part.trainable_variables
                optimizer.apply([variable.value * 0.5 for variable in variables], variables)
            return None

        def train_step(self, data):
            import tensorflow as tf

            inputs, targets = data
            for part, optimizer in self.pairs():
                with tf.GradientTape() as tape:
                    outputs = self(inputs, training=True)
                    loss = tf.reduce_mean((outputs - targets[:, :1]) ** 2)
                variables = part.trainable_variables
                optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    def gan():
        model = Gan()
        model(np.zeros((1, 6), "float32"))
        model.compile(loss="mse", run_eagerly=True)
        model.g_optimizer.build(model.generator.trainable_variables)
        model.named["lion"].build(model.generator.trainable_variables)
        model.d_optimizer.build(model.critic.trainable_variables)
        model.spare[0].build(model.critic.trainable_variables)
        return model

    def pair():
        """Two optimizers, each an attribute."""
        model = Subclassed()
        model(np.zeros((1, 6), "float32"))
        model.g_optimizer, model.d_optimizer = optimizers.Adam(), optimizers.RMSprop()
        model.g_optimizer.build(model.first.trainable_variables)
        model.d_optimizer.build(model.last.trainable_variables)
        return model

    return {
        "pair": pair,
        "adam": lambda: compiled(optimizers.Adam()),
        "momentum": lambda: compiled(optimizers.SGD(0.01, momentum=0.9)),
        "rmsprop": lambda: compiled(optimizers.RMSprop()),
        "adafactor": lambda: compiled(optimizers.Adafactor()),
        "ema": lambda: compiled(optimizers.AdamW(use_ema=True)),
        "accumulation": lambda: compiled(optimizers.Adam(gradient_accumulation_steps=2)),
        "loss_scale": lambda: compiled(optimizers.LossScaleOptimizer(optimizers.Adam())),
        "schedule": lambda: compiled(
            optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))
        ),
        "nested": lambda: compiled(optimizers.Adam(), nested()),
        "shared": lambda: compiled(optimizers.Adam(), shared()),
        "subclassed": lambda: compiled(optimizers.Adam(), Subclassed()),
        "gan": gan,
        "uncompiled": small,
    }


@pytest.fixture
def build(keras, zoo):
    """Build a model by name, the same one each time."""

    def build(name):
        keras.utils.clear_session()
        keras.utils.set_random_seed(7)
        return zoo[name]()

    return build


@pytest.fixture
def data(np):
    random = np.random.default_rng(0)
    return random.random((8, 6), "float32"), random.random((8, 2), "float32")
