"""Where each variable of a checkpoint belongs: weights, or the state of an optimizer.

What a variable is called says nothing: Keras 3 keys a trained model's weights under
``optimizer/_trainable_variables``. Where there is an object graph, what can be reached from its
root without passing an optimizer is not optimizer state.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.protobuf import Message
from pytest_modelsize.formats.slots import state_keys
from pytest_modelsize.formats.tensorflow.bundle import GRAPH_KEY, Bundle, Variable
from pytest_modelsize.formats.tensorflow.objectgraph import Child, Graph, read_graph, shown_path
from pytest_modelsize.formats.tensorflow.optimizers import Held, TooTangled, optimizers_of
from pytest_modelsize.sizes.measurement import SectionPath

__all__ = ["Homes", "shown_key"]

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_SLOT = "/.OPTIMIZER_SLOT/"
_COUNTER = "save_counter"


def shown_key(key: str) -> str:
    """Return a key without the part that all keys end with."""
    return key.removesuffix(_VALUE)


class Homes:
    """The entry of each variable of a bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Find out what is optimizer state.

        Raises:
            ArtifactError: where the object graph is broken.
        """
        self._known: dict[str, tuple[bool, str]] = {}
        self._state: frozenset[str] | None = None
        if bundle.graph is not None:
            self._read(bundle.graph, bundle)
        else:
            self._state = state_keys(
                {v.key: v.shape for v in bundle.variables if not v.slice_of and v.dtype != "string"}
            )

    def of(self, variable: Variable) -> SectionPath:
        """Return the path of the entry of ``variable``."""
        key = variable.slice_of or variable.key
        if key == GRAPH_KEY:
            return ("graph", "object graph")
        if self._state is not None:
            return ("optimizer" if key in self._state else "weights", shown_key(key))
        # What no node of the graph owns is told by the way in which slots are keyed.
        state, shown = self._known.get(key, (_SLOT in key, ""))
        if shown == _COUNTER:
            return ("overhead", _COUNTER)
        return ("optimizer" if state else "weights", shown or shown_key(key))

    def _read(self, message: Message, bundle: Bundle) -> None:
        graph = read_graph(message)
        held = _variables(graph, bundle)
        try:
            optimizers = optimizers_of(graph, held)
        except TooTangled as error:
            problem = "an object graph in which too many objects might be optimizers"
            raise message.error(message.start, problem) from error
        plain = {0: Child("", 0)} if graph.nodes else {}
        graph.reached(plain, lambda node: node not in optimizers)
        every = dict(plain)
        for node in optimizers:
            every.setdefault(node, Child("optimizer", node))
        graph.reached(every, lambda node: True)
        for slots in graph.slots.values():
            for slot in slots:
                every.setdefault(slot.variable, Child(slot.name, slot.served))
        for node, kept in graph.kept.items():
            path = shown_path(every, node)
            for name, key in kept:
                shown = path if path == _COUNTER else name or path
                self._known[key] = (node not in plain, shown)


def _variables(graph: Graph, bundle: Bundle) -> dict[int, Held]:
    """Return what is known of each node that is a numeric variable."""
    stored = {v.key: v for v in bundle.variables if v.dtype != "string"}
    found = {}
    for node, kept in graph.kept.items():
        for name, key in kept:
            if key in stored:
                found[node] = Held(stored[key].dtype, stored[key].shape, name)
                break
    return found
