"""A fully convolutional U-Net with two inputs: 372,771 parameters, 371,415 of them trainable."""

import keras
from keras import layers


def build_unet(height=None, width=None):
    """Return the network for images of any size, or of ``height`` x ``width`` when these are given.

    The first input is (height, width, 4), the second (2 x height, 2 x width, 3).
    """
    coarse = keras.Input((height, width, 4))
    fine = keras.Input((height and 2 * height, width and 2 * width, 3))

    x = layers.GaussianNoise(0.01)(coarse)
    x = skip = _block(x, 32)
    x = _block(x, 32, strides=2)
    x = _block(x, 64)
    x = _block(x, 64)
    x = layers.UpSampling2D()(x)
    x = layers.Concatenate()([x, skip])
    for _ in range(5):
        x = _block(x, 64)
    x = layers.UpSampling2D()(x)
    x = layers.Concatenate()([x, fine])
    for filters in (67, 67, 32):
        x = _block(x, filters)
    return keras.Model([coarse, fine], layers.Conv2D(3, 3, padding="same")(x))


def _block(x, filters, strides=1):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    return layers.GaussianNoise(0.01)(x)
