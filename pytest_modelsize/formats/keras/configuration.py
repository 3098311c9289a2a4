"""Which part of a configuration belongs to which layer, and to which of its keys.

Keras writes a model, a layer, an initializer or a metric as an object with ``class_name`` and
``config`` (keras/src/saving/serialization_lib.py, ``serialize_keras_object``; Keras 1 and 2:
``Network.get_config`` in keras/engine/network.py). Only layers and models are entered: the elements
of ``layers`` (Keras 1: of a Sequential's ``config``), and, in the ``config`` of one that is
entered, any object whose own ``config`` has a ``name`` and is ``trainable`` or has ``layers``.
Every layer's ``get_config`` writes these (keras/src/layers/layer.py), and of other objects none
does. That is how the layer inside a Bidirectional, or in an argument of a subclassed model, is met.
"""

from __future__ import annotations

from pytest_modelsize.sizes.measurement import SectionPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_modelsize.formats.keras.layer_parts import LayerPart

__all__ = ["open_configuration"]

_LARGEST = 2**19
"""Bytes of a text whose values are made, which take much more room than the text."""


def open_configuration(text: bytes) -> list[tuple[SectionPath, int, str]]:
    """Return the entries of a configuration, whose sizes add up to ``len(text)``, always.

    Args:
        text: JSON in UTF-8 as it lies in the artifact, of any version of Keras, or anything else.

    Returns:
        A path, bytes, and a note or ``""`` for each entry, no path twice. A path is made of names
        of layers and ends with a key: ``("encoder", "dense", "units")``, ``("input_layers",)``,
        ``("compile_config", "optimizer")``. A key's bytes are its name, its value, the comma after
        it and the blanks around; the keys of a layer's ``config`` stand beside those of the layer.
        A layer's own path holds its brackets and what leads to its ``config`` and to layers inside
        it; the path ``()`` holds the same of the model. A text that cannot be opened is one entry
        ``()`` with the reason as note. Nothing is raised, whatever the text holds.
    """
    root, note = _plain(text), ""
    if root is None:
        # Imported where it is met: Keras writes its configurations plainly.
        from pytest_modelsize.formats.containers.json_scanner import NotOpened
        from pytest_modelsize.formats.keras.configuration_walk import Walk

        try:
            root, note = Walk(text.decode("latin-1")).root()
        except NotOpened as reason:
            return [((), len(text), str(reason))]
    entries: dict[SectionPath, tuple[int, str]] = {}
    root.enter(entries)
    if note:
        entries[()] = entries[()][0], note
    return [(path, size, noted) for path, (size, noted) in entries.items()]


def _plain(text: bytes) -> LayerPart | None:
    """Return the model of a text that is written plainly, if it is, and not too large for that."""
    colon = text.find(b'":')
    if len(text) > _LARGEST or text[:2] != b'{"' or text[colon + 2 : colon + 3] != b" ":
        return None
    from pytest_modelsize.formats.keras.plain_configuration import read_plain

    return read_plain(text)
