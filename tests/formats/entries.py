"""Entries of a measurement, looked up."""

from pytest_modelsize.sizes.measurement import Kind


def entry(measured, *path):
    """The entry at a path of names."""
    found = measured.section(path[0])
    for name in path[1:]:
        (found,) = (part for part in found.children if part.name == name)
    return found


def by_kind(measured):
    """Content of the weights by array: of all trees, and of all else."""
    found = {}
    for path, leaf in measured.leaves():
        if path[0] == "weights" and leaf.kind is Kind.DATA:
            name = path[2] if path[1] == "trees" else path[1]
            found[name] = found.get(name, 0) + leaf.size
    return found
