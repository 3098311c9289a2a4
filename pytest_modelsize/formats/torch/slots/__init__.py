"""Which tensors are optimizer state? Found by what they repeat, wherever they hang.

`tree` holds names and shapes, `names` what slots are called, `parameters` what slots may serve.
`marking` marks what is state: slots `by_parameter`, then parameters `by_slot`. `flat` does so for
dotted names.
"""

from pytest_modelsize.formats.torch.slots.flat import state_among
from pytest_modelsize.formats.torch.slots.marking import mark_state
from pytest_modelsize.formats.torch.slots.tree import Leaf, Node

__all__ = ["Leaf", "Node", "mark_state", "state_among"]
