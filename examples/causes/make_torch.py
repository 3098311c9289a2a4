"""More of them, in PyTorch's and ONNX's files."""

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

torch.manual_seed(0)

large = torch.randn(1000, 64)
torch.save({"kernel": large[:100], "bias": torch.randn(64)}, "view.pt")

torch.save(
    {
        "state_dict": {"kernel": torch.randn(100, 64)},
        "hyper_parameters": {"lr": 0.1, "class_weights": torch.rand(5000)},
        "pytorch-lightning_version": "2.5.0",
    },
    "hyper.ckpt",
)


class Net(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x) * 2 + 1


torch.jit.script(Net()).save("script.pt")

kernel, unused = (torch.randn(64, n).numpy() for n in (32, 100))
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "kernel"], ["y"])],
    "net",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32])],
    [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(unused, "teacher")],
)
onnx.save(helper.make_model(graph), "unused.onnx")
