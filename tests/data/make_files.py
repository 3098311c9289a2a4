"""How the artifacts here that no framework wrote were made (onnx 1.23, safetensors 0.8, NumPy 2.4).

    python tests/data/make_files.py

The same dense layer as in make.py, three inputs and two outputs, without state of an optimizer.
"""

import json
import pickle
from pathlib import Path

import numpy as np
import onnx
from safetensors.numpy import save_file

HERE = Path(__file__).parent
WEIGHTS = {
    "head.weight": np.arange(6, dtype="float32").reshape(3, 2),
    "head.bias": np.ones(2, "float32"),
}


def main():
    """Write all artifacts beside this script."""
    save_file(WEIGHTS, HERE / "dense.safetensors", metadata={"format": "np"})
    onnx.save(model(), HERE / "dense.onnx")
    np.savez(HERE / "dense.npz", **WEIGHTS)
    for folder in ("external", "hub", "web"):
        (HERE / folder).mkdir(exist_ok=True)
    data = {"save_as_external_data": True, "size_threshold": 0, "location": "dense.onnx.data"}
    onnx.save(model(), HERE / "external" / "dense.onnx", **data)
    hub(HERE / "hub")
    web(HERE / "web")
    listed = {name: array.tolist() for name, array in WEIGHTS.items()}
    (HERE / "dense.pkl").write_bytes(pickle.dumps(listed, protocol=4))


def model():
    """The layer as a graph."""
    make = onnx.helper
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()]
    graph = make.make_graph(
        [make.make_node("Gemm", ["x", *WEIGHTS], ["y"])],
        "dense",
        [make.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3])],
        [make.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 2])],
        tensors,
    )
    return make.make_model(graph, producer_name="make_files", ir_version=10)


def hub(folder):
    """A folder as transformers saves it, in two shards."""
    shards = {
        f"model-0000{number}-of-00002.safetensors": {name: array}
        for number, (name, array) in enumerate(WEIGHTS.items(), 1)
    }
    for shard, tensors in shards.items():
        save_file(tensors, folder / shard, metadata={"format": "pt"})
    index = {
        "metadata": {"total_size": sum(array.nbytes for array in WEIGHTS.values())},
        "weight_map": {name: shard for shard, tensors in shards.items() for name in tensors},
    }
    texts = {
        "model.safetensors.index.json": json.dumps(index, indent=2),
        "config.json": json.dumps({"architectures": ["Dense"], "hidden_size": 3}, indent=2),
        "tokenizer.json": json.dumps({"model": {"vocab": {"a": 0}}}),
        "README.md": "# A model of the tests\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def web(folder):
    """A folder as TensorFlow.js saves it."""
    entries = [
        {"name": name.replace(".", "/"), "shape": list(array.shape), "dtype": "float32"}
        for name, array in WEIGHTS.items()
    ]
    layer = {"class_name": "Dense", "config": {"name": "head", "units": 2}}
    model = {
        "format": "layers-model",
        "modelTopology": {
            "class_name": "Sequential",
            "config": {"name": "dense", "layers": [layer]},
        },
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": entries}],
    }
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8", newline="\n")
    data = b"".join(array.tobytes() for array in WEIGHTS.values())
    (folder / "group1-shard1of1.bin").write_bytes(data)
    alone = folder.with_name("listed")
    alone.mkdir(exist_ok=True)
    group = {"weights": entries, "paths": ["net-shard1"]}
    (alone / "net-weights_manifest.json").write_text(json.dumps([group]), encoding="utf-8")
    (alone / "net-shard1").write_bytes(data)


if __name__ == "__main__":
    main()
