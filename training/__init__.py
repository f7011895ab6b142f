"""Offline scripts that make versions: data, architectures, train, export, evaluate."""
