"""Where the tiles of a treemap lie: rectangles whose areas are in proportion to bytes, exactly.

Positions are percentages of the rectangle around, so that the picture stretches to any screen and
areas stay in proportion. A rectangle has no room for a title of its own: a title would take area
away from bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.sizes.records import dataclass

__all__ = ["HEIGHT", "WIDTH", "Box", "boxes"]

WIDTH, HEIGHT = 5.0, 2.0
"""Shape of a treemap on a wide screen, for which tiles are made as square as they can be."""

_LEAST = 1e-9
"""Share of the area below which squarify would divide by zero; far below a pixel."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, by the distances of its edges from those of the one around it, in percent."""

    top: float
    right: float
    bottom: float
    left: float

    @property
    def width(self) -> float:
        """Percent of the width around."""
        return 100 - self.left - self.right

    @property
    def height(self) -> float:
        """Percent of the height around."""
        return 100 - self.top - self.bottom

    @property
    def css(self) -> str:
        """CSS properties from which the style sheet places the box: to a thousandth of a percent.

        A page of a hundred artifacts is made of these: what is 0 is left out, and so are units.
        """
        edges = zip("tbrl", (self.top, self.bottom, self.right, self.left), strict=True)
        written = (
            (edge, f"{max(0.0, value):.3f}".rstrip("0").rstrip(".")) for edge, value in edges
        )
        return ";".join(f"--{edge}:{value}" for edge, value in written if value != "0")


def boxes(sizes: Sequence[int], width: float = WIDTH, height: float = HEIGHT) -> list[Box]:
    """Return a box for each of ``sizes``, which tile a rectangle of ``width`` to ``height``.

    Squarified treemaps: Bruls, Huizing, van Wijk (2000), as ``squarify`` lays them out.

    Args:
        sizes: bytes, positive, largest first.
        width: of the rectangle around, in any unit.
        height: in the same unit.

    Raises:
        ImportError: where squarify is not installed.
    """
    from squarify import normalize_sizes, squarify

    least = sum(sizes) * _LEAST
    areas = normalize_sizes([max(size, least) for size in sizes], width, height)
    return [
        Box(
            top=100 * found["y"] / height,
            right=100 - 100 * (found["x"] + found["dx"]) / width,
            bottom=100 - 100 * (found["y"] + found["dy"]) / height,
            left=100 * found["x"] / width,
        )
        for found in squarify(areas, 0, 0, width, height)
    ]
