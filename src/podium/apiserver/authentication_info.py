"""What servers beside this one need to know whom it trusts: a ConfigMap in ``kube-system``.

Follows ``pkg/controlplane/controller/clusterauthenticationtrust`` of Kubernetes. Who may read it
is told by the default role ``extension-apiserver-authentication-reader``. There is nothing about
headers of a proxy that identifies users (``requestheader-…``): this server trusts none.
"""

from __future__ import annotations

import re
from pathlib import Path

from podium.api.types.core_v1 import ConfigMap
from podium.api.types.meta_v1 import ObjectMeta

NAMESPACE, NAME = "kube-system", "extension-apiserver-authentication"
_KEY = "client-ca-file"
#: Whatever else the file holds is nobody's business.
_CERTIFICATE = re.compile(
    "-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----"
)


def authentication_info(client_ca_file: Path) -> ConfigMap:
    """Return the ConfigMap as it should be. Raises OSError."""
    text = client_ca_file.read_text(encoding="ascii", errors="replace")
    certificates = "".join(f"{found}\n" for found in _CERTIFICATE.findall(text))
    return ConfigMap(metadata=ObjectMeta(name=NAME, namespace=NAMESPACE), data={_KEY: certificates})
