"""The data of a run: what it learns, and what is measured after each epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer import DataError
from training.data.examples import (
    Examples,
    no_examples,
    photograph_targets,
    training_examples,
)
from training.data.faces import WideFaces, cut_wide
from training.data.fer2013 import Split
from training.data.fer2013_files import load
from training.data.photographs import Photographs, read_photographs, sampling_weights
from training.data.resizing import resized
from training.data.training_set import TrainingSet, Validation
from training.recipes import Recipe
from training.settings import TrainConfig


@dataclass(frozen=True)
class Sources:
    """Everything that a run reads.

    Attributes:
        examples: Of FER2013, to be learnt.
        photographs: To be learnt.
        validation: To be measured after each epoch.
        sha256: A digest of each split.
        epoch_length: How many images of FER2013 an epoch takes.
    """

    examples: Examples = field(default_factory=no_examples)
    photographs: WideFaces | None = None
    validation: Validation = field(default_factory=Validation)
    sha256: dict[str, str] = field(default_factory=dict)
    epoch_length: int = 0


def read_sources(config: TrainConfig, recipe: Recipe) -> Sources:
    """The data that `config` names, of which only its share is learnt. Raises DataError."""
    sources = Sources()
    if config.data:
        sources = _with_fer2013(sources, config)
    if config.photographs:
        sources = _with_photographs(sources, config, recipe)
    return _with_share(sources, config)


def training_set(sources: Sources, config: TrainConfig, recipe: Recipe) -> TrainingSet:
    """The images of an epoch: all of FER2013, and photographs as the recipe samples them."""
    examples = _with_answers(sources.examples, config)
    images = [*resized(examples.images, recipe.decay_crops.side)]
    rows = np.resize(np.arange(len(examples)), sources.epoch_length)
    no_weights = np.zeros(len(examples))
    if not sources.photographs:
        return TrainingSet(images, examples.targets, rows, draws=0, weights=no_weights)
    faces = sources.photographs
    photographed = _photograph_examples(faces, recipe.labels.smoothing)
    photographed = _with_answers(photographed, config)
    draws = recipe.photographs.draws
    weights = sampling_weights(faces.targets, faces.people, recipe.photographs.power)
    return TrainingSet(
        images=[*images, *faces.crops],
        targets=np.concatenate([examples.targets, photographed.targets]),
        rows=rows,
        draws=min(draws, config.limit or draws),
        weights=np.concatenate([no_weights, weights]),
    )


def _with_fer2013(sources: Sources, config: TrainConfig) -> Sources:
    data = load(config.data or "")
    public_test = data.split("PublicTest")
    examples = training_examples(data).select(slice(config.limit))
    limited = Split(*(array[: config.limit] for array in vars(public_test).values()))
    return replace(
        sources,
        examples=examples,
        validation=replace(sources.validation, public_test=limited),
        sha256={"Training": examples.sha256, "PublicTest": public_test.sha256},
        epoch_length=len(examples),
    )


def _with_photographs(sources: Sources, config: TrainConfig, recipe: Recipe) -> Sources:
    photographs = read_photographs(config.photographs or "", config.classes)
    training = photographs.split("Training")
    validation = photographs.split("PublicTest")
    validation_faces = _faces(validation, config.limit, recipe)
    if not (validation_faces.label_targets >= 0).any():
        raise DataError(
            f"{photographs.source}: no validation picture shows a happy, sad, neutral or surprised "
            "face; add some under valid/, or more people."
        )
    sha256 = {
        "Training photographs": training.sha256,
        "PublicTest photographs": validation.sha256,
    }
    return replace(
        sources,
        photographs=_faces(training, config.limit, recipe),
        validation=replace(sources.validation, photographs=validation_faces),
        sha256=sources.sha256 | sha256,
    )


def _faces(photographs: Photographs, limit: int | None, recipe: Recipe) -> WideFaces:
    """The faces of a split; a limit takes rows from all of it, since it is sorted by class."""
    if limit:
        step = max(1, len(photographs) // limit)
        rows = np.arange(0, len(photographs), step)
        photographs = photographs.select(rows[:limit])
    if len(photographs):
        faces = cut_wide(photographs, recipe.decay_crops.side, recipe.photographs.scale)
        if len(faces):
            return faces
    raise DataError(
        f"{photographs.source}: a split for training and one for validation are needed, with a "
        "face that is found in each; add pictures under train/ and valid/, or of more people."
    )


def _with_share(sources: Sources, config: TrainConfig) -> Sources:
    """The sources with the share of the images that is learnt."""
    examples = sources.examples
    photographs = sources.photographs
    if photographs:
        photographs = photographs.select(_sampled_rows(len(photographs), config))
    return replace(
        sources,
        examples=examples.select(_sampled_rows(len(examples), config)),
        photographs=photographs,
    )


def _sampled_rows(n: int, config: TrainConfig) -> NDArray[np.int64]:
    """The rows of the share, in order; a smaller share of a seed lies within a larger one."""
    shuffled = np.random.default_rng(config.seed).permutation(n)
    return np.sort(shuffled[: math.ceil(config.share * n)])


def _photograph_examples(faces: WideFaces, smoothing: float) -> Examples:
    return Examples(faces.served_crops, photograph_targets(faces.targets, smoothing))


def _with_answers(examples: Examples, config: TrainConfig) -> Examples:
    """The examples with the answers of the teachers, if there are any, as half of the targets."""
    from training.distillation import distil

    if not len(examples):
        return examples
    return distil(examples, [Path(run) for run in config.teachers])
