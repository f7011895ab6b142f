"""Facial-expression prediction: everything the app, training and the command line share."""

from fer.aliases import Aliases, Move, Target
from fer.annotate import annotate
from fer.artifact import ModelVersion, read_version
from fer.classifier import EmotionClassifier
from fer.detectors import (
    DETECTORS,
    BlazeFace,
    FaceDetector,
    RegionDetector,
    WholePicture,
    YuNet,
    load_detector,
)
from fer.errors import DataError, DownloadError, FERError, ImageError, ModelError, RegistryError, VideoError
from fer.hub import HubRegistry
from fer.images import load_image
from fer.pipeline import FERPipeline
from fer.preprocessing import CropGeometry
from fer.registry import BundledRegistry, Listing, Registry, VersionRef, load_version, open_registry
from fer.results import LABELS, Box, Face, Landmarks, Prediction

__version__ = "0.1.0"

__all__ = [
    "DETECTORS",
    "LABELS",
    "Aliases",
    "BlazeFace",
    "Box",
    "BundledRegistry",
    "CropGeometry",
    "DataError",
    "DownloadError",
    "EmotionClassifier",
    "FERError",
    "FERPipeline",
    "Face",
    "FaceDetector",
    "HubRegistry",
    "ImageError",
    "Landmarks",
    "Listing",
    "ModelError",
    "ModelVersion",
    "Move",
    "Prediction",
    "RegionDetector",
    "Registry",
    "RegistryError",
    "Target",
    "VersionRef",
    "VideoError",
    "WholePicture",
    "YuNet",
    "annotate",
    "load_detector",
    "load_image",
    "load_version",
    "open_registry",
    "read_version",
]
