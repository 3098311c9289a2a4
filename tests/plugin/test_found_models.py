"""Where real tests have their Keras model: with a marker alone, each is found and measured."""

import re

CODE = """
import pickle, tempfile, unittest
import keras, pytest
from conftest import Net, build, train
pytestmark = pytest.mark.max_model_size("1 B")

def helper():
    build()

def test_local():
    net = build()

def test_helper():
    helper()

def test_added_layers():
    net = keras.Sequential(name="net")
    net.add(keras.Input((3,)))
    net.add(keras.layers.Dense(4))
    net.add(keras.layers.Dense(5))
    net.pop()

def test_encoder_of_an_autoencoder():
    x = keras.Input((8,))
    hidden = keras.layers.Dense(4)(x)
    encoder = keras.Model(x, hidden)
    autoencoder = keras.Model(x, keras.layers.Dense(8)(hidden))

def test_submodel_in_a_layer():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    x = keras.Input((3, 4))
    outer = keras.Model(x, keras.layers.TimeDistributed(inner)(x))

def test_saved_elsewhere():
    net = train(build())
    with tempfile.TemporaryDirectory() as folder:
        net.save(folder + "/shipped.keras")

def test_unpickled():
    pickle.loads(pickle.dumps(build()))

def test_in_a_wrapper(trainer):
    pass

def test_that_raises_in_a_constructor():
    with pytest.raises(Exception):
        keras.Sequential([build(), 5])
    net = build()
"""
FOUND = {
    "test_local": ["net.keras"],
    "test_helper": ["Sequential.keras"],
    "test_added_layers": ["net.keras"],
    "test_encoder_of_an_autoencoder": ["autoencoder.keras"],
    "test_submodel_in_a_layer": ["outer.keras"],
    "test_saved_elsewhere": ["shipped.keras"],
    "test_in_a_wrapper": ["trainer.inner.keras"],
}


def test_a_marker_alone_finds_the_model(project, keras):
    result = project.run_code(CODE)
    result.assert_outcomes(failed=9)
    output = result.stdout.str()
    assert "budget not checked" not in output
    for test, names in FOUND.items():
        part = output.partition(f"_ {test} _")[2].partition("\n__")[0]
        headlines = [line for line in part.splitlines() if re.match(r"\S+ \S+ k?M?B > 1 B", line)]
        assert [line.partition(" ")[0] for line in headlines] == names, test
        assert "the budget is for each" not in part, test
