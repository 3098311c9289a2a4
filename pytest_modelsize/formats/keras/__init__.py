"""A model's configuration in JSON, opened by layer and key in bytes as stored.

A reader of ``.keras`` or HDF5 hands over the text as it lies in the artifact (``config.json``,
``metadata.json``, the attributes ``model_config`` and ``training_config``) and learns what each
layer and each of its keys costs, so that a vocabulary or a constant that became text has a name.
"""

from __future__ import annotations

from pytest_modelsize.formats.keras.configuration import open_configuration

__all__ = ["open_configuration"]
