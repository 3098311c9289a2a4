"""Serialized messages by hand, for what no library writes and where none is installed."""


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number, value):
    """A field: an int as a varint, bytes or text with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name, data, dims=None, dtype=2, **external):
    """A TensorProto of bytes; with ``location=``, ... its data is in another file."""
    dims = [len(data)] if dims is None else dims
    message = b"".join(field(1, n) for n in dims) + field(2, dtype) + field(8, name)
    if not external:
        return message + field(9, data)
    for key, value in external.items():
        message += field(13, field(1, key) + field(2, str(value)))
    return message + field(14, 1)


def node(op, *attributes, output="y", **more):
    message = field(2, output) + field(4, op)
    for attribute in attributes:
        message += field(5, attribute)
    return message + more.get("rest", b"")


def attribute(name, number, value):
    return field(1, name) + field(number, value) + field(20, 4)


def model(*graph_fields, rest=b""):
    return field(1, 10) + field(7, b"".join(graph_fields)) + field(8, field(2, 21)) + rest
