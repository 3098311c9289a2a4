"""TensorFlow.js models, read without TensorFlow.js.

`reader` reads the JSON and its shards, `manifest` the JSON alone, and `folder` what lies around.
"""
