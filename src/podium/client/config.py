"""Where the API server is and who we are to it: a kubeconfig's content, as a value."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import msgspec

from podium.client.errors import ConfigurationError


class ClientConfig(msgspec.Struct, frozen=True):
    """One API server and one identity.

    Certificates and keys are PEM, given as files (read again when they change) or as bytes.
    """

    server: str
    ca_file: str = ""
    ca_data: bytes = b""
    cert_file: str = ""
    key_file: str = ""
    cert_data: bytes = b""
    key_data: bytes = b""
    token: str = ""
    token_file: str = ""
    #: Name to expect in the server's certificate, where it is not the host of *server*.
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    user_agent: str = "podium"
    #: ``namespace`` of the kubeconfig's context.
    namespace: str = "default"

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"ClientConfig(server={self.server!r}, user_agent={self.user_agent!r})"

    @classmethod
    def from_kubeconfig(
        cls, path: str | Path, *, context: str = "", user_agent: str = "podium"
    ) -> ClientConfig:
        """Read the current (or the named) context of the kubeconfig at *path*.

        Raises ConfigurationError when the file, the context or what it names is missing, or when
        the user is authenticated by a plugin.
        """
        import yaml  # only kubeconfigs need it

        path = Path(path)
        try:
            document = yaml.safe_load(path.read_text())
        except (OSError, yaml.YAMLError) as exc:
            raise ConfigurationError(f"{path}: {exc}") from exc
        if not isinstance(document, dict):
            raise ConfigurationError(f"{path}: not a kubeconfig")
        name = context or document.get("current-context") or ""
        if not name:
            raise ConfigurationError(f"{path}: current-context is not set")
        chosen = _entry(document, "contexts", "context", name, path)
        cluster = _entry(document, "clusters", "cluster", chosen.get("cluster", ""), path)
        user = _entry(document, "users", "user", chosen.get("user", ""), path)
        return cls._of(cluster, user, chosen, path, user_agent)

    @classmethod
    def _of(
        cls,
        cluster: dict[str, Any],
        user: dict[str, Any],
        context: dict[str, Any],
        path: Path,
        user_agent: str,
    ) -> ClientConfig:
        for unsupported in ("exec", "auth-provider", "username"):
            if unsupported in user:
                raise ConfigurationError(f"{path}: users.user.{unsupported} is not supported")
        if not cluster.get("server"):
            raise ConfigurationError(f"{path}: clusters.cluster.server is not set")
        return cls(
            server=cluster["server"].rstrip("/"),
            ca_file=_file(cluster, "certificate-authority", path),
            ca_data=_data(cluster, "certificate-authority-data", path),
            cert_file=_file(user, "client-certificate", path),
            key_file=_file(user, "client-key", path),
            cert_data=_data(user, "client-certificate-data", path),
            key_data=_data(user, "client-key-data", path),
            token=user.get("token") or "",
            token_file=_file(user, "tokenFile", path),
            tls_server_name=cluster.get("tls-server-name") or "",
            insecure_skip_tls_verify=bool(cluster.get("insecure-skip-tls-verify")),
            user_agent=user_agent,
            namespace=context.get("namespace") or "default",
        )


def _entry(document: dict[str, Any], table: str, key: str, name: str, path: Path) -> dict[str, Any]:
    for entry in document.get(table) or []:
        if entry.get("name") == name:
            return entry.get(key) or {}
    raise ConfigurationError(f'{path}: no entry "{name}" in {table}')


def _file(section: dict[str, Any], key: str, kubeconfig: Path) -> str:
    """Return a file's path; relative ones count from the kubeconfig's directory."""
    value = section.get(key) or ""
    return str(kubeconfig.parent / value) if value else ""


def _data(section: dict[str, Any], key: str, kubeconfig: Path) -> bytes:
    try:
        return base64.b64decode(section.get(key) or "", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ConfigurationError(f"{kubeconfig}: {key}: {exc}") from exc
