"""How the graph here was made (openvino 2026.4, NumPy).

    python tests/data/make_openvino.py

The same dense layer as in make.py, three inputs and two outputs.
"""

from pathlib import Path

import numpy as np
import openvino
from openvino import opset13

HERE = Path(__file__).parent / "openvino"


def main():
    """Write the XML and the file with the constants."""
    HERE.mkdir(exist_ok=True)
    x = opset13.parameter([-1, 3], np.float32, name="x")
    kernel = np.arange(6, dtype="float32").reshape(3, 2)
    weight = opset13.constant(kernel, name="head/weight")
    bias = opset13.constant(np.ones(2, "float32"), name="head/bias")
    y = opset13.add(opset13.matmul(x, weight, False, False), bias)
    openvino.save_model(openvino.Model([y], [x], "dense"), HERE / "dense.xml", False)


if __name__ == "__main__":
    main()
