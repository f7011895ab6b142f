"""The networks, and the served one that is made of a trained one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from tests.factories.runs import succeed

pytestmark = pytest.mark.timeout(300)

FACTS = """
import json
import numpy as np
from training.architectures import begin_from, served, serve, trainable
from fer.versions.labels import LABEL_SETS
from training.data.classes import blend_logits
from training.recipes import RECIPES

def described(model):
    layers = model.layers
    shapes = [(type(layer).__name__, list(layer.output.shape[1:])) for layer in layers]
    activations = [layer.activation for layer in layers if hasattr(layer, "activation")]
    return {
        "input": list(model.input_shape),
        "layers": shapes,
        "total": sum(w.numpy().size for w in model.weights),
        "trainable": sum(w.numpy().size for w in model.trainable_weights),
        "activations": sorted({activation.__name__ for activation in activations}),
        "rates": [layer.rate for layer in layers if hasattr(layer, "rate")],
    }

def answered(model):
    return np.asarray(model(faces)).tolist()

trained = trainable("flagship")
faces = np.random.default_rng(0).random((3, 48, 48, 1), np.float32)
logits = np.asarray(trained(faces))
continued = trainable("flagship")
begin_from(continued, serve(trained, 0.3))
networks = {name: served(recipe.architecture) for name, recipe in RECIPES.items()}
print(json.dumps({
    "seed_cnn": described(served("seed_cnn")),
    "flagship": described(served("flagship")),
    "parameters": {name: network.count_params() for name, network in networks.items()},
    "any_side": [list(trained(faces[:, :side, :side]).shape) for side in (40, 48)],
    "served": answered(serve(trained, 0.3)),
    "continued": answered(serve(continued, 0.7)),
    "blended": blend_logits(logits, 0.3).tolist(),
    "seven": answered(serve(trained, 0.3, LABEL_SETS["seven"])),
    "eight": answered(serve(trained, 1.0, LABEL_SETS["eight"])),
    "logits": logits.tolist(),
}))
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What a process with Keras says of the networks."""
    facts: dict[str, Any] = json.loads(succeed("-c", FACTS).splitlines()[-1])
    return facts


def test_the_seed_network_is_the_published_one(facts):
    expected: list[list[object]] = [["InputLayer", [48, 48, 1]]]
    for side, filters in ((48, 32), (24, 64), (12, 128), (6, 256)):
        block = ["Conv2D", "Activation", "BatchNormalization"] * 2
        expected += [[name, [side, side, filters]] for name in block]
        expected += [
            [name, [side // 2, side // 2, filters]] for name in ("MaxPooling2D", "Dropout")
        ]
    expected += [["Flatten", [2304]]]
    expected += [
        [name, [64]] for name in ("Dense", "Activation", "BatchNormalization", "Dropout")
    ] * 2
    expected += [["Dense", [7]], ["Dense", [4]]]
    seed = facts["seed_cnn"]
    assert seed["layers"] == expected
    assert (seed["total"], seed["trainable"], seed["total"] - seed["trainable"]) == (
        1_328_199,
        1_326_023,
        2_176,
    )
    assert seed["activations"] == ["elu", "linear", "softmax"]
    assert seed["rates"] == [0.15] * 4 + [0.3] * 2
    assert seed["input"] == [None, 48, 48, 1]


def test_the_flagship_is_as_large_as_its_docstring_says_and_takes_smaller_crops(facts):
    flagship = facts["flagship"]
    assert (flagship["input"], flagship["total"]) == ([None, 48, 48, 1], 1_219_812)
    assert flagship["activations"] == ["linear", "relu", "sigmoid", "softmax"]
    assert max(side for _, (side, *_) in flagship["layers"][1:]) <= 192
    assert facts["any_side"] == [[3, 15], [3, 15]]


def test_every_recipe_names_a_network(facts):
    assert facts["parameters"] == {
        "flagship": 1_219_812,
        "ordinary": 1_219_812,
        "ordinary-long": 1_219_812,
        "slim": 306_804,
        "deep": 3_169_204,
        "seed-cnn": 1_328_199,
    }


def test_the_served_network_blends_the_logits_of_the_trained_one(facts):
    powers = np.exp(facts["blended"])
    assert np.allclose(facts["served"], powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_seven_and_eight_labels_are_the_outputs_of_their_data_set(facts):
    logits = np.array(facts["logits"])
    original, ferplus = logits[:, [3, 4, 6, 5, 0, 1, 2]], logits[:, [8, 10, 7, 9, 11, 12, 13, 14]]
    mixed = 0.7 * original + 0.3 * ferplus[:, :7]
    assert np.allclose(facts["seven"], softmax(mixed, axis=1), atol=1e-5)
    assert np.allclose(facts["eight"], softmax(ferplus, axis=1), atol=1e-5)


def test_a_run_begins_from_a_served_network_whatever_the_blend(facts):
    assert np.allclose(facts["continued"], facts["served"], atol=1e-5)
