"""The command line: `python -m fer predict PHOTO...`, `python -m fer watch VIDEO|CAMERA`, `python -m fer models`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
from tqdm import tqdm

from fer.artifact import ModelVersion
from fer.batch import PhotoWork, find_photos, save
from fer.classifier import EmotionClassifier
from fer.detectors import DETECTORS, load_detector
from fer.errors import FERError, VideoError
from fer.pipeline import FERPipeline
from fer.records import Record, to_csv, to_json_lines
from fer.registry import REPO_VARIABLE, Listing, Registry, open_registry
from fer.video import Camera, open_video
from fer.watch import Watched, Watcher


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1 if a photo failed, 2 if nothing could be done, 130 on Ctrl-C."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold what the terminal cannot show
    try:
        return int(options.run(options))
    except FERError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fer", description="Classify the expressions of faces in photos and video."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    predict = commands.add_parser("predict", help="find the faces of photos and classify their expressions")
    predict.add_argument("paths", nargs="+", type=Path, metavar="PHOTO|FOLDER", help="folders are searched whole")
    predict.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default %(default)s")
    predict.add_argument("--output", type=Path, metavar="DIR", help="write results.FORMAT and annotated photos here")
    predict.set_defaults(run=_predict)
    watch = commands.add_parser("watch", help="follow the expressions of a video file or a camera")
    watch.add_argument("source", metavar="VIDEO|CAMERA", help="a file, or a camera's number such as 0")
    watch.add_argument(
        "--smoothing",
        type=_seconds,
        default=0.5,
        metavar="SECONDS",
        help="time constant of the scores, default %(default)s; 0 for none",
    )
    watch.add_argument("--output", type=Path, metavar="FILE.mp4", help="write the annotated video here")
    watch.add_argument("--csv", type=Path, metavar="FILE.csv", help="write every track in every frame here")
    watch.set_defaults(run=_watch)
    for command in (predict, watch):
        command.add_argument("--model", metavar="NAME", help="version, alias or sha, default the one in production")
        command.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0], help="default %(default)s")
    models = commands.add_parser("models", help="list the versions")
    models.set_defaults(run=_models)
    for command in (predict, watch, models):
        command.add_argument("--repo", metavar="USER/NAME", help=f"a repo on the Hub, default ${REPO_VARIABLE} or none")
    return parser


def _models(options: argparse.Namespace) -> int:
    registry, broken = open_registry(options.repo), 0
    for ref, version in registry.describe(_listed(registry).versions).items():
        name = " ".join([ref.name, *ref.aliases])
        try:
            if isinstance(version, FERError):
                raise version
            metrics = version.metrics()
        except FERError as error:
            broken += 1
            _write(f"{name:20} broken: {error}\n")
            continue
        accuracy = metrics["labellings"]["fer2013"]["accuracy"] if metrics else None
        measured = "{value:.4f} ({low:.4f} to {high:.4f}, n={n})".format(**accuracy) if accuracy else "not evaluated"
        _write(f"{name:20} {version.sha256[:12]}  {version.parameters:>9,} parameters  accuracy {measured}\n")
    return int(broken > 0)


def _version(options: argparse.Namespace) -> ModelVersion:
    registry = open_registry(options.repo)
    listing = _listed(registry)
    return registry.fetch(listing.default() if options.model is None else listing.resolve(options.model))


def _listed(registry: Registry) -> Listing:
    """The versions there are; what the user should know of the list goes to standard error."""
    listing = registry.list()
    sys.stderr.write(f"{listing.notice}\n" if listing.notice else "")
    return listing


def _predict(options: argparse.Namespace) -> int:
    files = find_photos(options.paths, options.output)
    work = PhotoWork(_pipeline(options), options.output)
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        results = list(tqdm(pool.map(work, files), total=len(files), unit="photo", disable=None))
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C or an error, the photos still waiting are left
    records = [record for result in results for record in result]
    _report(records, options, work.pipeline.classifier.labels)
    failed = [record for record in records if record["error"]]
    for record in failed:
        sys.stderr.write(f"{_printable(record['error'])}\n")
    faces = sum(record["face"] is not None for record in records)
    sys.stderr.write(f"{len(files)} photos, {faces} faces, {len(failed)} failed\n")
    return int(bool(failed))


def _watch(options: argparse.Namespace) -> int:
    """Print the spans of each label, and a summary; Ctrl-C is how a camera's stream ends."""
    for name in ("output", "csv"):
        path = getattr(options, name)
        if path and path.exists() and Path(options.source).exists() and path.samefile(options.source):
            raise VideoError(f"{path} is the video that is watched; choose another --{name}.")
    watched = Watched()
    source = open_video(options.source)
    try:
        pipeline = FERPipeline(load_detector(options.detector), EmotionClassifier(_version(options)))
        frames = Watcher(pipeline, options.smoothing, options.output, options.csv)(source, watched)
        for _ in tqdm(frames, total=source.total, unit="frame", disable=None):
            pass
        status = 0
    except KeyboardInterrupt:
        if not watched.meter.frames:
            raise
        status = 0 if isinstance(source, Camera) else 130
    finally:
        source.close()
    if not watched.meter.frames:
        raise VideoError(f"{options.source}: no frame could be read; the video is empty or damaged.")
    _write(
        "".join(
            f"{s.start:9.2f} {s.end:9.2f} s  track {s.track:<3} {s.label:10} {s.score:.2f}\n" for s in watched.spans
        )
    )
    damaged = f", {source.damaged} damaged packets left out" if source.damaged else ""
    sys.stderr.write(f"{watched.summary()}{damaged}\n")
    return status


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 60:
        raise argparse.ArgumentTypeError(f"must lie in 0 to 60 seconds, received {text}")
    return value


def _pipeline(options: argparse.Namespace) -> FERPipeline:
    """A pipeline for one thread a core: photos run side by side, so each interpreter keeps to one thread."""
    cv2.setNumThreads(1)
    detector = load_detector(options.detector, threads=1)
    return FERPipeline(detector, EmotionClassifier(_version(options), threads=1))


def _report(records: list[Record], options: argparse.Namespace, labels: Sequence[str]) -> None:
    text = {"json": to_json_lines, "csv": lambda r: to_csv(r, labels), "table": _table}[options.format](records)
    if options.output:
        suffix = {"json": "jsonl", "csv": "csv", "table": "txt"}[options.format]
        save(options.output / f"results.{suffix}", text.encode("utf-8", "backslashreplace"))
    _write(text)


def _table(records: list[Record]) -> str:
    names = [_printable(record["file"]) for record in records]
    width = max(map(len, names))
    lines = [f"{'file':{width}}  face  expression  score  box"]
    for name, record in zip(names, records, strict=True):
        if record["face"]:
            box = " ".join(f"{v:.0f}" for v in record["box"])
            end = f"{record['face']:>4}  {record['label']:10}  {record['score']:5.2f}  {box}"
        else:
            end = "      failed" if record["error"] else "      no face"
        lines.append(f"{name:{width}}  {end}")
    return "\n".join(lines) + "\n"


def _printable(text: str) -> str:
    """The text without what would break a line or steer a terminal; a file name may hold both."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _write(text: str) -> None:
    """Write to standard output; a reader that has seen enough, such as `head`, is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails again while it exits


if __name__ == "__main__":
    sys.exit(main())
