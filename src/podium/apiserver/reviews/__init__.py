"""Kinds that are answered and not kept: who somebody is, and what he may do."""
