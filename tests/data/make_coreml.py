"""How the Core ML models here were made (coremltools 9.0).

    python tests/data/make_coreml.py

The same dense layer as in make_files.py: as a network in layers, and as a program in a package.
"""

import shutil
from pathlib import Path

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.models.neural_network import NeuralNetworkBuilder

HERE = Path(__file__).parent
KERNEL = np.arange(6, dtype="float32").reshape(2, 3)
BIAS = np.ones(2, "float32")


def main():
    """Write both beside this script."""
    array = ct.models.datatypes.Array
    layers = NeuralNetworkBuilder([("x", array(3))], [("y", array(2))])
    layers.add_inner_product("head", KERNEL, BIAS, 3, 2, True, "x", "y")
    (HERE / "dense.mlmodel").write_bytes(layers.spec.SerializeToString())

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3))], opset_version=ct.target.iOS15)
    def program(x):
        return mb.linear(x=x, weight=KERNEL, bias=BIAS, name="head")

    # Of so few elements none is put into a file of weights unless it is told to be.
    from coremltools.converters.mil.backend.mil import load

    load.should_use_weight_file = lambda *_: True
    path = HERE / "apple" / "dense.mlpackage"
    shutil.rmtree(path, ignore_errors=True)
    ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS15,
        compute_precision=ct.precision.FLOAT32,
    ).save(str(path))


if __name__ == "__main__":
    main()
