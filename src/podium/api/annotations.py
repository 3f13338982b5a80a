"""Names of the annotations that Kubernetes marks Pods with that come from a node's own files."""

from __future__ import annotations

HASH = "kubernetes.io/config.hash"
MIRROR = "kubernetes.io/config.mirror"
SEEN = "kubernetes.io/config.seen"
SOURCE = "kubernetes.io/config.source"
