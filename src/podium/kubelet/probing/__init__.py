"""Probes and lifecycle hooks: how they are made. What follows from them is domain/pods/probes."""
