"""Patches, each style a function of two plain values."""
