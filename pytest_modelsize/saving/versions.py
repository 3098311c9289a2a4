"""Which versions of which packages write a live model?"""

from __future__ import annotations

import sys

from pytest_modelsize.saving.families import FAMILIES
from pytest_modelsize.saving.framework import framework_of

__all__ = ["versions_of"]

_PACKAGES = {
    "keras": ("keras", "tensorflow", "jax", "torch"),
    "tf_keras": ("tf_keras", "keras", "tensorflow"),
    "tensorflow": ("tensorflow",),
    "tflite": (),
    **{name: family.packages for name, family in FAMILIES.items()},
}
"""Packages that have a say in what a framework's models are saved as."""


def versions_of(model: object) -> dict[str, str]:
    """Return the versions by package, of those that the test has already imported."""
    packages = list(_PACKAGES.get(framework_of(model) or "", ()))
    if packages[:1] == ["keras"]:
        # Several backends may be loaded, and one is in use.
        backend = getattr(sys.modules.get("keras"), "backend", None)
        name = getattr(backend, "backend", str)()
        packages = ["keras", name]
    found = {}
    for package in packages:
        version = getattr(sys.modules.get(package), "__version__", None)
        if isinstance(version, str):
            found[package] = version
    return found
