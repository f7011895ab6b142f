"""`fer watch`: follow the expressions of a video file or a camera."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from tqdm import tqdm

from fer.cli.application import number
from fer.cli.console import StandardOutput, say
from fer.cli.interruption import Interruption
from fer.cli.options import DetectorOption, ModelOption, RepoOption, load_pipeline
from fer.detection.loading import DETECTORS
from fer.errors import VideoError

if TYPE_CHECKING:
    from fer.cli.watching import Watched, Watcher
    from fer.streams.video import Camera, VideoFile

SUMMARY = "follow the expressions of a video file or a camera"
EXIT_STATUS = (
    "exit status: 0 if the whole video was watched, or a camera until it was stopped; 1 if the"
    " video is damaged or cut short; 2 if nothing could be done, or what was asked for not written;"
    " 130 after Ctrl-C and 143 after SIGTERM in a video file"
)
SourceArgument = Annotated[
    str,
    typer.Argument(metavar="VIDEO|CAMERA", help="a file, or a camera's number such as 0"),
]
SmoothingOption = Annotated[
    float,
    typer.Option(
        parser=number(0, 60),
        metavar="SECONDS",
        help="time constant of the scores; 0 for none",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE.mp4", help="write the annotated video here: mp4, mkv or mov"),
]
TableOption = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE.csv", help="write every track in every frame here"),
]


def watch(  # noqa: PLR0913 - its options
    source: SourceArgument,
    *,
    smoothing: SmoothingOption = 0.5,
    output: OutputOption = None,
    table: TableOption = None,
    model: ModelOption = None,
    detector: DetectorOption = DETECTORS[0],
    repo: RepoOption = None,
) -> int:
    """Print the spans of each label, and a summary; Ctrl-C is how a camera's stream ends."""
    from fer.cli.watching import Watched, Watcher
    from fer.streams.video import Camera, open_video

    _check_not_watched(source, output, "--output")
    _check_not_watched(source, table, "--csv")
    stdout = StandardOutput(needed=not (output or table))
    watched = Watched()
    video = open_video(source)
    with closing(video):
        pipeline = load_pipeline(model, detector, repo)
        watcher = Watcher(pipeline, smoothing, output, table)
        interruption = _follow(video, watcher, watched)
        damage = "" if interruption.noted else video.damage
    if not (watched.frames or interruption.noted):
        raise VideoError(f"{source}: no frame could be read; the video is empty or damaged.")
    stdout.write(watched.table())
    say(", ".join(filter(None, [watched.summary(), damage])) + "\n")
    if interruption.noted:
        return 0 if isinstance(video, Camera) else interruption.status
    return int(bool(damage))


def _follow(video: VideoFile | Camera, watcher: Watcher, watched: Watched) -> Interruption:
    """Process frames until the video ends or a signal comes; what was written is whole then."""
    with closing(watcher(video, watched)) as frames, Interruption() as interruption:
        for _ in tqdm(frames, total=video.total, unit="frame", disable=None):
            if interruption.noted:
                break
    return interruption


def _check_not_watched(source: str, path: Path | None, option: str) -> None:
    """Refuse to write over the video itself."""
    if path and path.exists() and Path(source).exists() and path.samefile(source):
        raise VideoError(f"{path} is the video that is watched; choose another {option}.")
