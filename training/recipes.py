"""What makes a version, one recipe each: `python -m training.train --recipe flagship --data PATH --output RUN`."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.augment import Augmentation
from training.data import SIDE


@dataclass(frozen=True)
class Schedule:
    """A trapezoid: a warm-up, a plateau that can be prolonged while it lasts, a linear fall to nothing.

    Hägele et al. 2024.
    """

    epochs: int
    warm_up: int = 2
    fall: int = 8
    batch_size: int = 256
    learning_rate: float = 3e-3  # of AdamW, at the plateau
    weight_decay: float = 0.05


@dataclass(frozen=True)
class Labels:
    """What the network is taught: both labellings of every image of the seven classes, side by side."""

    smoothing: float = 0.05  # of the original label, of which about a tenth is wrong
    blend: float = 0.3  # parts of the FER+ logits in the served network, chosen on PublicTest


@dataclass(frozen=True)
class Views:
    """How the network is shown the faces: crops of `side` pixels, the strays of a view, the pairs that are mixed."""

    side: int = SIDE
    mixup: float = 0.2  # alpha of the Beta distribution that mixes pairs of images; 0 mixes none
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run beside data and seed. `precision` is a Keras dtype policy.

    The plateau may see small crops, which cost less; the fall sees whole frames, nearer to what will be served.
    """

    architecture: str
    schedule: Schedule
    labels: Labels = Labels()
    plateau: Views = Views()
    fall: Views = Views()
    average: float = 0.998  # per step, of the moving average of the weights that is served
    precision: str = "mixed_bfloat16"


RECIPES = {
    # On two idle cores about a minute an epoch, a minute and a half in the fall, two hours in all; no GPU was at hand.
    # 0.81 on fer2013 and 0.85 on ferplus of PublicTest.
    "flagship": Recipe("flagship", Schedule(epochs=103), plateau=Views(side=40)),
    # The flagship's network with half the filters, and with four blocks more: accuracy against size.
    # Ten to twenty minutes, two to four hours; 0.77 and 0.81 on fer2013, 0.84 and 0.84 on ferplus of PublicTest.
    "slim": Recipe("slim", Schedule(epochs=38), plateau=Views(side=40)),
    "deep": Recipe("deep", Schedule(epochs=91), plateau=Views(side=40)),
    # The published architecture with all the rest alike, to tell what the recipe gains from what the network does.
    "seed-cnn": Recipe("seed_cnn", Schedule(epochs=60)),
}
