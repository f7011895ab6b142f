"""Whether a graph is the one that was measured, and whether weights are those of a graph.

Both are asked without any data. Probes are face-sized pictures made from a seed. A graph answers
them to within rounding alike on every machine, and two graphs never answer all of them alike:
flagship and flagship-seven, of one training, differ by 0.15, in probability.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer import EmotionClassifier, ModelVersion
from fer.preprocessing import ONE_VIEW, normalize

if TYPE_CHECKING:
    import keras

REPEATED = {"float32": 1e-4, "int8": 0.01}
"""How far, in probability, the answers of one graph may differ, by the precision of its weights.

Other kernels give int8 about 0.003.
"""

CONVERTED = {"float32": 1e-4, "int8": 0.1}
"""How far a graph may be from Keras; coarse for int8, whose loss `training.evaluate` measures."""


def probes(shape: tuple[int, int, int], n: int = 64) -> NDArray[np.uint8]:
    """Noise and smooth ramps, `n` of each: (2 n, height, width)."""
    height, width, _ = shape
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (n, height, width))
    row = np.linspace(0, 255, width)
    brightness = rng.uniform(0.2, 1.0, (n, 1, 1))
    ramps = row * brightness * np.ones((1, height, 1))
    return np.concatenate([noise, ramps]).astype(np.uint8)


def answers(classifier: EmotionClassifier) -> NDArray[np.float32]:
    """What the graph says of the probes, as it is served."""
    return classifier.predict(probes(classifier.version.input_shape))


def precision(version: ModelVersion) -> str:
    """The precision of the graph's weights, a key of the tolerances."""
    return "int8" if version.lineage.get("precision") == "int8" else "float32"


def parity(model: keras.Model, version: ModelVersion) -> float:
    """How far the graph is from the Keras network, in one batch and one by one.

    Temperature and views are left out.
    """
    crops = probes(version.input_shape)
    classifier = EmotionClassifier(replace(version, temperature=1.0, views=ONE_VIEW))
    expected = np.asarray(model(normalize(crops, version.input_range), training=False))
    together = classifier.predict(crops)
    alone = np.concatenate([classifier.predict(crop[None]) for crop in crops])
    return max(_distance(together, expected), _distance(alone, expected))


def _distance(scores: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.abs(scores - expected).max())
