"""The priority classes that every cluster has, which the API and its nodes know by heart."""

from __future__ import annotations

SYSTEM_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
