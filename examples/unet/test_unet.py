"""One trained network, two budgets: the first is exceeded, the second is held."""

import keras
import numpy as np
import pytest
from unet import build_unet


@pytest.fixture(scope="module")
def model():
    """Return the U-Net after one step of training with Adam."""
    keras.utils.set_random_seed(0)
    model = build_unet()
    model.compile(optimizer="adam", loss="mse")
    random = np.random.default_rng(0)
    coarse, fine = random.random((1, 16, 16, 4)), random.random((1, 32, 32, 3))
    model.train_on_batch([coarse, fine], fine)
    return model


@pytest.mark.max_model_size("2MB")
def test_ships_within_2_mb(model):
    assert model.count_params() == 372_771


@pytest.mark.max_model_size("2MB", include_optimizer=False)
def test_ships_within_2_mb_without_the_optimizer(model):
    assert model.count_params() == 372_771
