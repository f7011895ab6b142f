"""Networks by name, in backend-agnostic Keras.

Every network maps (n, 48, 48, 1) float32 to (n, 4) probabilities in the order of `fer.LABELS`.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from fer import LABELS

INPUT_SHAPE = (48, 48, 1)


def seed_cnn(*, activation: str = "elu", convolution_dropout: float = 0.15, dense_dropout: float = 0.3) -> keras.Model:
    """The published starting point: four double 3x3 convolutions, two dense layers of 64, a bottleneck of 7.

    1,328,199 parameters, of which 2,176 are the moving statistics of batch normalisation.
    Each convolution and each dense layer of 64 is followed by its activation, then by batch normalisation.
    """
    inputs = x = keras.Input(INPUT_SHAPE, name="face")
    for filters in (32, 64, 128, 256):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
            x = layers.BatchNormalization()(layers.Activation(activation)(x))
        x = layers.Dropout(convolution_dropout)(layers.MaxPooling2D()(x))
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(64, kernel_initializer="he_normal")(x)
        x = layers.BatchNormalization()(layers.Activation(activation)(x))
        x = layers.Dropout(dense_dropout)(x)
    x = layers.Dense(7, activation=activation, kernel_initializer="he_normal")(x)
    outputs = layers.Dense(len(LABELS), activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="seed_cnn")


ARCHITECTURES: dict[str, Callable[[], keras.Model]] = {"seed_cnn": seed_cnn}
