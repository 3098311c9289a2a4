"""Pickles and archives made by hand, opcode by opcode: what PyTorch would not write, too."""

import io
import pickle
import zipfile

PROTO = b"\x80\x02"
STOP = b"."


def text(value):
    """BINUNICODE."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def whole(value):
    """BININT."""
    return b"J" + value.to_bytes(4, "little", signed=True)


def numbers(*values):
    """A tuple of numbers."""
    return b"(" + b"".join(map(whole, values)) + b"t"


def storage(key, elements, kind="FloatStorage"):
    """A persistent id."""
    parts = text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu")
    return b"(" + parts + whole(elements) + b"tQ"


def tensor(key, shape, elements, offset=0, kind="FloatStorage"):
    """A call of ``_rebuild_tensor_v2``, of a contiguous view."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage(key, elements, kind)
        + whole(offset)
        + numbers(*shape)
        + numbers(*strides)
        + b"\x89}tR"
    )


def mapping(**items):
    """A dictionary of what is pickled already."""
    return b"}(" + b"".join(text(k) + v for k, v in items.items()) + b"u"


def archive(pickled, storages=(), *, method=zipfile.ZIP_STORED, name="model"):
    """An archive of a pickle and its storages, which are given by key."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        file.writestr(f"{name}/data.pkl", pickled)
        for key, content in dict(storages).items():
            file.writestr(f"{name}/data/{key}", content)
        file.writestr(f"{name}/version", "3\n")
    return made.getvalue()


def legacy(pickled, storages=()):
    """A file as PyTorch wrote it before 1.6; storages are number of elements and content, by key."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    listed = pickle.dumps(list(dict(storages)), 2)
    content = b"".join(n.to_bytes(8, "little") + data for n, data in dict(storages).values())
    return magic + pickled + listed + content


def storages(path):
    """Return the bytes of all storages in an archive, as the standard library tells them."""
    with zipfile.ZipFile(path) as file:
        return sum(i.file_size for i in file.infolist() if "/data/" in i.filename)
