"""How a trained network is served: its labels, and how their scores are made of its logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fer import DataError
from fer.preprocessing import ONE_VIEW, Views
from fer.versions.labels import LABEL_SETS
from training.trained import Trained


@dataclass(frozen=True)
class OperatingPoint:
    """How a trained network is served.

    Attributes:
        blend: The parts of FER+ in the logits, if not those of the recipe.
        precision: Of the graph's weights; model.safetensors keeps float32, from which training can
            go on.
        views: Of a face, over which the answers are averaged.
        labels: A key of `LABEL_SETS`: what the version answers. The weights that are kept hold the
            outputs of all of them.
        offsets: By label, are added to the logits, as what is rare among the examples is otherwise
            answered more rarely still (Menon et al. 2021, section 4).
    """

    blend: float | None = None
    precision: str = "float32"
    views: Views = ONE_VIEW
    labels: str = "four"
    offsets: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = LABEL_SETS[self.labels]
        if unknown := sorted(set(self.offsets) - set(labels)):
            raise DataError(
                f"received an offset of {', '.join(unknown)}, expected one of {', '.join(labels)}."
            )


def served_blend(trained: Trained, point: OperatingPoint) -> float:
    """The parts of FER+ in the logits: none where nobody voted, as its outputs learnt nothing."""
    voted = trained.lineage["voted"]
    if point.labels == "eight":
        _check_blend_of_eight(trained.folder, voted, point.blend)
        return 1.0
    if voted:
        recipe_blend = float(trained.recipe["labels"]["blend"])
        return recipe_blend if point.blend is None else point.blend
    if point.blend:
        raise DataError(
            f"{trained.folder} saw no FER+ votes, so its outputs for them learnt nothing, and"
            f" received a blend of {point.blend:g}; leave --blend away."
        )
    return 0.0


def _check_blend_of_eight(run: Path, voted: int, blend: float | None) -> None:
    if not voted:
        raise DataError(
            f"{run} saw no FER+ votes, which alone know eight labels; export seven or four."
        )
    if blend not in (None, 1.0):
        raise DataError(
            f"received a blend of {blend:g} of eight labels, which FER+ alone knows; leave"
            " --blend away."
        )
