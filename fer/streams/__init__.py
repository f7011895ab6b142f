"""Frames in, tracks and pictures out."""
