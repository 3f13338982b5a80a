"""Bytes under keys, with revisions: the port and its implementations. Knows no object."""
