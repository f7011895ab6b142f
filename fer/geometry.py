"""Places in a picture: x, y in pixels from the top left corner."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]

_NOSE_DEPTH = 0.8  # half eye distances between the tip of a nose and the eyes, of an adult's skull


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels.

    Args:
        x1: Left side.
        y1: Upper side.
        x2: Right side, greater than `x1`.
        y2: Lower side, greater than `y1`.

    Raises:
        ValueError: A side is not finite, or the rectangle has no area.

    Example:
        >>> box = Box(10, 20, 30, 60)
        >>> box.width, box.height, box.area, box.center
        (20, 40, 800, (20.0, 40.0))
        >>> box.iou(Box(10, 20, 30, 40))
        0.5
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not (0 < self.width < math.inf and 0 < self.height < math.inf):
            raise ValueError(f"a box needs x1 < x2 and y1 < y2, all finite, received {self}")

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> Point:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def iou(self, other: Box) -> float:
        """Intersection over union: 0 for boxes that do not overlap, 1 for equal ones."""
        width = _overlap(self.x1, self.x2, other.x1, other.x2)
        height = _overlap(self.y1, self.y2, other.y1, other.y2)
        shared = width * height
        return shared / (self.area + other.area - shared)

    def scaled(self, x: float, y: float) -> Box:
        """The same rectangle in a picture `x` times as wide and `y` times as high."""
        return Box(self.x1 * x, self.y1 * y, self.x2 * x, self.y2 * y)

    def mirrored(self, width: int) -> Box:
        """The same rectangle in the mirror image of a picture that is `width` pixels wide."""
        return Box(width - self.x2, self.y1, width - self.x1, self.y2)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Points of a face, each (x, y) in pixels.

    Args:
        left_eye: The eye further left in the picture.
        right_eye: The other eye.
        nose: The tip of the nose, None where the detector does not give it.
        mouth: The middle of the mouth, or None.
        ears: The ears, the one further left in the picture first, or None.

    Example:
        >>> round(Landmarks((10, 20), (30, 20), nose=(28, 25)).yaw)
        45
    """

    left_eye: Point
    right_eye: Point
    nose: Point | None = None
    mouth: Point | None = None
    ears: tuple[Point, Point] | None = None

    @property
    def yaw(self) -> float | None:
        """How far the head is turned to the side, in degrees from -90 to 90, from eyes and nose.

        0 looks straight into the camera, positive is to the right of the picture, None is without
        a nose. Seen from the eyes, the tip of a nose `_NOSE_DEPTH` half eye distances before them
        moves aside by the tangent of the angle times that depth.
        """
        if self.nose is None:
            return None
        left = complex(*self.left_eye)
        right = complex(*self.right_eye)
        half_line = (right - left) / 2  # of the line from eye to eye
        if not half_line:
            return 90.0
        nose = complex(*self.nose) - (left + right) / 2
        aside = (nose * half_line.conjugate()).real / abs(half_line)
        return math.degrees(math.atan2(aside, _NOSE_DEPTH * abs(half_line)))


def _overlap(start: float, end: float, other_start: float, other_end: float) -> float:
    """The length that two sections of a line share."""
    return max(0.0, min(end, other_end) - max(start, other_start))
