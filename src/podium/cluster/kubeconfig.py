"""kubeconfig files: the cluster's address, its authority and one identity, all inline.

The form is ``k8s.io/client-go/tools/clientcmd/api/v1`` ``Config``. Written as YAML: people read
these files.
"""

from __future__ import annotations

import base64
from pathlib import Path

from podium.cluster.config import ClusterConfig
from podium.cluster.pki import Pki
from podium.kit.files import write_atomic

#: Filled in here, since PyYAML takes longer to import than the rest of `podium up` needs for this.
_FORM = """\
apiVersion: v1
kind: Config
clusters:
- name: podium
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {user}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: podium
  context:
    cluster: podium
    user: {user}
current-context: podium
"""


def write(config: ClusterConfig) -> Path:
    """Write the administrator's kubeconfig where it differs from what is there; return its path."""
    text = render(config.server, Pki(config.pki_dir), "admin")
    path = config.kubeconfig
    if not path.exists() or path.read_text() != text:
        write_atomic(path, text, mode=0o600)
    return path


def render(server: str, pki: Pki, identity: str) -> str:
    """Return a kubeconfig for *identity* with everything inline."""
    return _FORM.format(
        server=server,
        authority=_inline(pki.ca),
        user=f"podium-{identity}",
        certificate=_inline(pki.cert(identity)),
        key=_inline(pki.key(identity)),
    )


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
