"""TFLite and LiteRT flatbuffers, read without TensorFlow.

`schema` names the fields that matter, `reader` gives every byte to a section, and `waste` finds
buffers that a model could do without.
"""
