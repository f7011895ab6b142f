"""What makes a version, one recipe each: `python -m training.train --recipe flagship --data PATH --output RUN`.

A recipe of one's own is a Python file that defines `RECIPE`:

    from dataclasses import replace
    from training.recipes import RECIPES, Schedule

    RECIPE = replace(RECIPES["flagship"], schedule=Schedule(epochs=40, learning_rate=2e-3))
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from fer import DataError
from training.data.augmentation import Augmentation
from training.data.fer2013 import SIDE


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

    def __post_init__(self) -> None:
        for name in ("epochs", "warm_up", "fall", "batch_size"):
            if getattr(self, name) < 1:
                raise DataError(
                    f"schedule.{name} is {getattr(self, name)}, expected a whole number from 1 on."
                )


@dataclass(frozen=True)
class Labels:
    """What the network is taught: both labellings of every image of the seven classes, side by side.

    `adjustment` adds that much of the logarithm of each class's frequency to its logit in the loss,
    so that what is served answers as if the classes were equally common (Menon et al. 2021); 0
    leaves them as common as they are shown.
    """

    # of a label that is one person's opinion, of which about a tenth is wrong
    smoothing: float = 0.05
    blend: float = 0.3  # parts of the FER+ logits in the served network, chosen on PublicTest
    adjustment: float = 0.0


@dataclass(frozen=True)
class PhotographDraws:
    """How faces of photographs are shown beside FER2013, where there are some.

    An epoch draws `draws` of them: a person counts with the square root of the number of his
    pictures, a class of n pictures with n to the `power`, so that 0 draws all classes alike. Their
    crop is `scale` times the detector's.
    """

    draws: int = 7000
    power: float = 0.3
    scale: float = 1.2

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise DataError(
                f"photographs.draws is {self.draws}, expected a whole number from 1 on; "
                "leave --photographs away to draw none."
            )
        if not 0.5 <= self.scale <= 2:
            raise DataError(
                f"photographs.scale is {self.scale:g}, expected a number from 0.5 to 2."
            )


@dataclass(frozen=True)
class Views:
    """How the network is shown the faces.

    Crops of `side` pixels, the strays of a view, the pairs that are mixed.
    """

    side: int = SIDE
    mixup: float = 0.2  # alpha of the Beta distribution that mixes pairs of images; 0 mixes none
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.side < 8 or self.side % 8:
            raise DataError(
                f"the side of a view is {self.side} pixels, expected a multiple of eight."
            )


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run beside data and seed. `precision` is a Keras dtype policy.

    The plateau may see small crops, which cost less; the fall sees whole frames, as large as what
    will be served.
    """

    architecture: str
    schedule: Schedule
    labels: Labels = Labels()
    photographs: PhotographDraws = PhotographDraws()
    plateau: Views = Views()
    fall: Views = Views()
    average: float = 0.998  # per step, of the moving average of the weights that is served
    precision: str = "mixed_bfloat16"


RECIPES = {
    # On two idle cores about a minute an epoch, a minute and a half in the fall, two hours in all;
    # no GPU was at hand. 0.81 on fer2013 and 0.85 on ferplus of PublicTest.
    "flagship": Recipe("flagship", Schedule(epochs=103), plateau=Views(side=40)),
    # The same network learns photographs too, at 64 pixels: add --photographs and --initial
    # models/flagship-fer2013, which the recipe above made. More epochs learn the few sad and
    # surprised photographs by heart: see docs/decisions/2026-11-28-ordinary-faces.md. Two to three
    # minutes an epoch, twenty in all.
    "ordinary": Recipe(
        "flagship",
        Schedule(epochs=6, warm_up=1, fall=4, learning_rate=1e-3),
        photographs=PhotographDraws(draws=5000, power=0.25),
        plateau=Views(side=64),
        fall=Views(side=64),
    ),
    # Its longer sister: better on FER2013, worse on what is rare among photographs. The bundled
    # flagship is the mean of the two, better than either: training.export --run runs/ordinary
    # --with runs/ordinary-long. About an hour.
    "ordinary-long": Recipe(
        "flagship",
        Schedule(epochs=20, warm_up=1, fall=10, learning_rate=2e-3),
        photographs=PhotographDraws(draws=8000, power=0.25),
        plateau=Views(side=56),
        fall=Views(side=64),
    ),
    # The flagship's network with half the filters, and with four blocks more: accuracy against
    # size. Ten to twenty minutes, two to four hours; 0.77 and 0.81 on fer2013, 0.84 and 0.84 on
    # ferplus of PublicTest.
    "slim": Recipe("slim", Schedule(epochs=38), plateau=Views(side=40)),
    "deep": Recipe("deep", Schedule(epochs=91), plateau=Views(side=40)),
    # The published architecture with all the rest alike, to tell what the recipe gains from what
    # the network does.
    "seed-cnn": Recipe("seed_cnn", Schedule(epochs=60)),
}


def read_recipe(name: str) -> Recipe:
    """The recipe of this name, or the one in a Python file. Raises DataError."""
    if not name.endswith(".py"):
        if name not in RECIPES:
            raise DataError(
                f"unknown recipe {name}, expected {', '.join(RECIPES)} or a file my_recipe.py."
            )
        return RECIPES[name]
    try:
        recipe = runpy.run_path(name).get("RECIPE")
    except OSError as error:
        raise DataError(f"{name} cannot be read ({error.strerror}).") from error
    if not isinstance(recipe, Recipe):
        raise DataError(
            f"{name} defines no RECIPE, expected RECIPE = Recipe(...) of training.recipes."
        )
    return recipe


def changed(recipe: Recipe, assignments: Sequence[str]) -> Recipe:
    """The recipe with other fields, each as `schedule.learning_rate=1e-3`. Raises DataError."""
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise DataError(
                f"received {assignment!r}, expected FIELD=VALUE as in schedule.learning_rate=1e-3."
            )
        recipe = _with(recipe, path.strip(), text.strip())
    return recipe


def _with(part: Any, path: str, text: str) -> Any:  # noqa: ANN401
    """A dataclass with the text as the value of the field at the path."""
    name, _, rest = path.partition(".")
    known = [field.name for field in fields(part)]
    if name not in known:
        raise DataError(
            f"{type(part).__name__} has no field {name!r}, expected one of {', '.join(known)}."
        )
    value = getattr(part, name)
    if is_dataclass(value) != bool(rest):
        example = f"{name}.{fields(value)[0].name}" if is_dataclass(value) else name
        raise DataError(f"received the field {path!r}, expected one such as {example}.")
    return replace(part, **{name: _with(value, rest, text) if rest else _parsed(value, text, name)})


def _parsed(before: Any, text: str, name: str) -> Any:  # noqa: ANN401
    """The text as a value of the kind that the field holds."""
    if isinstance(before, str):
        return text
    try:
        if isinstance(before, tuple):
            low, high = map(_finite, text.split(","))
            return low, high
        return int(text) if isinstance(before, int) else _finite(text)
    except ValueError as error:
        kinds = {int: "a whole number", float: "a number", tuple: "two numbers as in 0.8,1.2"}
        raise DataError(f"{name} is {text!r}, expected {kinds[type(before)]}.") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
