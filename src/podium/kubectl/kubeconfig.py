"""Kubeconfig files: which of them count, how several become one, and what a context means."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Values

DEFAULT_DATA_DIR = "/var/lib/podium"
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LISTS = ("clusters", "contexts", "users")
_INNER = {"clusters": "cluster", "contexts": "context", "users": "user"}


@dataclass(frozen=True, slots=True)
class Connection:
    """A server, and who asks it. Files win over data, a token over its file."""

    server: str
    namespace: str = "default"
    ca_file: str = ""
    ca_data: bytes = b""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    cert_file: str = ""
    key_file: str = ""
    cert_data: bytes = b""
    key_data: bytes = b""
    token: str = ""
    token_file: str = ""
    exec: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Kubeconfig:
    """What the files say together. Entries know the directory that their paths are relative to."""

    current_context: str = ""
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    contexts: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[tuple[str, str], Path] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.clusters or self.contexts or self.users or self.current_context)

    def add(self, path: Path, document: Mapping[str, Any]) -> None:
        """Take what *document*, read from *path*, has and earlier files have not."""
        self.current_context = self.current_context or document.get("current-context") or ""
        for kind in _LISTS:
            known: dict[str, dict[str, Any]] = getattr(self, kind)
            for entry in document.get(kind) or ():
                name = str(entry.get("name", ""))
                if name not in known:
                    known[name] = dict(entry.get(_INNER[kind]) or {})
                    self.origins[kind, name] = path.parent

    def path(self, kind: str, name: str, entry: Mapping[str, Any], key: str) -> str:
        """Return the file that an entry names, relative to where the entry stands."""
        text = str(entry.get(key) or "")
        if not text or os.path.isabs(text):
            return text
        return str(self.origins[kind, name] / text)


def files(values: Values) -> list[Path]:
    """Return the files that count, in order, whether they are there or not."""
    if values.kubeconfig:
        return [Path(values.kubeconfig)]
    listed = [Path(name) for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    if listed:
        return listed
    return [Path(os.path.expanduser("~/.kube/config"))]


def load(values: Values) -> Kubeconfig:
    """Read the files. Raises CommandError for one that was named and is missing, or is broken."""
    config = Kubeconfig()
    if values.kubeconfig and not os.path.exists(values.kubeconfig):
        raise CommandError(f"stat {values.kubeconfig}: no such file or directory")
    for path in files(values):
        document = _read(path)
        if document is not None:
            config.add(path, document)
    if config.empty and not values.kubeconfig and not os.environ.get("KUBECONFIG"):
        own = Path(values.data_dir or DEFAULT_DATA_DIR) / "kubeconfig"
        document = _read(own)
        if document is not None:
            config.add(own, document)
    return config


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise CommandError(f'error loading config file "{path}": {exc.strerror}') from exc
    import yaml

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as exc:
        raise CommandError(f'error loading config file "{path}": {exc}') from exc
    return document if isinstance(document, dict) else {}


def connection(config: Kubeconfig, values: Values) -> Connection:
    """Return where the command goes, and as whom. Raises CommandError."""
    if config.empty and not values.server:
        found = _in_cluster()
        if found is not None:
            return found
    context_name = values.context or config.current_context
    context = config.contexts.get(context_name, {})
    if context_name and context_name not in config.contexts:
        raise CommandError(f'context "{context_name}" does not exist')
    cluster_name = values.cluster or context.get("cluster", "")
    if cluster_name and cluster_name not in config.clusters:
        raise CommandError(f'cluster "{cluster_name}" does not exist')
    user_name = values.user or context.get("user", "")
    if user_name and user_name not in config.users:
        raise CommandError(f'auth info "{user_name}" does not exist')
    cluster = config.clusters.get(cluster_name, {})
    user = config.users.get(user_name, {})

    def in_cluster_entry(key: str) -> str:
        return config.path("clusters", cluster_name, cluster, key)

    def in_user_entry(key: str) -> str:
        return config.path("users", user_name, user, key)

    insecure = values.insecure_skip_tls_verify or bool(cluster.get("insecure-skip-tls-verify"))
    return Connection(
        server=values.server or cluster.get("server") or "http://localhost:8080",
        namespace=values.namespace or context.get("namespace") or "default",
        ca_file=values.certificate_authority or in_cluster_entry("certificate-authority"),
        ca_data=_data(cluster, "certificate-authority-data"),
        insecure=insecure,
        tls_server_name=values.tls_server_name or cluster.get("tls-server-name", ""),
        proxy_url=cluster.get("proxy-url", ""),
        cert_file=values.client_certificate or in_user_entry("client-certificate"),
        key_file=values.client_key or in_user_entry("client-key"),
        cert_data=_data(user, "client-certificate-data"),
        key_data=_data(user, "client-key-data"),
        token=values.token or user.get("token", ""),
        token_file=in_user_entry("tokenFile"),
        exec=user.get("exec"),
        headers=_impersonation(user, values),
    )


def _data(entry: Mapping[str, Any], key: str) -> bytes:
    return base64.b64decode(entry.get(key) or "")


def _impersonation(user: Mapping[str, Any], values: Values) -> tuple[tuple[str, str], ...]:
    """Headers that ask for another identity: flags, or what the kubeconfig says."""
    name = values.__getattr__("as") or user.get("as", "")
    uid = values.as_uid or user.get("as-uid", "")
    headers = [("Impersonate-User", name)] if name else []
    headers += [("Impersonate-Uid", uid)] if uid else []
    for group in values.as_group or user.get("as-groups") or ():
        headers.append(("Impersonate-Group", group))
    extra = dict(user.get("as-user-extra") or {})
    for text in values.as_user_extra:
        key, _, value = text.partition("=")
        extra.setdefault(key, []).append(value)
    for key, found in extra.items():
        headers += [(f"Impersonate-Extra-{key}", value) for value in found]
    return tuple(headers)


def _in_cluster() -> Connection | None:
    """What a Pod finds: the service account that it runs as."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    if not host or not port or not (_SERVICE_ACCOUNT / "token").exists():
        return None
    host = f"[{host}]" if ":" in host else host
    return Connection(
        server=f"https://{host}:{port}",
        namespace=(_SERVICE_ACCOUNT / "namespace").read_text().strip() or "default",
        ca_file=str(_SERVICE_ACCOUNT / "ca.crt"),
        token_file=str(_SERVICE_ACCOUNT / "token"),
    )
