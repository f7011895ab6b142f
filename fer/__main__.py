"""The command line: `python -m fer predict PHOTO...`, `python -m fer watch VIDEO|CAMERA`, `python -m fer models`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer.annotate import annotate
from fer.classifier import EmotionClassifier
from fer.detectors import DETECTORS, load_detector
from fer.errors import FERError, ImageError, VideoError
from fer.images import ACCEPTED_SUFFIXES, load_image
from fer.pipeline import FERPipeline
from fer.records import Record, error_record, face_records, to_csv, to_json_lines
from fer.registry import DEFAULT, list_versions, load_version
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
        command.add_argument("--model", default=DEFAULT, metavar="NAME", help="version, default %(default)s")
        command.add_argument("--detector", choices=DETECTORS, default=DETECTORS[0], help="default %(default)s")
    commands.add_parser("models", help="list the versions").set_defaults(run=_models)
    return parser


def _models(_: argparse.Namespace) -> int:
    broken = 0
    for name in list_versions():
        try:
            version = load_version(name)
            metrics = version.metrics()
        except FERError as error:
            broken += 1
            _write(f"{name:20} broken: {error}\n")
            continue
        accuracy = metrics["labellings"]["fer2013"]["accuracy"] if metrics else None
        measured = "{value:.4f} ({low:.4f} to {high:.4f}, n={n})".format(**accuracy) if accuracy else "not evaluated"
        _write(f"{name:20} {version.sha256[:12]}  {version.parameters:>9,} parameters  accuracy {measured}\n")
    return int(broken > 0)


def _predict(options: argparse.Namespace) -> int:
    files = list(_photos(options))
    if not files:
        raise ImageError(f"no photo in {', '.join(map(str, options.paths))}; a folder must hold {_suffixes()} files.")
    work = _Work(_pipeline(options), options.output)
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
    watched = Watched()
    source = open_video(options.source)
    try:
        pipeline = FERPipeline(load_detector(options.detector), EmotionClassifier(load_version(options.model)))
        frames = Watcher(pipeline, options.smoothing, options.output, options.csv)(source, watched)
        for _ in tqdm(frames, total=source.total, unit="frame", disable=None):
            pass
        status = 0
    except KeyboardInterrupt:
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
    return FERPipeline(detector, EmotionClassifier(load_version(options.model), threads=1))


@dataclass(frozen=True)
class _Work:
    """Classify one photo; what is wrong with it becomes a record, and the batch goes on."""

    pipeline: FERPipeline
    output: Path | None

    def __call__(self, item: tuple[Path, Path]) -> list[Record]:
        path, annotated = item
        version, detector = self.pipeline.classifier.version, self.pipeline.detector.name
        try:
            image = load_image(path)
            predictions = self.pipeline(image)
            if self.output:
                _save(self.output / "annotated" / annotated, _jpeg(annotate(image, predictions), path))
        except ImageError as error:
            return [error_record(str(path), str(error), version, detector)]
        return face_records(str(path), predictions, version, detector)


def _photos(options: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """Each photo, and the place of its annotated copy; equal names from several arguments are numbered."""
    seen: Counter[str] = Counter()
    earlier = options.output.resolve() / "annotated" if options.output else None
    for path, relative in _found(options.paths):
        if earlier not in path.resolve().parents:
            key = str(relative).casefold()
            seen[key] += 1
            number = f"-{seen[key]}" if seen[key] > 1 else ""
            yield path, relative.with_name(f"{relative.name}{number}.jpg")


def _found(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each photo with its path relative to the argument that named it; a named file is taken whatever its suffix."""
    for path in paths:
        if not path.is_dir():
            yield path, Path(path.name)
            continue
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in ACCEPTED_SUFFIXES and file.is_file():
                yield file, file.relative_to(path)


def _report(records: list[Record], options: argparse.Namespace, labels: Sequence[str]) -> None:
    text = {"json": to_json_lines, "csv": lambda r: to_csv(r, labels), "table": _table}[options.format](records)
    if options.output:
        suffix = {"json": "jsonl", "csv": "csv", "table": "txt"}[options.format]
        _save(options.output / f"results.{suffix}", text.encode("utf-8", "backslashreplace"))
    _write(text)


def _jpeg(image: NDArray[np.uint8], path: Path) -> bytes:
    if max(image.shape) > 65_500:
        raise ImageError(f"{path}: longer than the 65,500 pixels of a JPEG; shrink it, or leave --output away.")
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def _save(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise FERError(f"{path} cannot be written ({error.strerror}); choose another --output.") from error


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


def _suffixes() -> str:
    return ", ".join(sorted(ACCEPTED_SUFFIXES))


def _write(text: str) -> None:
    """Write to standard output; a reader that has seen enough, such as `head`, is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails again while it exits


if __name__ == "__main__":
    sys.exit(main())
