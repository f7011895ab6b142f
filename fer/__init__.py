"""Facial-expression prediction: everything the app, training and the command line share."""

from fer.errors import DataError, DownloadError, FERError, ImageError, ModelError
from fer.results import LABELS, Box, Face, Landmarks, Prediction

__all__ = [
    "LABELS",
    "Box",
    "DataError",
    "DownloadError",
    "FERError",
    "Face",
    "ImageError",
    "Landmarks",
    "ModelError",
    "Prediction",
]
