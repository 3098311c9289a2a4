"""Core ML models, read without coremltools.

=========  ===========================================================
`reader`   the model's message: its kind, pipelines, forests, SVMs
`layers`   neural networks in layers, with their weights inside
`program`  ML programs, whose weights are in a file beside the model
`blobs`    that file
`package`  the folder around both, with a manifest
`walk`     bounds what a message may cost
=========  ===========================================================
"""
