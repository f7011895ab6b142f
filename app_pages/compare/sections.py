"""The sections of the page Compare; only the one that is open is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app_pages.compare.calibration import calibration
from app_pages.compare.confusion import confusion
from app_pages.compare.model_card import model_card_and_history
from app_pages.compare.overview import overview
from app_pages.compare.robustness import robustness
from app_pages.compare.your_photos import on_your_photos
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling

Section = Callable[[Catalogue, Sequence[Entry], Labelling], None]

SECTIONS: dict[str, Section] = {
    "Overview": overview,
    "Confusion": confusion,
    "Calibration": calibration,
    "Robustness": robustness,
    "On your photos": on_your_photos,
    "Card and history": model_card_and_history,
}
