"""ONNX models, read without the onnx package.

=========  =========================================================
`reader`   a model with the files beside it that hold bytes of its tensors
`model`    the model's message: what is around the graph, functions
`graph`    nodes and their attributes, and where tensors are
`tensors`  one tensor: name, type, shape, and where its bytes are
`settle`   which entry each tensor belongs to, and which are waste
=========  =========================================================
"""
