"""What TensorFlow writes: SavedModels and checkpoints, read without TensorFlow.

===================  ========================================================
`table`              the LevelDB table that is a bundle's index
`bundle`             variables over index and shards
`objectgraph`        objects, what they hold, and the keys of their variables
`dominators`         which objects can be reached through another one only
`optimizers`         which objects are optimizers
`homes`              where each variable belongs
`checkpoint`         what a checkpoint's variables serve
`checkpoint_index`   one checkpoint, named by its index
`checkpoint_folder`  a folder of checkpoints, one step or several
`saved_model`        a SavedModel's directory
`graphs`             ``saved_model.pb`` and graphs alone: nodes, functions
`graph_kinds`        which message a file is
`fields`             numbers of the fields of a graph's messages
`savers`             which nodes save and restore
`constants`          tensors inside nodes
===================  ========================================================
"""
