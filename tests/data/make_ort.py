"""How dense.ort was made from dense.onnx (onnxruntime 1.32): ``python tests/data/make_ort.py``."""

from pathlib import Path

import onnxruntime as ort

HERE = Path(__file__).parent


def main():
    """Write it beside this script."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(HERE / "dense.ort")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(HERE / "dense.onnx", options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
