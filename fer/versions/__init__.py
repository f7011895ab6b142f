"""What a model version is, what was measured of it, and how two compare."""
