"""Kinds without rules of their own."""

from podium.registry.strategies.base import Strategy

STRATEGY = Strategy
