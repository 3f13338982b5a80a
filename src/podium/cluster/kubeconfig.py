"""kubeconfig files: the cluster's address, its authority and one identity, all inline.

The form is ``k8s.io/client-go/tools/clientcmd/api/v1`` ``Config``. Written as YAML: people read
these files.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from podium.cluster.config import ClusterConfig
from podium.cluster.pki import Pki
from podium.kit.files import write_atomic


def write(config: ClusterConfig) -> Path:
    """Write the administrator's kubeconfig where it differs from what is there; return its path."""
    text = yaml.safe_dump(render(config.server, Pki(config.pki_dir), "admin"), sort_keys=False)
    path = config.kubeconfig
    if not path.exists() or path.read_text() != text:
        write_atomic(path, text, mode=0o600)
    return path


def render(server: str, pki: Pki, identity: str) -> dict[str, Any]:
    """Return a kubeconfig for *identity* with everything inline."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "podium",
                "cluster": {"server": server, "certificate-authority-data": _inline(pki.ca)},
            }
        ],
        "users": [
            {
                "name": f"podium-{identity}",
                "user": {
                    "client-certificate-data": _inline(pki.cert(identity)),
                    "client-key-data": _inline(pki.key(identity)),
                },
            }
        ],
        "contexts": [
            {"name": "podium", "context": {"cluster": "podium", "user": f"podium-{identity}"}}
        ],
        "current-context": "podium",
    }


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
