"""The command line: `fer predict PHOTO...`, `fer watch VIDEO|CAMERA`, `fer models`.

Also as `python -m fer`.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

import cv2
from tqdm import tqdm

from fer import __version__
from fer.classifier import EmotionClassifier
from fer.cli.console import StandardOutput, prepare_streams, say, without_chatter
from fer.cli.files import GrowingFile, name_of, part_of
from fer.cli.formats import FORMS, Form, form_of
from fer.cli.interruption import Interruption
from fer.cli.predict import Photo, PhotoWork, Results, Tally, classified, find_photos, read_part
from fer.cli.watch import Watched, Watcher
from fer.detection.loading import DETECTORS, load_detector
from fer.errors import FERError, ImageError, VideoError
from fer.pipeline import FERPipeline
from fer.registry.base import Listing, Registry
from fer.registry.opening import REPO_VARIABLE, open_registry
from fer.streams.video import Camera, open_video
from fer.versions.folder import ModelVersion, read_version
from fer.versions.report import Report

_STDIN = Path("-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, which `--help` explains."""
    prepare_streams()
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except FERError as error:
        say(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        say("interrupted\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer", description="Classify the expressions of faces in photos and video."
    )
    parser.add_argument("--version", action="version", version=f"fer {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    predict = commands.add_parser(
        "predict",
        help="find the faces of photos and classify their expressions",
        epilog=(
            "exit status: 0 if every photo was classified; 1 if one could not be used, or its"
            " annotated copy not written; 2 if nothing could be done, or the results not written;"
            " 130 after Ctrl-C, 143 after SIGTERM"
        ),
    )
    predict.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PHOTO|FOLDER|-",
        help=(
            "folders are searched whole; - reads names from standard input, one a line or separated"
            " by NUL"
        ),
    )
    predict.add_argument("--format", choices=FORMS, default=FORMS[0], help="default %(default)s")
    predict.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help=(
            "write the results and annotated photos here; the results grow in results.*.part until"
            " they are whole"
        ),
    )
    predict.add_argument(
        "--no-images", action="store_true", help="with --output, write no annotated photos"
    )
    predict.add_argument(
        "--resume",
        action="store_true",
        help="with --output, go on where a stopped run ended; not for tables",
    )
    predict.set_defaults(run=_predict)
    watch = commands.add_parser(
        "watch",
        help="follow the expressions of a video file or a camera",
        epilog=(
            "exit status: 0 if the whole video was watched, or a camera until it was stopped; 1 if"
            " the video is damaged or cut short; 2 if nothing could be done, or what was asked for"
            " not written; 130 after Ctrl-C and 143 after SIGTERM in a video file"
        ),
    )
    watch.add_argument(
        "source", metavar="VIDEO|CAMERA", help="a file, or a camera's number such as 0"
    )
    watch.add_argument(
        "--smoothing",
        type=_seconds,
        default=0.5,
        metavar="SECONDS",
        help="time constant of the scores, default %(default)s; 0 for none",
    )
    watch.add_argument(
        "--output",
        type=Path,
        metavar="FILE.mp4",
        help="write the annotated video here: mp4, mkv or mov",
    )
    watch.add_argument(
        "--csv", type=Path, metavar="FILE.csv", help="write every track in every frame here"
    )
    watch.set_defaults(run=_watch)
    for command in (predict, watch):
        command.add_argument(
            "--model",
            metavar="NAME|PATH",
            help=(
                "version, alias or sha, default the one in production; or a version's folder,"
                " written with a slash"
            ),
        )
        command.add_argument(
            "--detector",
            choices=DETECTORS,
            default=DETECTORS[0],
            help="default %(default)s; none where each picture is a face already",
        )
    models = commands.add_parser(
        "models",
        help="list the versions",
        epilog=(
            "exit status: 0 if every version is sound; 1 if one is broken; 2 if they cannot be"
            " listed"
        ),
    )
    models.set_defaults(run=_models)
    for command in (predict, watch, models):
        command.add_argument(
            "--repo",
            metavar="USER/NAME",
            help=f"a repo on the Hub, default ${REPO_VARIABLE} or none",
        )
    return parser


def _models(options: argparse.Namespace) -> int:
    registry = open_registry(options.repo)
    listing = _listed(registry)
    output = StandardOutput()
    broken = 0
    if not listing.versions:
        say(f"there is no version in {listing.source}\n")
    for ref, version in registry.describe(listing.versions).items():
        name = " ".join([ref.name, *ref.aliases])
        try:
            if isinstance(version, FERError):
                raise version
            report = version.report()
        except FERError as error:
            broken += 1
            output.write(f"{name:20} broken: {error}\n")
            continue
        output.write(
            f"{name:20} {version.sha256[:12]}  {version.parameters:>9,} parameters "
            f" {_accuracies(report)}\n"
        )
    return int(broken > 0)


def _accuracies(report: Report | None) -> str:
    """The accuracy on each test set, under the first of its labellings."""
    if report is None:
        return "not evaluated"
    accuracies = {name: known.first.accuracy for name, known in report.test_sets.items()}
    return ", ".join(
        f"{name}: accuracy {found.value:.4f} ({found.low:.4f} to {found.high:.4f}, n={found.n})"
        for name, found in accuracies.items()
    )


def _predict(options: argparse.Namespace) -> int:
    """Deliver the rows of each photo as they come."""
    output = StandardOutput(needed=not options.output)
    if options.format == "json" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON must be, whatever the terminal speaks
    photos = find_photos(list(_named(options.paths)), options.output)
    cv2.setNumThreads(1)  # photos run side by side, so each keeps to one thread
    pipeline = _pipeline(options, threads=1)
    work = PhotoWork(pipeline, None if options.no_images else options.output)
    form = form_of(options.format, pipeline.classifier.labels, (photo.name for photo in photos))
    file, beginning, tally = _begin(options, form, photos, pipeline)
    results = Results(form, output, file, tally)
    with file or nullcontext(), Interruption() as interruption:
        try:
            output.write(beginning)
            batch = classified(photos[tally.photos :], work, interruption)
            for records in tqdm(
                batch, total=len(photos), initial=tally.photos, unit="photo", disable=None
            ):
                results.add(records)
                if not results.wanted:
                    break
            if file and tally.photos == len(photos):
                file.finish()
        finally:
            say(results.summary(len(photos)))
    if interruption.noted and tally.photos < len(photos):
        return interruption.status
    return int(tally.failed > 0)


def _named(paths: Sequence[Path]) -> Iterator[Path]:
    """The paths, with the names that standard input holds in the place of a `-`."""
    for path in paths:
        if path != _STDIN:
            yield path
            continue
        content = sys.stdin.buffer.read() if sys.stdin else b""
        names = content.split(b"\0" if b"\0" in content else b"\n")
        if not any(names):
            raise ImageError(
                "standard input holds no name; file names are expected, one a line or separated by"
                " NUL."
            )
        yield from (Path(os.fsdecode(name)) for name in names if name)


def _begin(
    options: argparse.Namespace, form: Form, photos: Sequence[Photo], pipeline: FERPipeline
) -> tuple[GrowingFile | None, str, Tally]:
    """The file of the results, if one is asked for, the text that it begins with.

    And what that text tells.
    """
    if not options.output:
        if options.resume:
            raise FERError(
                "--resume goes on with a file of results; say with --output where it is."
            )
        return None, form.header, Tally()
    path = options.output / f"results.{form.suffix}"
    part = part_of(path)
    kept, tally = "", Tally()
    if options.resume:
        kept, tally = read_part(part, form, photos, pipeline)
    elif part.is_file() and part.stat().st_size > len(form.header.encode()):
        raise FERError(
            f"{name_of(part)} holds what a stopped run found; go on with --resume, or remove it."
        )
    return GrowingFile(path, "--output", header=form.header, kept=kept), kept or form.header, tally


def _watch(options: argparse.Namespace) -> int:
    """Print the spans of each label, and a summary; Ctrl-C is how a camera's stream ends."""
    for name in ("output", "csv"):
        path = getattr(options, name)
        if (
            path
            and path.exists()
            and Path(options.source).exists()
            and path.samefile(options.source)
        ):
            raise VideoError(f"{path} is the video that is watched; choose another --{name}.")
    output = StandardOutput(needed=not (options.output or options.csv))
    watched = Watched()
    source = open_video(options.source)
    try:
        watcher = Watcher(_pipeline(options), options.smoothing, options.output, options.csv)
        with closing(watcher(source, watched)) as frames, Interruption() as interruption:
            for _ in tqdm(frames, total=source.total, unit="frame", disable=None):
                if interruption.noted:
                    break
        damage = "" if interruption.noted else source.damage
    finally:
        source.close()
    if not (watched.frames or interruption.noted):
        raise VideoError(
            f"{options.source}: no frame could be read; the video is empty or damaged."
        )
    output.write(watched.table())
    say(f"{watched.summary()}{', ' if damage else ''}{damage}\n")
    if interruption.noted:
        return 0 if isinstance(source, Camera) else interruption.status
    return int(bool(damage))


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 60:
        raise argparse.ArgumentTypeError(f"must lie in 0 to 60 seconds, received {text}")
    return value


def _version(options: argparse.Namespace) -> ModelVersion:
    if options.model and os.sep in options.model:
        return read_version(options.model)
    registry = open_registry(options.repo)
    listing = _listed(registry)
    return registry.fetch(
        listing.default() if options.model is None else listing.resolve(options.model)
    )


def _listed(registry: Registry) -> Listing:
    """The versions there are; what the user should know of the list goes to standard error."""
    listing = registry.list()
    say(f"{listing.notice}\n" if listing.notice else "")
    return listing


def _pipeline(options: argparse.Namespace, *, threads: int = 2) -> FERPipeline:
    version = _version(options)
    with without_chatter():
        return FERPipeline(
            load_detector(options.detector, threads=threads),
            EmotionClassifier(version, threads=threads),
        )
