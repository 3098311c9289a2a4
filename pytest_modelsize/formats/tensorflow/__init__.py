"""What TensorFlow writes: SavedModels and checkpoints, read without TensorFlow.

==============  =============================================================
`table`         the LevelDB table that is a bundle's index
`bundle`        variables over index and shards
`objectgraph`   which of them an optimizer keeps
`checkpoint`    checkpoints, one step or several
`saved_model`   a SavedModel's directory
`graphs`        ``saved_model.pb``: nodes, functions, constants
==============  =============================================================
"""
