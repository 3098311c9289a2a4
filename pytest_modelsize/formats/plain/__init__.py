"""What goes with a model and is not one: text, pictures, sound, vocabularies. Opened as what it is.

Each reader looks at the whole of a file, or at its beginning and its end, so that nothing else can
hide under the name: what is taken for one of these is known to hold no tensors.
"""
