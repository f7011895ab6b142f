"""Facial-expression prediction: everything the app, training and the command line share.

Example:
    >>> import numpy as np
    >>> from fer import EmotionClassifier, FERPipeline, load_detector, load_version
    >>> pipeline = FERPipeline(load_detector("blazeface"), EmotionClassifier(load_version()))
    >>> picture_without_faces = np.zeros((480, 640, 3), np.uint8)
    >>> pipeline(picture_without_faces)
    []
"""

from fer.annotate import annotate
from fer.classifier import EmotionClassifier
from fer.detection.base import FaceDetector, RegionDetector
from fer.detection.blazeface import BlazeFace
from fer.detection.loading import DETECTORS, load_detector
from fer.detection.whole_picture import WholePicture
from fer.detection.yunet import YuNet
from fer.errors import (
    DataError,
    DownloadError,
    FERError,
    ImageError,
    ModelError,
    RegistryError,
    VideoError,
)
from fer.geometry import Box, Landmarks
from fer.images import load_image
from fer.pipeline import FERPipeline
from fer.preprocessing import CropGeometry
from fer.registry.aliases import Aliases, Move, Target
from fer.registry.base import Listing, Registry, VersionRef
from fer.registry.bundled import BundledRegistry, load_version
from fer.registry.hub import HubRegistry
from fer.registry.opening import open_registry
from fer.results import Face, Prediction, Track
from fer.versions.folder import ModelVersion, read_version
from fer.versions.labels import LABELS

__version__ = "1.0.0"

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
    "Track",
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
