"""BlazeFace, whose weights come with the package."""

from __future__ import annotations

from typing import NamedTuple

from fer.detection.base import Image
from fer.detection.blazeface_graph import BlazeFaceGraph, Size
from fer.detection.candidates import Candidates, joined
from fer.detection.pictures import (
    REGION_SIDE,
    Part,
    check_picture,
    cut_region,
    cut_tiles,
    longest_side,
)
from fer.detection.suppression import merge_overlapping, touching, unnested
from fer.geometry import Box, Landmarks, Point
from fer.results import Face

_LEAST_SCORE = 0.53
_LEAST_SCORE_IN_TILES = 0.65

_WEAK_BELOW = 0.70
"""Of detections under this score one in six is no face, of the others one in sixty (wider300)."""

# A face that fills the picture is found only within a border. That look is taken where the first
# one gave a face that may fill the picture, and gives large faces alone.
_BORDER = 0.35  # of the longest side
_FILLS = 0.6  # height of a face that may fill the picture, of the shortest side
_LARGE = 0.7  # height of a large face, of the shortest side


class _CloserLook(NamedTuple):
    """A look at the tiles of a large picture, if it shows no face or a small one."""

    longest_side: int
    """Of the pictures from which on it is taken, in pixels."""
    tiles: int
    """A side."""
    tile_share: float
    """Of the picture's side that a tile spans."""
    small_share: float
    """Of the picture's longest side under which the width of a face is small."""


_CLOSER_LOOKS = (_CloserLook(1920, 3, 0.4, 0.065), _CloserLook(960, 2, 0.6, 0.045))


class BlazeFace:
    """A detector for phones, in its variant for back cameras, with looks at what it overlooks.

    Args:
        threads: How many threads work on a picture.

    Raises:
        ModelError: the weights are missing or damaged.

    Source:
        Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs".

    Example:
        >>> import numpy as np
        >>> from fer import BlazeFace
        >>> BlazeFace().detect(np.zeros((100, 100, 3), np.uint8))
        []
    """

    name = "blazeface"

    def __init__(self, *, threads: int = 2) -> None:
        self._graph = BlazeFaceGraph(threads=threads)

    def detect(self, image: Image) -> list[Face]:
        """Find the faces of a picture.

        The picture is looked at again with a border around it where nothing was found, or where a
        face that fills it may have been found in pieces, and in tiles where it is large and its
        faces are small.

        Args:
            image: RGB uint8 (height, width, 3).

        Returns:
            Faces with eyes, nose, mouth and ears in pixels of the picture, the largest first.

        Raises:
            ValueError: the picture is not RGB uint8.
        """
        check_picture(image)
        found = self._look(image)
        if _may_be_in_pieces(found, image):
            found = joined([self._large_faces(image), found.largest_first])
        found = found[unnested(found.points)]
        look = _closer_look(found, image)
        if look:
            found = self._with_tiles(found, image, look)
        return _faces(found, image)

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """Find the faces within a region about twice as high as they are.

        Args:
            image: RGB uint8 (height, width, 3).
            region: Where to search, in pixels.

        Returns:
            Faces in pixels of the picture, the largest first.

        Raises:
            ValueError: the picture is not RGB uint8.
        """
        corner, part = cut_region(image, region)
        found = self._look(part, size=(REGION_SIDE, REGION_SIDE))
        return _faces(found.moved(corner), image)

    def _look(self, image: Image, *, size: Size | None = None, border: int = 0) -> Candidates:
        candidates = self._graph.candidates(image, _LEAST_SCORE, size=size, border=border)
        return merge_overlapping(candidates)

    def _large_faces(self, image: Image) -> Candidates:
        """The large faces that a look with a border around the picture shows."""
        found = self._look(image, border=round(_BORDER * longest_side(image)))
        return found[found.heights >= _LARGE * _shortest_side(image)]

    def _with_tiles(self, found: Candidates, image: Image, look: _CloserLook) -> Candidates:
        """Add the tiles' small faces; those that were found before are less exact and give way."""
        small = look.small_share * longest_side(image)
        in_tiles = self._in_tiles(image, look)
        touches = touching(found, in_tiles)
        is_large = found.widths >= small
        is_new = (in_tiles.widths < small) & ~touches[is_large].any(axis=0)
        stays = is_large | ~touches[:, is_new].any(axis=1)
        return joined([found[stays], in_tiles[is_new]])

    def _in_tiles(self, image: Image, look: _CloserLook) -> Candidates:
        tiles = cut_tiles(image, look.tiles, look.tile_share)
        return merge_overlapping(joined([self._in_tile(tile) for tile in tiles]))

    def _in_tile(self, tile: Part) -> Candidates:
        found = self._graph.candidates(tile.image, _LEAST_SCORE_IN_TILES)
        return found.moved(tile.corner)


def _may_be_in_pieces(found: Candidates, image: Image) -> bool:
    """Whether a face may fill the picture: none was found, a large one, or one within another."""
    if not len(found) or _is_filled(image, found):
        return True
    return len(unnested(found.points)) < len(found)


def _is_filled(image: Image, found: Candidates) -> bool:
    return bool(found.heights.max() >= _FILLS * _shortest_side(image))


def _closer_look(found: Candidates, image: Image) -> _CloserLook | None:
    longest = longest_side(image)
    look = next((look for look in _CLOSER_LOOKS if longest >= look.longest_side), None)
    if look and (not len(found) or found.widths.min() < look.small_share * longest):
        return look
    return None


def _shortest_side(image: Image) -> int:
    return int(min(image.shape[:2]))


def _faces(found: Candidates, image: Image) -> list[Face]:
    return found.faces(image, _landmarks, weak_below=_WEAK_BELOW)


def _landmarks(points: list[Point]) -> Landmarks:
    *eyes, nose, mouth, ear, other_ear = points
    left_eye, right_eye = sorted(eyes)
    left_ear, right_ear = sorted((ear, other_ear))
    return Landmarks(left_eye, right_eye, nose, mouth, (left_ear, right_ear))
