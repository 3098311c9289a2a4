"""ONNX models, read without the onnx package.

==========  =========================================================
`reader`    the model's messages: nodes, functions, where tensors are
`tensors`   one tensor: name, type, shape, and where its bytes are
`settle`    which entry each tensor belongs to, and which are waste
`external`  files beside the model that hold bytes of its tensors
==========  =========================================================
"""
