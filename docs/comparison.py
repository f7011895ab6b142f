"""Write docs/comparison.md: the versions of seven and eight expressions beside published ones.

    python -m docs.comparison

Takes a second and prints nothing. Our figures are those that `training.evaluate` wrote beside the
versions, the others stand below with the place where they were read. A test says when the page is
out of date.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fer import ModelVersion, read_version
from fer.cli.application import run_script
from fer.intervals import Estimate
from fer.versions.folder import GRAPH

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "comparison.md"


class Published(NamedTuple):
    """A figure of somebody else, in percent, and where it was read."""

    network: str
    size: str
    accuracy: str
    source: str


VALIDATED_SEVEN = (
    Published("vicksam/fer-model", "0.17 M", "68.57 ± 0.65, 5 runs", "its repository"),
    Published("TinyFER-Lite", "0.93 M, 3.6 MB", "67.07", "engrXiv 7466"),
)
TESTED_SEVEN = (
    Published(
        "VGG of Khaireddin and Chen, ten crops", "-", "73.28", "arXiv 2105.03588 and its code"
    ),
    Published("LetheSec ResNet18, ten crops", "11 M", "73.70", "its repository's code"),
    Published(
        "WuJie1010 VGG19, ten crops", "20 M", "73.11 (PublicTest 71.50)", "its repository's code"
    ),
)
UNTOLD_SEVEN = (
    Published("ResNet34, pretrained on ImageNet", "21 M", "72.42", "table of ResMaskingNet"),
    Published("ResMaskingNet, pretrained on ImageNet", "143 M", "74.14", "table of ResMaskingNet"),
    Published("mini-Xception", "0.06 M", "66", "face_classification"),
    Published("deepface", "-", "57.4", "deepface, issue 1618"),
)
VALIDATED_EIGHT = (
    Published("vicksam/fer-model", "0.17 M, 0.7 MB", "86.56 ± 0.24, 5 runs", "its repository"),
)
UNTOLD_EIGHT = (
    Published("VGG13", "8.75 M", "84.9", "Barsoum et al. 2016, as vicksam/fer-model cites it"),
    Published("ResNet50, pretrained on VGGFace2", "26 M", "86.5", "wtomin's repository"),
    Published(
        "SCN, ResNet18", "11 M", "89.35, and 86.80 when retrained", "its README; CAFE, ECCV 2024"
    ),
    Published("EAC, ResNet18", "11 M", "89.03", "CAFE, ECCV 2024"),
    Published("CAFE, ResNet18", "11 M", "89.51", "CAFE, ECCV 2024"),
    Published("DDAMFN, pretrained on faces", "4 M", "90.74", "hyper.ai"),
)

INTRODUCTION = """\
# Beside published figures

Written by `python -m docs.comparison`. Our networks chose everything on validation data, see \
each test face as they are served, and are asked for a test split once a published version. \
Others often choose the epoch by the test split, average ten crops of a test face, or leave \
copies of test faces among those they learn from: such a figure is no promise for new faces, so \
they stand apart. The intervals are 95 %, from n alone; other seeds of the recipe vary too.

What all these figures have in common: they were measured where the networks were trained. How a \
version does on people who were simply photographed stands first in its card and on the page \
Compare.
"""
SEVEN = """\
## FER2013, seven expressions, PrivateTest

Accuracy in percent. Our network learned no picture of which a copy stands in a test split. \
Beside it stand figures that were chosen on validation data, or are the mean of several runs.
"""
EIGHT = """\
## FER+, eight expressions, PrivateTest

Accuracy in percent under the rule of majority: an answer of one annotator alone is dropped, more \
than half of the others must agree, and pictures of which they say that it is unknown or no face \
are left out. Beside ours stands the mean of several runs.
"""


def page() -> str:
    """The page as Markdown."""
    seven = read_version(ROOT / "models" / "flagship-seven")
    eight = read_version(ROOT / "models" / "flagship-eight")
    ours_of_seven = ours(seven, "fer2013-seven", ("fer2013-seven", "fer2013-dedup-seven"))
    ours_of_eight = ours(eight, "fer2013-eight", ("ferplus-eight",))
    parts = [
        INTRODUCTION,
        SEVEN,
        table([*ours_of_seven, *VALIDATED_SEVEN]),
        "Chosen on the test split itself:\n",
        table(TESTED_SEVEN),
        "What chose them is not told where they were read:\n",
        table(UNTOLD_SEVEN),
        EIGHT,
        table([*ours_of_eight, *VALIDATED_EIGHT]),
        "What chose them is not told where they were read:\n",
        table(UNTOLD_EIGHT),
    ]
    return "\n".join(parts)


def ours(version: ModelVersion, test_set: str, labellings: tuple[str, ...]) -> list[Published]:
    """A version's own figures under these labellings."""
    report = version.report()
    assert report, f"{version.name} was never evaluated"
    measured = report.test_sets[test_set].labellings
    size = f"{version.parameters / 1e6:.2f} M, {version.files[GRAPH].bytes / 1e6:.1f} MB"
    source = f"[its card](../models/{version.name}/README.md)"
    return [
        Published(
            f"**`{version.name}`**{_WORDS[labelling]}",
            size,
            _accuracy(measured[labelling].accuracy),
            source,
        )
        for labelling in labellings
    ]


_WORDS = {
    "fer2013-seven": "",
    "fer2013-dedup-seven": ", without test faces that Training holds too",
    "ferplus-eight": "",
}


def table(rows: list[Published] | tuple[Published, ...]) -> str:
    """Rows as a table in Markdown."""
    head = ("network", "parameters, bytes", "accuracy", "read in")
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _accuracy(found: Estimate) -> str:
    interval = f"{100 * found.low:.2f} to {100 * found.high:.2f}"
    return f"**{100 * found.value:.2f}** ({interval}), n = {found.n:,}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    run_script(main, __doc__)
