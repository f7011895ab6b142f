"""Networks by name, in backend-agnostic Keras.

A network ends in one dense layer. In training it gives 15 logits: the seven classes of FER2013,
then the eight emotions of FER+, as two label sets taught side by side. `serve` makes of it what the
app runs: the probabilities of the expressions of one of `LABEL_SETS`, from any blend of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import keras
import numpy as np
from keras import layers

from fer import LABELS
from training.data.classes import (
    CLASSES,
    EMOTIONS,
    FER2013_INDEX,
    FERPLUS_INDEX,
    blend_logits,
)
from training.data.fer2013 import SIDE

LOGITS = len(CLASSES) + len(EMOTIONS)
NO_OFFSETS: Mapping[str, float] = MappingProxyType({})
Body = Callable[[keras.KerasTensor], keras.KerasTensor]


class BatchNormalization(layers.BatchNormalization):
    """Keras's own, trained on pictures through TensorFlow's fused kernel where that is the backend.

    Keras computes in float32 and in many passes over memory, which takes a quarter of all time on a
    CPU.
    """

    def call(
        self,
        inputs: keras.KerasTensor,
        training: bool | None = None,
        mask: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        is_picture = len(inputs.shape) == 4
        if not training or not is_picture or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=True
        )
        self._update(self.moving_mean, mean)
        self._update(self.moving_variance, variance)
        return outputs

    def _update(self, moving: keras.Variable, value: keras.KerasTensor) -> None:
        moving.assign(self.momentum * moving.value + (1 - self.momentum) * value)


def seed_cnn(
    x: keras.KerasTensor,
    *,
    activation: str = "elu",
    convolution_dropout: float = 0.15,
    dense_dropout: float = 0.3,
) -> keras.KerasTensor:
    """The published starting point: four double 3x3 convolutions, three dense layers of 64, 64, 7.

    1,328,199 parameters, of which 2,176 are the moving statistics of batch normalisation; 117 M
    multiply-adds. Each convolution and each dense layer of 64 is followed by its activation, then
    by batch normalisation.
    """
    for filters in (32, 64, 128, 256):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
            x = layers.Activation(activation)(x)
            x = BatchNormalization()(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(convolution_dropout)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(64, kernel_initializer="he_normal")(x)
        x = layers.Activation(activation)(x)
        x = BatchNormalization()(x)
        x = layers.Dropout(dense_dropout)(x)
    return layers.Dense(7, activation=activation, kernel_initializer="he_normal")(x)


def flagship(
    x: keras.KerasTensor,
    *,
    filters: tuple[int, int, int] = (64, 128, 192),
    blocks: tuple[int, int, int] = (1, 2, 1),
) -> keras.KerasTensor:
    """A residual network (He et al. 2016) with squeeze-and-excitation (Hu et al. 2018).

    With the default filters and blocks of its three stages 1,219,812 parameters, 150 M
    multiply-adds at 48x48. The first convolution halves the side, so that no layer works on more
    than 24x24 places; each later stage halves it again, by the average, not by leaving pixels out
    (He et al. 2019). Global average pooling lets it train on smaller crops than it serves.
    """
    x = _convolution(x, filters[0] // 2, strides=2)
    x = _convolution(x, filters[0])
    for width, strides, depth in zip(filters, (1, 2, 2), blocks, strict=True):
        for block in range(depth):
            x = _residual(x, width, strides if block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(0.1)(x)


def _residual(x: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
    y = _convolution(x, filters, strides=strides)
    y = _convolution(y, filters, activation=None)
    y = _excitation(y)
    if strides > 1:
        x = layers.AveragePooling2D(strides)(x)
    if x.shape[-1] != filters:
        x = _convolution(x, filters, size=1, activation=None)
    return layers.Activation("relu")(layers.Add()([x, y]))


def _convolution(
    x: keras.KerasTensor,
    filters: int,
    *,
    size: int = 3,
    strides: int = 1,
    activation: str | None = "relu",
) -> keras.KerasTensor:
    convolution = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    x = BatchNormalization(momentum=0.9)(convolution(x))
    return layers.Activation(activation)(x) if activation else x


def _excitation(x: keras.KerasTensor) -> keras.KerasTensor:
    """Each channel times a factor in (0, 1) that the means of all channels decide."""
    channels = x.shape[-1]
    factors = layers.GlobalAveragePooling2D(keepdims=True)(x)
    factors = layers.Conv2D(channels // 8, 1, activation="relu")(factors)
    factors = layers.Conv2D(channels, 1, activation="sigmoid")(factors)
    return layers.Multiply()([x, factors])


BODIES: dict[str, Body] = {
    "seed_cnn": seed_cnn,
    "flagship": flagship,
    "slim": partial(flagship, filters=(32, 64, 96)),
    "deep": partial(flagship, blocks=(1, 4, 3)),
}
FIXED_SIDE = {"seed_cnn"}  # the others take faces of any side that is a multiple of eight


def trainable(architecture: str) -> keras.Model:
    """The network to train: faces (n, side, side, 1) -> logits (n, 15)."""
    side = SIDE if architecture in FIXED_SIDE else None
    inputs = keras.Input((side, side, 1), name="face")
    features = BODIES[architecture](inputs)
    outputs = layers.Dense(LOGITS, dtype="float32", name="logits")(features)
    return keras.Model(inputs, outputs, name=architecture)


def served(
    architecture: str, *, shape: tuple[int, int, int] = (SIDE, SIDE, 1), classes: int = len(LABELS)
) -> keras.Model:
    """The network to serve: faces (n, *shape) -> probabilities (n, classes)."""
    inputs = keras.Input(shape, name="face")
    features = BODIES[architecture](inputs)
    outputs = layers.Dense(classes, activation="softmax", name="probabilities")(features)
    return keras.Model(inputs, outputs, name=architecture)


def serve(
    trained: keras.Model,
    blend: float,
    labels: tuple[str, ...] = LABELS,
    side: int = SIDE,
    offsets: Mapping[str, float] = NO_OFFSETS,
) -> keras.Model:
    """The served network of a trained one, for faces of `side` pixels.

    Its logits are those of FER2013, and `blend` parts of those of FER+; `offsets`, by label, are
    added to them.
    """
    model = served(trained.name, shape=(side, side, 1), classes=len(labels))
    *body, kernel, bias = trained.get_weights()
    offset = np.array([offsets.get(label, 0.0) for label in labels], bias.dtype)
    served_kernel = blend_logits(kernel, blend, labels)
    served_bias = blend_logits(bias, blend, labels) + offset
    model.set_weights([*body, served_kernel, served_bias])
    return model


def begin_from(trained: keras.Model, model: keras.Model) -> None:
    """Give the network to train the weights of another: of one like it, or of a served one.

    Of a served one, classes that are not served keep their own logits.
    """
    if model.output_shape == trained.output_shape:
        trained.set_weights(model.get_weights())
        return
    *body, kernel, bias = model.get_weights()
    *_, all_kernels, all_biases = trained.get_weights()
    ferplus_columns = len(CLASSES) + np.array(FERPLUS_INDEX)
    for columns in (np.array(FER2013_INDEX), ferplus_columns):
        all_kernels[..., columns] = kernel
        all_biases[columns] = bias
    trained.set_weights([*body, all_kernels, all_biases])
