"""Names of slots: made from the names of the variables that they serve.

- ``dense/kernel/Adam_1``, ``bert/kernel/adam_m``: after it, in TensorFlow 1
  (tensorflow/python/training/slot_creator.py; BERT's optimization.py);
- ``Adam/m/dense/kernel`` and ``Adam/dense/kernel/m``: around it, in Keras 2
  (tf_keras/src/optimizers/optimizer.py, legacy/optimizer_v2.py);
- ``adam/dense_kernel_momentum``: in one, in Keras 3 (keras/src/optimizers/base_optimizer.py);
- ``q_slot_vr``: after it, in Mesh TensorFlow (mesh_tensorflow/optimize.py).

A name alone proves nothing: callers compare shapes, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pytest_modelsize.sizes.patterns import late

__all__ = ["OTHER", "is_slot_name", "made_from", "prefixes_of"]

_WORDS = late(
    r"adam\w*|n?adamw?|adamax|amsgrad|vhat|momentums?|velocit(y|ies)|accumulators?|accum\w*"
    r"|rms(_?prop)?\w*|mean_squares?|mean_square|squares?|ftrl\w*|linears?|lamb\w*|lars\w*|lion\w*"
    r"|ada(grad|delta|factor)\w*|slots?(_[vm][rc]?)?|nesterov|moments?|[mvurc]|m_?hat|v_?hat"
    r"|average_grads?|averages?|exponentialmovingaverage|shampoo\w*|muon\w*|preconditioners?"
    r"|proximal\w*"
)
"""What slots are called; digits that make such a name distinct are left out before."""
_LONGEST = 64
OTHER = frozenset({"mask", "masks", "threshold", "min", "max", "quantized"})
"""What tools for pruning and quantization add to a name (tensorflow/contrib/model_pruning)."""


def is_slot_name(name: str) -> bool:
    """Return whether slots of a known optimizer are called so: ``Adam_1``, ``m``, ``momentums``.

    Each word of the name counts, such as ``my_momentum``.
    """
    if len(name) > _LONGEST:
        return False
    plain = re.sub(r"(_?[0-9]+)+$", "", name.strip("_").lower())
    if _WORDS.fullmatch(plain):
        return True
    words = plain.split("_")
    return any(len(word) > 1 and _WORDS.fullmatch(word) for word in words)


def made_from(name: str, others: Collection[str]) -> bool:
    """Return whether ``name`` is one of ``others`` with something added, as a slot's is.

    What stands before alone must be a slot's name, because ``teacher/dense/kernel`` is not one.

    Args:
        name: of what may be a slot: ``Adam/m/dense/kernel``.
        others: names of variables: ``dense/kernel``.
    """
    wrapped = f"/{name}/"
    last = name.rpartition("/")[2]
    if last in OTHER:
        return False
    for other in others:
        if other == name:
            continue
        before, found, after = wrapped.partition(f"/{other}/")
        if found and (after or any(map(is_slot_name, before.split("/")))):
            return True
        joined = other.replace("/", "_")
        if last.startswith(f"{joined}_") and not last[len(joined) + 1 :].isdecimal():
            return True
    return False


def prefixes_of(key: str) -> Iterator[tuple[str, str]]:
    """Yield what ``key`` may be made from, longest first, and what was added: ``w``, ``Adam``.

    Whole parts are taken off its end, and off its beginning; or words off its last part.
    """
    parts = key.split("/")
    for end in range(len(parts) - 1, max(len(parts) - 4, 0), -1):
        for start in range(min(end, 4)):
            yield "/".join(parts[start:end]), "/".join((*parts[:start], *parts[end:]))
    for start in range(1, min(len(parts), 4)):
        yield "/".join(parts[start:]), "/".join(parts[:start])
    words = parts[-1].split("_")
    for end in range(len(words) - 1, max(len(words) - 4, 0), -1):
        added = "_".join(words[end:])
        if not added.isdecimal():
            yield "/".join((*parts[:-1], "_".join(words[:end]))), added
