"""Is one version really better? On the stored test predictions, picture by picture."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app_pages.compare.charts import labelling_title
from app_pages.shared.catalogue import Entry, Labelling, Library
from fer import FERError, ModelError
from fer.versions.comparison import PairedComparison, Predictions

_LEAST_SCALE = 0.01


class Pair(NamedTuple):
    """Two versions and how they compare, or why they cannot be compared.

    `note` is what the reader has to know.
    """

    a: str
    b: str
    note: str
    outcome: PairedComparison | FERError


def judge(library: Library, entries: Sequence[Entry], labelling: Labelling) -> list[Pair]:
    """The first version against each of the others."""
    predictions = library.predictions(entries)
    first, *others = entries
    return [
        Pair(
            first.name,
            other.name,
            narrowed((first, other), labelling),
            _compared(first, other, predictions, labelling),
        )
        for other in others
    ]


def narrowed(entries: Sequence[Entry], labelling: Labelling) -> str:
    """Which of the versions know more expressions than count under a labelling.

    Empty where none does.
    """
    wider = [
        entry
        for entry in entries
        if labelling in entry.labellings and entry.asked(labelling) != entry.labels
    ]
    if not wider:
        return ""
    known = " and ".join(f"{entry.name} knows {len(entry.labels)}" for entry in wider)
    return (
        f"Of {', '.join(wider[0].asked(labelling))} alone the likeliest counts here: {known}"
        " expressions."
    )


def pair_html(pair: Pair, labelling: Labelling) -> str:
    """The plain sentence, the difference drawn against zero, and the counts behind them."""
    if isinstance(pair.outcome, FERError):
        reason = html.escape(str(pair.outcome))
        names = f"{html.escape(pair.a)} and {html.escape(pair.b)}"
        return (
            f'<div class="fer-verdict"><p>{names} cannot be'
            f" compared.</p><small>{reason}</small></div>"
        )
    found = pair.outcome
    return (
        "<div"
        f' class="fer-verdict"><p>{html.escape(found.sentence(pair.a, pair.b))}.</p>{_strip(pair, found)}'
        f"<small>{html.escape(f'{_counts(pair, found, labelling)} {pair.note}'.strip())}</small></div>"
    )


def _compared(
    a: Entry, b: Entry, predictions: Mapping[str, Predictions | FERError], labelling: Labelling
) -> PairedComparison | FERError:
    left, right = predictions[a.name], predictions[b.name]
    if isinstance(left, FERError):
        return left
    if isinstance(right, FERError):
        return right
    if all(labelling in entry.labellings for entry in (a, b)) and a.asked(labelling) != b.asked(
        labelling
    ):
        known = [f"{entry.name} knows {', '.join(entry.labels)}" for entry in (a, b)]
        return ModelError(f"they know different expressions: {'; '.join(known)}.")
    try:
        return left.compare(right, *labelling)
    except FERError as error:
        return error


def _counts(pair: Pair, found: PairedComparison, labelling: Labelling) -> str:
    p_value = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    test = "Exact McNemar test"
    if found.people is not None:
        test = f"McNemar's and, over {found.people:,} people, Obuchowski's test"
    return (
        f"{labelling_title(labelling)}. {test}: {p_value}. Of {found.n:,} test pictures, "
        f"{pair.a} alone got {found.only_a:,} right and {pair.b} alone {found.only_b:,}; "
        f"both got {found.both:,} right, neither {found.neither:,}."
    )


def _strip(pair: Pair, found: PairedComparison) -> str:
    """The interval of the difference on a line whose middle is zero."""
    reach = 1.25 * max(_LEAST_SCALE, abs(found.low), abs(found.high))
    low, value, high = (
        50 + 50 * number / reach for number in (found.low, found.difference, found.high)
    )
    better = [f"{html.escape(name)} better" for name in (pair.b, pair.a)]
    return (
        '<div class="fer-strip" aria-hidden="true"><i'
        f' style="left:{low:.1f}%;width:{high - low:.1f}%"></i><b'
        f' style="left:{value:.1f}%"></b><span>← {better[0]}</span><span>{better[1]} →</span></div>'
    )
