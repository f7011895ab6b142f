"""Facial-expression prediction: everything the app, training and the command line share."""

from fer.annotate import annotate
from fer.artifact import ModelVersion, read_version
from fer.classifier import EmotionClassifier
from fer.detectors import DETECTORS, BlazeFace, FaceDetector, YuNet, load_detector
from fer.errors import DataError, DownloadError, FERError, ImageError, ModelError
from fer.images import load_image
from fer.pipeline import FERPipeline
from fer.registry import list_versions, load_version
from fer.results import LABELS, Box, Face, Landmarks, Prediction

__all__ = [
    "DETECTORS",
    "LABELS",
    "BlazeFace",
    "Box",
    "DataError",
    "DownloadError",
    "EmotionClassifier",
    "FERError",
    "FERPipeline",
    "Face",
    "FaceDetector",
    "ImageError",
    "Landmarks",
    "ModelError",
    "ModelVersion",
    "Prediction",
    "YuNet",
    "annotate",
    "list_versions",
    "load_detector",
    "load_image",
    "load_version",
    "read_version",
]
