"""A number of bytes that also compares with ``"2MB"``."""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_modelsize.sizes.measurement import Measurement

__all__ = ["MeasuredSize"]


class MeasuredSize(int):
    """A number of bytes that also compares with ``"2MB"`` and knows where it was measured."""

    measurement: Measurement
    section: str | None

    @classmethod
    def of(cls, size: int, measurement: Measurement, section: str | None) -> MeasuredSize:
        """Return ``size`` as the bytes of ``section`` (None: of all) in ``measurement``."""
        self = cls(size)
        self.measurement, self.section = measurement, section
        return self

    def __lt__(self, other: object) -> bool:
        return self._held(holds=int.__lt__(self, _bytes(other)), other=other)

    def __le__(self, other: object) -> bool:
        return self._held(holds=int.__le__(self, _bytes(other)), other=other)

    def __gt__(self, other: object) -> bool:
        return int.__gt__(self, _bytes(other))

    def __ge__(self, other: object) -> bool:
        return int.__ge__(self, _bytes(other))

    def __eq__(self, other: object) -> bool:
        return self._held(holds=int.__eq__(self, _bytes(other)), other=other)

    def _held(self, *, holds: bool, other: object) -> bool:
        """Return ``holds``, if it is known to hold: see `Measurement.hold`."""
        hold = self.measurement.hold
        if holds is True and self.section is not None and hold is not None:
            hold(self.section, int(self), int(_bytes(other)))
        return holds

    def __ne__(self, other: object) -> bool:
        return int.__ne__(self, _bytes(other))

    __hash__ = int.__hash__


def _bytes(other: object) -> int:
    """Read a string as a size (a wrong one raises `SizeError`); leave all else to ``int``."""
    if isinstance(other, str):
        return parse_size(other)
    return other  # type: ignore[return-value]  # int's own methods answer NotImplemented
