"""The packages of the wheel: those of `fer`, and every bundled version as data of `fer.models`."""

from setuptools import find_namespace_packages, find_packages, setup

VERSIONS = [f"fer.models.{name}" for name in find_namespace_packages("models")]

setup(packages=[*find_packages(include=["fer*"]), "fer.models", *VERSIONS])
