"""Keras models, of Keras 3 and of Keras 2, and other TensorFlow modules become files."""
