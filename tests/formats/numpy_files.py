"""NumPy's files made by hand."""

import io
import struct
import zipfile


def npy(*shape, dtype="<f4", size=4):
    """An array by hand."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    elements = size
    for length in shape:
        elements *= length
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(elements)


def archive(method=zipfile.ZIP_STORED, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, content in members.items():
            made.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()
