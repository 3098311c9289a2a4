"""How the ExecuTorch files here were made, and what ExecuTorch says of them (executorch 1.5.1).

    python tests/data/make_executorch.py

oracle.json has, for each file, the tensors of the program as ExecuTorch reads it back: type, shape,
and the bytes of their elements.
"""

import json
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import ExecutorchBackendConfig, to_edge, to_edge_transform_and_lower
from executorch.exir._serialize._flatbuffer_program import _program_to_flatbuffer
from executorch.exir._serialize._program import deserialize_pte_binary
from executorch.exir.passes.init_mutable_pass import InitializedMutableBufferPass
from executorch.exir.schema import ScalarType, Tensor, TensorDataLocation
from torch.export import export

HERE = Path(__file__).parent / "executorch"
SIZES = {ScalarType.FLOAT: 4, ScalarType.LONG: 8}


class Dense(torch.nn.Module):
    """The layer of the other files here."""

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 2)
        self.head.weight.data = torch.arange(6, dtype=torch.float32).reshape(2, 3)
        self.head.bias.data = torch.ones(2)

    def forward(self, x):
        """Apply it."""
        return self.head(x)


class Convolved(torch.nn.Module):
    """A layer for a backend, a constant that stays, and a buffer that changes."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.head = torch.nn.Linear(8, 5)
        self.register_buffer("count", torch.zeros(4, dtype=torch.int64))

    def forward(self, x):
        """Apply both, and count."""
        self.count.add_(1)
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


def main():
    """Write all files, and what is in them."""
    torch.manual_seed(0)
    HERE.mkdir(exist_ok=True)
    dense, convolved = export(Dense(), (torch.ones(1, 3),)), Convolved().eval()
    picture = (torch.ones(1, 3, 8, 8),)
    config = ExecutorchBackendConfig
    write("dense.pte", to_edge(dense).to_executorch())
    outside = to_edge(dense).to_executorch(config(external_constants=True))
    write("outside.pte", outside)
    outside.write_tensor_data_to_file(str(HERE))
    (HERE / "_default_external_constant.ptd").replace(HERE / "outside.ptd")
    kept = [InitializedMutableBufferPass(["count"])]
    mutable = to_edge(export(convolved, picture))
    write("mutable.pte", mutable.to_executorch(config(passes=kept, emit_mutable_buffer_names=True)))
    lowered = to_edge_transform_and_lower(
        export(convolved, picture), partitioner=[XnnpackPartitioner()]
    )
    write("lowered.pte", lowered.to_executorch())
    # Before 2024-09 constants were in the FlatBuffer.
    whole = deserialize_pte_binary((HERE / "dense.pte").read_bytes())
    old = _program_to_flatbuffer(getattr(whole, "program", whole))
    (HERE / "inline.pte").write_bytes(old.data)
    names = ("dense.pte", "mutable.pte", "lowered.pte", "outside.pte")
    (HERE / "oracle.json").write_text(
        json.dumps({n: told(HERE / n) for n in names}, indent=1) + "\n"
    )


def write(name, program):
    """Write a program."""
    (HERE / name).write_bytes(program.buffer)


def told(path):
    """What ExecuTorch reads from a program."""
    read = deserialize_pte_binary(path.read_bytes())
    program = getattr(read, "program", read)
    tensors = []
    for plan in program.execution_plan:
        for value in plan.values:
            tensor = value.val
            outside = getattr(tensor, "extra_tensor_info", None)
            if outside and outside.location == TensorDataLocation.EXTERNAL:
                continue
            if isinstance(tensor, Tensor) and tensor.data_buffer_idx:
                size = SIZES[tensor.scalar_type]
                for length in tensor.sizes:
                    size *= length
                tensors.append([tensor.scalar_type.name, tensor.sizes, size])
    named = getattr(read, "named_data", None)
    blobs = [len(entry) for entry in named.buffers] if named else []
    delegates = [len(blob.data) for blob in program.backend_delegate_data]
    return {"tensors": tensors, "named": sorted(blobs), "delegates": sorted(delegates)}


if __name__ == "__main__":
    main()
