"""`fer predict`: find the faces of photos and classify their expressions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import cv2
import typer
from tqdm import tqdm

from fer.cli.application import one_of
from fer.cli.batch import PhotoWork, Results, classify_all
from fer.cli.console import StandardOutput, say, write_utf_8
from fer.cli.files import GrowingFile, name_of, part_of
from fer.cli.formats import FORMS, Form, form_of
from fer.cli.interruption import Interruption
from fer.cli.options import DetectorOption, ModelOption, RepoOption, load_pipeline
from fer.cli.photos import Photo, find_photos
from fer.cli.resuming import Kept, read_part
from fer.detection.loading import DETECTORS
from fer.errors import FERError
from fer.pipeline import FERPipeline

SUMMARY = "find the faces of photos and classify their expressions"
EXIT_STATUS = (
    "exit status: 0 if every photo was classified; 1 if one could not be used, or its annotated"
    " copy not written; 2 if nothing could be done, or the results not written; 130 after Ctrl-C,"
    " 143 after SIGTERM"
)
PathsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTO|FOLDER|-",
        help=(
            "folders are searched whole; - reads names from standard input, one a line or separated"
            " by NUL"
        ),
    ),
]
FormatOption = Annotated[str, one_of(FORMS, "--format")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=(
            "write the results and annotated photos here; the results grow in results.*.part until"
            " they are whole"
        ),
    ),
]
NoImagesOption = Annotated[
    bool, typer.Option("--no-images", help="with --output, write no annotated photos")
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="with --output, go on where a stopped run ended; not for tables"),
]


def predict(  # noqa: PLR0913 - its options
    paths: PathsArgument,
    *,
    form_name: FormatOption = FORMS[0],
    output: OutputOption = None,
    no_images: NoImagesOption = False,
    resume: ResumeOption = False,
    model: ModelOption = None,
    detector: DetectorOption = DETECTORS[0],
    repo: RepoOption = None,
) -> int:
    """Deliver the rows of each photo as they come."""
    stdout = StandardOutput(needed=output is None)
    if form_name == "json":
        write_utf_8()
    photos = find_photos(paths, output)
    cv2.setNumThreads(1)  # photos run side by side, so each keeps to one thread
    pipeline = load_pipeline(model, detector, repo, threads=1)
    work = PhotoWork(pipeline, None if no_images else output)
    form = form_of(form_name, pipeline.classifier.labels, (photo.name for photo in photos))
    kept = _find_kept(output, form, photos, pipeline) if resume else Kept()
    file = _open_results(output, form, kept, resume=resume)
    results = Results(form, stdout, file, kept.tally)
    return _run(photos, work, results, kept.text or form.header)


def _run(photos: Sequence[Photo], work: PhotoWork, results: Results, beginning: str) -> int:
    """Deliver the beginning and the rows that are left, and return the exit status."""
    with results.file or nullcontext(), Interruption() as interruption:
        try:
            results.output.write(beginning)
            _deliver(photos, work, results, interruption)
        finally:
            say(results.summary(len(photos)))
    if interruption.noted and results.tally.photos < len(photos):
        return interruption.status
    return int(results.tally.failed > 0)


def _find_kept(
    output: Path | None, form: Form, photos: Sequence[Photo], pipeline: FERPipeline
) -> Kept:
    if output is None:
        raise FERError("--resume goes on with a file of results; say with --output where it is.")
    return read_part(part_of(_results_path(output, form)), form, photos, pipeline)


def _open_results(
    output: Path | None, form: Form, kept: Kept, *, resume: bool
) -> GrowingFile | None:
    """The file of the results, if one is asked for."""
    if output is None:
        return None
    path = _results_path(output, form)
    part = part_of(path)
    if not resume and part.is_file() and part.stat().st_size > len(form.header.encode()):
        raise FERError(
            f"{name_of(part)} holds what a stopped run found; go on with --resume, or remove it."
        )
    return GrowingFile(path, "--output", header=form.header, kept=kept.text)


def _results_path(output: Path, form: Form) -> Path:
    return output / f"results.{form.suffix}"


def _deliver(
    photos: Sequence[Photo], work: PhotoWork, results: Results, interruption: Interruption
) -> None:
    """Classify the photos that have no rows yet, for as long as somebody takes rows."""
    done = results.tally.photos
    batch = classify_all(photos[done:], work, interruption)
    for records in tqdm(batch, total=len(photos), initial=done, unit="photo", disable=None):
        results.add(records)
        if not results.wanted:
            break
    if results.file and results.tally.photos == len(photos):
        results.file.finish()
