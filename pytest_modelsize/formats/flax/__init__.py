"""Flax's trees in msgpack: `reader` enters them, `state` tells optimizer state from parameters."""
