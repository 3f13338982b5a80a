"""Containers, images and their network: the port (CRI, as Python) and what implements it."""
