"""Which groups of a Keras weights file hold an optimizer's state?

The file does not say. A live model does (`LiveNames.optimizers`). From the file alone an optimizer
is told by what `Optimizer.save_own_variables` in keras/src/optimizers/base_optimizer.py writes:
``vars/0`` is the iteration counter, a whole number, and what is not a scalar repeats the shapes of
other groups' variables. The learning rate is there only where it is not a schedule. What
looks like that by chance, a layer with a step and a matrix, repeats no whole group; or it stands
among ``layers``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pytest_modelsize.formats.containers.hdf5 import HDF5File, HDF5Object
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.mirrored_shapes import Shape, repeats
from pytest_modelsize.sizes.patterns import late

__all__ = ["OptimizerSearch", "optimizer_groups"]

_USUAL = "/optimizer"
"""Where a model keeps the one that it was compiled with."""
_LAYERS = "layers"
"""What functional and sequential models call the group of their layers (saving_lib.py)."""
_NAMED = late(
    r"(.*_)?(opt|optim|optimi[sz]ers?|sgd|n?adamw?|adamax|adadelta|adagrad|adafactor|ftrl|lamb|lion"
    r"|muon|rms_?prop|lars|schedule_free_adam_?w)(_[0-9]+)?"
)
"""Names of Keras' own optimizers, and of what holds one, in lower case."""
_AVERAGE = late(r"(^|_)(ema|swa|moving|averag(e|es|ed|ing)|polyak|shadows?|teacher|target)(_|$)")
"""Names of what keeps copies of the weights beside a counter: they are not state to be left out."""
_BYTES = ("int8", "uint8")
"""What four-bit kernels are kept in (keras/src/quantizers, ``pack_int4``)."""
_MANY = 3
"""Different shapes, which no object repeats by chance."""


def optimizer_groups(file: HDF5File, names: LiveNames) -> dict[str, str]:
    """Return the HDF5 path of each group that holds optimizer state, with its shown name.

    The name is the one that the optimizer was given (``adam``), as stored in the file, preceded by
    where the model keeps it when that is not the usual place (``g_optimizer/adam``).
    """
    if names.optimizers is not None:
        groups = {group for group in names.optimizers if group in file.objects}
    else:
        groups = OptimizerSearch([file]).groups()
    return {group: _shown(file, group, names.objects.get(group)) for group in groups}


class OptimizerSearch:
    """What the groups of a model keep, and which of them are optimizers for it.

    Its files are asked while they are gone through, one after the other: an optimizer may be in
    another than the variables that it serves, or be parted itself.
    """

    def __init__(self, files: Iterable[HDF5File]) -> None:
        self._kept: dict[str, dict[str, HDF5Object]] = {}
        self._names: dict[str, str] = {}
        for file in files:
            self._add(file)
        self._counting = [
            group for group, kept in self._kept.items() if group and _counts(kept.get("0"))
        ]
        others = self._kept.keys() - set(self._counting)
        served = [
            [item.shape for item in self._kept[group].values() if item.shape] for group in others
        ]
        self._shapes = Counter(shape for shapes in served for shape in shapes)
        packed = [i for g in others for i in self._kept[g].values() if i.dtype in _BYTES]
        self._shapes.update(shape for item in packed for shape in _unpacked(item.shape or ()))
        self._sets = {frozenset(shapes) for shapes in served}

    def _add(self, file: HDF5File) -> None:
        for path, item in file.objects.items():
            group, _, key = path.rpartition("/")
            if item.type == "dataset" and group.endswith("/vars"):
                group = group.removesuffix("/vars")
                self._kept.setdefault(group, {})[key] = item
                if key == "0" and _counts(item):
                    self._names[group] = _stored_name(file, group)

    def groups(self) -> set[str]:
        """Return the optimizers' groups."""
        found = {group for group in self._counting if self._is_optimizer(group)}
        # Around another one, and nothing but counters and rates: it scales the loss, or shares out.
        around = {group for inner in found for group in _above(inner)}
        found.update(
            group for group in self._counting if group in around and not any(self._shapes_of(group))
        )
        if _USUAL in self._kept and "0" not in self._kept[_USUAL]:
            found.add(_USUAL)  # the rest of it, whose beginning is in another shard
        return found

    def _shapes_of(self, group: str) -> Counter[Shape]:
        """Return how many variables of each shape a group has, scalars and counters aside."""
        floats = (item for item in self._kept[group].values() if _is_float(item))
        return Counter(item.shape for item in floats if item.shape)

    def _is_optimizer(self, group: str) -> bool:
        if group == _USUAL:
            return True
        above, _, name = group.rpartition("/")
        if above.rpartition("/")[2] == _LAYERS:
            return False
        slots = self._shapes_of(group)
        called = (self._names.get(group) or name).lower()
        if _NAMED.fullmatch(called):
            # What it served may be packed since then: four bits, or an adapter merged.
            return not slots or not self._shapes.keys().isdisjoint(slots)
        if not repeats(slots, self._shapes) or _AVERAGE.search(called):
            return False
        if len(slots.keys() & self._shapes.keys()) >= _MANY:
            return True
        # An optimizer serves whole layers, and every variable alike.
        whole = set().union(*(shapes for shapes in self._sets if shapes <= slots.keys()))
        if not slots.keys() & self._shapes.keys() <= whole:
            return False
        return len(slots) > 1 or self._evenly(group, slots, self._shapes)

    def _evenly(self, group: str, slots: Mapping[Shape, int], served: Mapping[Shape, int]) -> bool:
        """Return whether each variable of a shape has as many slots, beside a long counter."""
        long = self._kept[group]["0"].dtype == "int64"
        return long and all(
            number % (served.get(shape) or 1) == 0 for shape, number in slots.items()
        )


def _counts(item: HDF5Object | None) -> bool:
    return item is not None and item.shape == () and item.dtype.startswith(("int", "uint"))


def _unpacked(shape: Shape) -> Iterable[Shape]:
    """Yield what a matrix may have been before two of its numbers were put into each byte."""
    for axis in range(len(shape) if len(shape) > 1 else 0):
        for extent in (2 * shape[axis] - 1, 2 * shape[axis]):
            yield (*shape[:axis], extent, *shape[axis + 1 :])


def _is_float(item: HDF5Object) -> bool:
    """Return whether its elements are numbers with a fraction; bfloat16 is stored as two bytes."""
    return item.dtype.startswith(("float", "bfloat", "opaque"))


def _above(group: str) -> Iterable[str]:
    while group := group.rpartition("/")[0]:
        yield group


def _stored_name(file: HDF5File, group: str) -> str:
    variables = file.objects.get(f"{group}/vars")
    texts = None
    if variables is not None and "name" in variables.attributes:
        texts = variables.attributes["name"].read_strings()
    return texts[0].decode("utf-8", "replace") if texts and len(texts) == 1 else ""


def _shown(file: HDF5File, group: str, known: str | None) -> str:
    place = group.removeprefix("/").replace("/", ".")
    name = known or _stored_name(file, group).replace("/", "_")
    if group == _USUAL or not place:
        return name or "optimizer"
    return f"{place} ({name})" if name else place
