"""How the Flax trees here were made (flax 0.12, optax 0.2).

    python tests/data/make_flax.py

The same dense layer as in make.py, three inputs and two outputs: its parameters, and the state of a
training with Adam.
"""

from pathlib import Path

import flax.linen as nn
import numpy as np
import optax
from flax.serialization import to_bytes
from flax.training.train_state import TrainState

HERE = Path(__file__).parent / "flax"
PARAMS = {"head": {"kernel": np.arange(6, dtype="float32").reshape(3, 2), "bias": np.ones(2, "f4")}}


def main():
    """Write both files."""
    HERE.mkdir(exist_ok=True)
    (HERE / "params.msgpack").write_bytes(to_bytes({"params": PARAMS}))
    state = TrainState.create(apply_fn=nn.Dense(2).apply, params=PARAMS, tx=optax.adam(1e-3))
    (HERE / "state.msgpack").write_bytes(to_bytes(state))


if __name__ == "__main__":
    main()
