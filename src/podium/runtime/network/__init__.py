"""The Pod network of one node."""
