"""What is a model among TensorFlow's modules, and which Keras model was never finished."""

from pytest_modelsize.saving.composition import has_numbers, is_half_made


def test_a_module_is_a_model_by_what_it_has_learnt(tf):
    class Module(tf.Module):
        def __init__(self, held):
            super().__init__()
            self.held = [{"it": held}]

    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)
    assert has_numbers(Module(tf.Variable([1])))
    assert has_numbers(Module(tf.constant([1.0])))
    assert has_numbers(Module(Module(tf.Variable(1.0))))
    assert not has_numbers(Module(tf.constant([1, 2])))
    assert not has_numbers(Module(table))
    assert not has_numbers(Module("text"))


def test_a_constructor_that_raised_early_leaves_no_model(tf):
    keras = tf.keras

    class Net(keras.Model):
        def __init__(self, units):
            if units < 0:
                raise ValueError("units")
            super().__init__()
            self.layer = keras.layers.Dense(units)

    assert is_half_made(Net.__new__(Net, -1))
    finished = [Net(1), keras.Sequential(), keras.Sequential([keras.layers.Dense(2)])]
    assert not any(is_half_made(model) for model in finished)
