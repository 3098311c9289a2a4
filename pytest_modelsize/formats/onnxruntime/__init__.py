"""ONNX Runtime's own format (``.ort``) and its checkpoints, read without onnxruntime."""
