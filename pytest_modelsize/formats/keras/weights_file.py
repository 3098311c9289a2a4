"""HDF5 as Keras writes it: which section does each object of the file serve?

Three layouts, told apart by content:

- ``h5``, the whole model in one file, Keras 1 to 3 (keras/src/legacy/saving/legacy_h5_format.py):
  attributes ``model_config`` and ``training_config``, groups ``model_weights`` and
  ``optimizer_weights``; or weights alone, layer groups at the root beside ``layer_names``.
- ``weights``, Keras 3's and tf_keras' ``.weights.h5`` (keras/src/saving/saving_lib.py): each
  object's variables are the datasets ``0``, ``1``, ... of its group ``vars``.
- ``hdf5``, any other: its datasets count as weights.
"""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.hdf5 import HDF5Attribute, HDF5File, HDF5Object, read_hdf5
from pytest_modelsize.formats.containers.signatures import find_hdf5
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.keras.optimizers import optimizer_groups
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["format", "optimizer_objects", "read", "recognises"]

format = "hdf5"
_CONFIGURATION = ("model_config", "training_config")
_VERSIONS = ("keras_version", "backend")
_LONGEST_NAMES = 64512
_WEIGHT_NAMES = {"weight_names", "weight_names0"}
"""Attributes of a layer's group, where weights are alone in a file."""
_MODEL_WEIGHTS = "model_weights"
_OPTIMIZER_WEIGHTS = "optimizer_weights"


def recognises(source: Source) -> bool:
    """Return whether the file has HDF5's signature within its first page."""
    return find_hdf5(source, len(source.head)) is not None


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte of the HDF5 file to ``ledger``; return ``h5``, ``weights`` or ``hdf5``.

    Raises:
        ArtifactError: where the file is not an HDF5 file, or a broken one.
    """
    runs: list[tuple[int, int, str, bool]] = []
    trace = None
    if extents.asked_for():

        def trace(start: int, end: int, what: str, path: str) -> None:
            runs.append((start, end, path, what == "data"))

    file = read_hdf5(source, trace)
    layout = _layout(file)
    homes = _Homes(file, layout, source.names)
    for start, end, path, content in runs:
        # The root's attributes are the configuration, and a run does not say which one it is.
        if path in file.objects and path != "/":
            extents.note(source, start, end - start, homes.of(path), content=content)
    notes: dict[tuple[object, str], str] = {}
    for path, item in file.objects.items():
        home = homes.of(path)
        note = ""
        if item.type == "dataset":
            elements = item.shape, item.dtype
            note = notes.get(elements) or notes.setdefault(elements, _described(item))
        opaque = item.data if item.data and not homes.knows(path, item) else 0
        ledger.add_object(home, item.data - opaque, item.structure, item.reserved, note)
        if opaque:
            # Nothing in the file says what it is for.
            ledger.add(home, Kind.OPAQUE, opaque)
        for name, attribute in item.attributes.items():
            _add_attribute(ledger, path, home, name, attribute)
    for name, kind, size in file.loose:
        ledger.add(("overhead", name), kind, size)
    return layout


def optimizer_objects(source: Source, named: dict[str, int] | None = None) -> frozenset[str]:
    """Return the HDF5 paths of what Keras writes on account of its optimizers.

    An attribute of the root is ``/@name``: Keras' HDF5 without the optimizer has no
    ``training_config`` either (legacy_h5_format.py).

    Args:
        source: the file, or a window of another file.
        named: as `read_hdf5` takes it.

    Raises:
        ArtifactError: where the file is not an HDF5 file, or a broken one.
    """
    file = read_hdf5(source, named=named)
    if _layout(file) == "h5":
        alone = "layer_names" in file.objects["/"].attributes
        if f"/{_OPTIMIZER_WEIGHTS}" not in file.objects or alone:
            return frozenset()
        return frozenset({f"/{_OPTIMIZER_WEIGHTS}", "/@training_config"})
    return frozenset(optimizer_groups(file, LiveNames()))


def _layout(file: HDF5File) -> str:
    root = file.objects["/"]
    legacy = {"model_config", "layer_names"} & set(root.attributes)
    if legacy or f"/{_MODEL_WEIGHTS}" in file.objects or f"/{_OPTIMIZER_WEIGHTS}" in file.objects:
        return "h5"
    if any(path.endswith("/vars") and item.type == "group" for path, item in file.objects.items()):
        return "weights"
    return "hdf5"


def _described(item: HDF5Object) -> str:
    shape = "x".join(str(extent) for extent in item.shape or ())
    return f"{item.dtype} {shape or 'scalar'}"


def _add_attribute(
    ledger: Ledger, path: str, home: SectionPath, name: str, attribute: HDF5Attribute
) -> None:
    """Give an attribute's bytes to the configuration, or to the section that its object serves."""
    if path != "/" or name not in (*_CONFIGURATION, *_VERSIONS):
        # Names of layers and variables: they serve their section, and hold no content of it. Keras
        # parts longer lists of them (HDF5_OBJECT_HEADER_LIMIT of legacy_h5_format.py).
        opaque = attribute.data if attribute.data > _LONGEST_NAMES else 0
        ledger.add(home, Kind.OPAQUE, opaque)
        ledger.add(home, Kind.STRUCTURE, attribute.structure + attribute.data - opaque)
        return
    top: SectionPath = ("config",) if name == "model_config" else ("config", name)
    ledger.add(top, Kind.STRUCTURE, attribute.structure)
    texts = attribute.read_strings() if name in _CONFIGURATION else None
    if texts is None or len(texts) != 1 or len(texts[0]) > attribute.data:
        ledger.add(top, Kind.DATA, attribute.data)
        return
    ledger.add_entries(top, Kind.DATA, open_configuration(texts[0]))
    ledger.add(top, Kind.RESERVED, attribute.data - len(texts[0]))


def _state(file: HDF5File) -> frozenset[str]:
    """Return the keys of what is state for its shape and its name, in a file of no known layout."""
    from pytest_modelsize.formats.slots import state_keys

    shapes = {path[1:]: item.shape or () for path, item in file.objects.items() if item.dtype}
    return state_keys(shapes)


class _Homes:
    """Where in the tree of sections an object of the file belongs, by its HDF5 path."""

    def __init__(self, file: HDF5File, layout: str, names: LiveNames) -> None:
        self._layout = layout
        self._labels = {**_labels(file), **names.objects} if layout == "weights" else {}
        self._variables = names.variables
        if layout == "weights" and names.configuration and not names.variables:
            from pytest_modelsize.formats.keras.variable_names import names_of_variables

            self._variables = names_of_variables(names.configuration, file, self._labels)
        self._optimizers = optimizer_groups(file, names) if layout == "weights" else {}
        # Weights alone are groups of layers, and a layer may have any name.
        self._layers_alone = "layer_names" in file.objects["/"].attributes
        self._layers = {
            path[1:]
            for path, item in file.objects.items()
            if _WEIGHT_NAMES & item.attributes.keys()
        }
        self._state = _state(file) if layout == "hdf5" else frozenset[str]()

    def knows(self, path: str, item: HDF5Object) -> bool:
        """Return whether the layout says what the object at ``path`` is for."""
        if item.type != "dataset":
            return self._layout != "hdf5"
        first, *rest = path[1:].split("/")
        if self._layout == "weights":
            return "vars" in rest[:-1] or first == "vars"
        if self._layout == "h5":
            return first in (_MODEL_WEIGHTS, _OPTIMIZER_WEIGHTS) or first in self._layers
        return False

    def of(self, path: str) -> SectionPath:
        """Return the path of the entry that the object at HDF5 path ``path`` serves."""
        if path == "/":
            return ("overhead", "root group")
        parts = path[1:].split("/")
        if self._layout == "h5":
            return self._legacy(path, parts)
        if self._layout == "weights":
            return self._numbered(path, parts)
        return ("optimizer" if path[1:] in self._state else "weights", *parts)

    def _legacy(self, path: str, parts: list[str]) -> SectionPath:
        if parts[0] == _OPTIMIZER_WEIGHTS and not self._layers_alone:
            section, rest = "optimizer", parts[1:]
        else:
            section, rest = "weights", parts[1:] if parts[0] == _MODEL_WEIGHTS else parts
            if rest and rest[0] in rest[1:]:
                # dense/model/dense/kernel: the layer, then the variable's own path, which names
                # the layer again.
                rest = [rest[0], *rest[rest.index(rest[0], 1) + 1 :]]
        name = self._variables.get(path)
        return (section, *rest[:-1], name) if name and rest else (section, *rest)

    def _numbered(self, path: str, parts: list[str]) -> SectionPath:
        group = ""
        names: list[str] = []
        for depth, part in enumerate(parts):
            group = f"{group}/{part}"
            if group in self._optimizers:
                rest = [name for name in parts[depth + 1 :] if name != "vars"]
                return ("optimizer", self._optimizers[group], *self._last(path, rest))
            if part not in ("vars", "layers"):
                names.append(self._labels.get(group, part))
        return ("weights", *self._last(path, names))

    def _last(self, path: str, names: list[str]) -> list[str]:
        known = self._variables.get(path)
        return [*names[:-1], known] if known and names else names


def _labels(file: HDF5File) -> dict[str, str]:
    """Return the layers' own names, which Keras 3 keeps as the attribute ``name`` of ``vars``.

    The groups themselves are called after classes (``dense_1``): saving_lib.py counts them up.
    """
    labels = {}
    for path, item in file.objects.items():
        if path.endswith("/vars") and "name" in item.attributes:
            texts = item.attributes["name"].read_strings()
            if texts and len(texts) == 1 and texts[0]:
                text = texts[0].decode("utf-8", "replace")
                labels[path.removesuffix("/vars")] = text.replace("/", "_")
    return labels
