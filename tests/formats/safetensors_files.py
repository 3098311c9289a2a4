"""safetensors files made by hand."""

import json
import struct


def made(header, data=b"", length=None):
    """A file by hand: ``header`` is JSON text, or what is written as such."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start, end, dtype="U8", shape=None):
    return {
        "dtype": dtype,
        "shape": [end - start] if shape is None else shape,
        "data_offsets": [start, end],
    }


def sharded(folder, **change):
    """Two shards with their index, as transformers writes them."""
    parts = {"a.weight": 0, "a.bias": 0, "b.weight": 1}
    names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    folder.mkdir(exist_ok=True)
    (folder / names[0]).write_bytes(
        made({"a.weight": tensor(0, 9), "a.bias": tensor(9, 11)}, b"\1" * 11)
    )
    (folder / names[1]).write_bytes(made({"b.weight": tensor(0, 5)}, b"\2" * 5))
    index = {
        "metadata": {"total_size": 16},
        "weight_map": {name: names[number] for name, number in parts.items()} | change,
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    return folder / "model.safetensors.index.json"
