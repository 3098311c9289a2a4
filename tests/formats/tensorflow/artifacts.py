"""Models that TensorFlow wrote, and their measurements."""

from pytest_modelsize import Kind

PARAMETERS = 64 * 128 + 128 + 128 * 10 + 10


def trained(keras, np, **options):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    first = (
        layers.Dense(128, name="hidden", input_shape=(64,))
        if options
        else layers.Dense(128, name="hidden")
    )
    start = [] if options else [keras.Input((64,))]
    model = keras.Sequential([*start, first, layers.Dense(10)])
    model.compile(options.get("optimizer", "adam"), "mse", run_eagerly=True)
    model.train_on_batch(np.ones((4, 64), "float32"), np.ones((4, 10), "float32"))
    return model


def bytes_on_disk(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def data_of(measured, section):
    return measured.section(section).of_kind(Kind.DATA)
