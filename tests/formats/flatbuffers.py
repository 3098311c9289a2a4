"""FlatBuffers made by hand."""

import struct


class Writer:
    """Writes tables and vectors one after the other; references go forward to what comes later."""

    def __init__(self, identifier=b"TFL3"):
        self.data = bytearray(b"\0\0\0\0" + identifier)
        self.holes = {0: "model"}
        self.places = {}

    def table(self, name, fields):
        """A table whose fields are references; the key is the field's number."""
        last = max(fields, default=-1)
        slots = [4 + 4 * sorted(fields).index(n) if n in fields else 0 for n in range(last + 1)]
        vtable = len(self.data)
        size = 4 + 4 * len(fields)
        self.data += struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), size, *slots)
        self.places[name] = here = len(self.data)
        self.data += struct.pack("<i", here - vtable)
        for number in sorted(fields):
            self.holes[len(self.data)] = fields[number]
            self.data += bytes(4)

    def vector(self, name, elements):
        self.places[name] = len(self.data)
        self.data += struct.pack("<I", len(elements))
        for element in elements:
            self.holes[len(self.data)] = element
            self.data += bytes(4)

    def string(self, name, text):
        self.places[name] = len(self.data)
        self.data += struct.pack("<I", len(text)) + text + b"\0"

    def written(self):
        for hole, name in self.holes.items():
            self.data[hole : hole + 4] = struct.pack("<I", self.places[name] - hole)
        return bytes(self.data)
