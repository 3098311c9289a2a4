"""Trained models, and what HDF5 holds of them."""

import io
import zipfile


def trained(build, data, name):
    model = build(name)
    if name not in ("uncompiled", "pair"):
        model.fit(*data, batch_size=4, verbose=0)
    return model


def datasets(h5py, path):
    """Bytes of each dataset by its path, in a weights file, or in that inside an archive."""
    source = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            source = io.BytesIO(archive.read("model.weights.h5"))
    found = {}
    with h5py.File(source) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item.id.get_storage_size()})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found
