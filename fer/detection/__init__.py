"""Find faces in pictures and streams."""
