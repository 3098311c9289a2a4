"""Flax's trees in msgpack: `reader` enters them, `state` finds optimizer state among them."""
