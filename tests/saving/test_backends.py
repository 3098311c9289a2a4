"""Keras 3 on JAX and on PyTorch, in a process that has no TensorFlow.

What `test_saved`, `test_untouched` and the tests of the plugin say of Keras holds on every backend,
and the environments ``jax`` and ``torch`` of tox run them there. Here is what is different.
"""

import importlib.util
import sys

import pytest

from pytest_modelsize.saving import SaveError, save
from tests.needs import skip


@pytest.fixture
def elsewhere(keras):
    """Keras, on another backend than TensorFlow's."""
    if keras.backend.backend() == "tensorflow":
        skip("this is Keras on TensorFlow", "jax", "jax-beside")
    return keras


@pytest.mark.parametrize("include_optimizer", [True, False])
def test_a_checkpoint_of_another_backend_is_refused_with_what_works(
    elsewhere, build, data, tmp_path, include_optimizer
):
    model = build("adam")
    backend = elsewhere.backend.backend()
    wanted = rf'as \.ckpt: .* on the {backend} backend; format="keras", "h5" and "weights" are'
    with pytest.raises(SaveError, match=wanted):
        save(model, tmp_path, format="checkpoint", include_optimizer=include_optimizer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["saved_model", "tflite"])
def test_what_needs_tensorflow_says_so_where_it_is_not_installed(
    elsewhere, build, tmp_path, format
):
    if importlib.util.find_spec("tensorflow"):
        skip("TensorFlow is installed", "jax")
    with pytest.raises(SaveError) as caught:
        save(build("adam"), tmp_path, format=format, include_optimizer=False)
    refused = 'format="keras", "h5" and "weights" are written on every backend'
    missing = "requires the tensorflow module"
    not_imported = "import it in the test, or hold a budget on format="
    assert any(text in str(caught.value) for text in (refused, missing, not_imported))
    assert list(tmp_path.iterdir()) == []


def test_what_jax_exports_for_serving_is_measured_where_tensorflow_is_there_too(
    elsewhere, build, data, tmp_path
):
    if elsewhere.backend.backend() != "jax" or "tensorflow" not in sys.modules:
        skip("no JAX, or no TensorFlow beside it", "jax-beside")
    from pytest_modelsize import measure

    model = build("adam")
    model.fit(*data, verbose=0)
    # TFLite has no form for the random state of JAX, which a dropout keeps.
    plain = elsewhere.Sequential([elsewhere.Input((4,)), elsewhere.layers.Dense(3)])
    plain.compile("adam", "mse")
    for format, saved in (("saved_model", model), ("tflite", plain)):
        copy = save(saved, tmp_path, format=format, include_optimizer=False)
        measured = measure(copy.path)
        assert (measured.format, measured.optimizer, measured.weights > 0) == (format, 0, True)
