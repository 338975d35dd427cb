"""Measures the README's figures: `make bench`."""
