"""How the artifacts in this folder were made (TensorFlow 2.21, Keras 3.15, Python 3.11).

    python tests/data/make.py

One dense layer, three inputs and two outputs, is trained for one step with Adam, and saved in every
format. They are carried so that reading is tested where no framework is installed.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent


def main():
    """Write all artifacts beside this script."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="head")])
    model.compile("adam", "mse", run_eagerly=True)
    model.train_on_batch(np.ones((1, 3), "float32"), np.ones((1, 2), "float32"))
    model.save(HERE / "dense.h5")
    model.save(HERE / "dense.keras")
    model.save_weights(HERE / "dense.weights.h5")
    tf.train.Checkpoint(model=model).save(str(HERE / "checkpoint" / "ckpt"))
    tf.saved_model.save(model, str(HERE / "saved"))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (HERE / "dense.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
