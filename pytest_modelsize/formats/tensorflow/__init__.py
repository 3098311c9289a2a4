"""What TensorFlow writes: SavedModels and checkpoints, read without TensorFlow.

==============  =============================================================
`table`         the LevelDB table that is a bundle's index
`bundle`        variables over index and shards
`objectgraph`   objects, what they hold, and the keys of their variables
`dominators`    which objects can be reached through another one only
`optimizers`    which objects are optimizers
`homes`         where each variable belongs
`checkpoint`    checkpoints, one step or several
`saved_model`   a SavedModel's directory
`graphs`        ``saved_model.pb`` and graphs alone: nodes, functions
`constants`     tensors inside nodes
==============  =============================================================
"""
