"""What networks are trained on and measured with."""
