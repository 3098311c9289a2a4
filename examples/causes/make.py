"""Small files with one kind of bloat each, as docs/causes.md shows them."""

import json
import pickle
from pathlib import Path

import h5py
import keras
import numpy as np

TYPES = {"float64": "F64", "float32": "F32", "int8": "I8"}
draw = np.random.default_rng(0)


def weights(*shape, dtype="float32"):
    return draw.standard_normal(shape).astype(dtype)


def save(path, **tensors):
    """Write a ``.safetensors`` file: the header's length, the header, and the tensors."""
    header, at = {}, 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": TYPES[str(tensor.dtype)],
            "shape": tensor.shape,
            "data_offsets": [at, at + tensor.nbytes],
        }
        at += tensor.nbytes
    text = json.dumps(header).encode()
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = b"".join(tensor.tobytes() for tensor in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def named(prefix="", dtype="float32"):
    return {
        f"{prefix}up": weights(64, 256, dtype=dtype),
        f"{prefix}down": weights(256, 32, dtype=dtype),
    }


keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(256), keras.layers.Dense(32)])
model.compile("adam", "mse", run_eagerly=True)
model.train_on_batch(np.ones((2, 64)), np.ones((2, 32)))
model.save("adam.keras")

for step in (100, 200):
    save(f"run/checkpoint-{step}/model.safetensors", **named())

twice = named()
save("hub/model.safetensors", **twice)
save("hub/old/model.safetensors", **twice)
Path("hub/config.json").write_text('{"model_type": "net"}')
Path("hub/training_args.bin").write_bytes(pickle.dumps({"learning_rate": 0.1, "notes": "x" * 4000}))
Path("hub/events.out.tfevents.1700000000.host").write_bytes(bytes(9000))

save("ema.safetensors", **named("net."), **named("ema."))

embedding = weights(500, 32)
save("twice.safetensors", embedding=embedding, head=embedding, body=weights(32, 32))
save("tied.safetensors", embedding=embedding, head=np.ascontiguousarray(embedding.T))
save("double.safetensors", **named(dtype="float64"))
save("half.safetensors", **{k: v.astype("float16").astype("float32") for k, v in named().items()})
save("mixed.safetensors", up=weights(64, 256), down=draw.integers(-9, 9, (256, 128), "int8"))

kept = (draw.random((256, 64)) < 0.2).astype("float32")
save("pruned.safetensors", kernel=weights(256, 64) * kept)
save("masked.safetensors", kernel=weights(256, 64) * kept, kernel_mask=kept)

with h5py.File("gaps.h5", "w") as file:
    file["old"] = weights(200, 200)
    file["kernel"] = weights(100, 100)
with h5py.File("gaps.h5", "a") as file:
    del file["old"]

words = [f"word{number}" for number in range(2000)]
text = keras.layers.TextVectorization(vocabulary=words, name="text")
keras.Sequential([keras.Input((1,), dtype="string"), text], name="listed").save("listed.keras")

inputs = keras.Input((4000,))
keras.Model(inputs, inputs + np.arange(4000) / 7, name="numbers").save("numbers.keras")


class Neighbors:
    """As scikit-learn's estimators do, it keeps what it was fitted on."""

    def fit(self, rows):
        self._fit_X = rows
        return self


with open("neighbors.pkl", "wb") as file:
    pickle.dump(Neighbors().fit(weights(1000, 20)), file)
