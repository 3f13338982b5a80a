"""Kubeconfig files: which of them count, how several become one, and what a context means."""

from __future__ import annotations

import os

from podium.kubectl.errors import CommandError, Said, unreadable
from podium.kubectl.kubeconfig_checks import check
from podium.kubectl.kubeconfig_fields import Unfit, decoded, no_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podium.kubectl.flags import Values

DEFAULT_DATA_DIR = "/var/lib/podium"
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}


class Connection:
    """A server, and who asks it. Files win over data, a token over its file."""

    def __init__(self, server: str, namespace: str = "") -> None:
        self.server, self.namespace = server, namespace or "default"
        self.insecure = False
        self.tls_server_name = self.proxy_url = ""
        self.ca_file, self.ca_data = "", b""
        self.cert_file = self.key_file = ""
        self.cert_data = self.key_data = b""
        self.token = self.token_file = ""
        #: ``name:password``, "" for none.
        self.basic = ""
        #: The program that gives credentials, and what it is told of the cluster.
        self.exec: Mapping[str, Any] | None = None
        self.exec_config: Any = None
        #: Headers that ask for another identity.
        self.headers: tuple[tuple[str, str], ...] = ()
        #: What preferences say of programs that give credentials; see ``preferences``.
        self.plugin_policy = ""
        self.plugins_allowed: list[str] = []


class Kubeconfig:
    """What the files say together. Entries know the file that they stand in."""

    def __init__(self) -> None:
        self.current_context = ""
        self.clusters: dict[str, dict[str, Any]] = {}
        self.contexts: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.origins: dict[tuple[str, str], str] = {}
        self.others: dict[str, Any] = {}

    @property
    def empty(self) -> bool:
        return not (self.clusters or self.contexts or self.users or self.current_context)

    def entries(self, kind: str) -> dict[str, dict[str, Any]]:
        """``clusters``, ``contexts`` or ``users``."""
        found: dict[str, dict[str, Any]] = getattr(self, kind)
        return found

    def add(self, path: str, document: dict[str, Any]) -> None:
        """Take what *document*, read from *path*, has and earlier files have not.

        Raises CommandError for what is no kubeconfig.
        """
        try:
            document = decoded(document)
        except Unfit as exc:
            raise _unloaded(path, str(exc)) from exc
        self.current_context = self.current_context or document.get("current-context") or ""
        for kind, inner in LISTS.items():
            known = self.entries(kind)
            for entry in document.get(kind) or ():
                name = entry.get("name", "")
                if name not in known:
                    known[name] = entry.get(inner, {})
                    self.origins[kind, name] = path
        for key in ("preferences", "extensions"):
            if document.get(key):
                self.others.setdefault(key, document[key])

    def path(self, kind: str, name: str, entry: Mapping[str, Any], key: str) -> str:
        """Return the file that an entry names, relative to where the entry stands."""
        text = str(entry.get(key) or "")
        if not text or os.path.isabs(text):
            return text
        return os.path.join(os.path.dirname(self.origins[kind, name]), text)


def files(values: Values) -> list[str]:
    """Return the files that count, in order, whether they are there or not."""
    named = _named(values)
    if named:
        return [named]
    listed = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    return list(dict.fromkeys(listed)) or [os.path.expanduser("~/.kube/config")]


def load(values: Values, *, fallback: bool = True) -> Kubeconfig:
    """Read the files; with *fallback* the cluster's own where there are none.

    Raises CommandError for one that was named and is missing, or is broken.
    """
    config = Kubeconfig()
    named = _named(values)
    if named and not os.path.exists(named):
        raise CommandError(f"stat {named}: no such file or directory")
    for path in files(values):
        document = read(path)
        if document is not None:
            config.add(path, document)
    if fallback and config.empty and not named and not os.environ.get("KUBECONFIG"):
        own = os.path.join(DEFAULT_DATA_DIR, "kubeconfig")
        document = read(own)
        if document is not None:
            config.add(own, document)
    return config


def _named(values: Values) -> str:
    """Return the file that the command line names, "" where it names none."""
    if values.data_dir and not values.kubeconfig:
        return os.path.join(values.data_dir, "kubeconfig")
    return str(values.kubeconfig or "")


def read(path: str) -> dict[str, Any] | None:
    """Return what a file says, None where there is none. Raises CommandError."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise _unloaded(path, unreadable(exc, path)) from exc
    from podium.kubectl.plain_yaml import load as plain

    document: Any = plain(content.decode()) if content.isascii() else None
    if document is None:
        from podium.api.yaml_json import YamlFailure
        from podium.api.yaml_json import load as anything

        try:
            document = anything(content)[0]
        except YamlFailure as exc:
            raise _unloaded(path, str(exc)) from exc
    if document is not None and not isinstance(document, dict):
        raise _unloaded(path, no_object(document))
    return document or {}


def _unloaded(path: str, why: str) -> CommandError:
    return CommandError(f'error loading config file "{path}": {why}')


def connection(config: Kubeconfig, values: Values) -> Connection:
    """Return where the command goes, and as whom. Raises CommandError."""
    if config.empty and not values.server:
        found = _in_cluster()
        if found is not None:
            found.namespace = values.namespace or found.namespace
            found.token = values.token
            found.headers = _impersonation("", {}, values)
            return found
    context_name = values.context or config.current_context
    context = config.contexts.get(context_name, {})
    if context_name and context_name not in config.contexts:
        text = "context was not found for specified context"
        raise Said(f"Error in configuration: {text}: {context_name}")
    if values.cluster and values.cluster not in config.clusters:
        raise CommandError(f'no server found for cluster "{values.cluster}"')
    if values.user and values.user not in config.users:
        raise CommandError(f'auth info "{values.user}" does not exist')
    cluster_name = values.cluster or context.get("cluster", "")
    user_name = values.user or context.get("user", "")
    cluster, user = config.clusters.get(cluster_name, {}), config.users.get(user_name, {})
    made = Connection(
        values.server or cluster.get("server") or "http://localhost:8080",
        values.namespace or context.get("namespace") or "",
    )
    ca_file = config.path("clusters", cluster_name, cluster, "certificate-authority")
    _of_cluster(made, cluster, ca_file, values)
    _of_user(made, user_name, user, values)
    for name, key in (("cert_file", "client-certificate"), ("key_file", "client-key"),
                      ("token_file", "tokenFile")):  # fmt: skip
        given = getattr(values, key.replace("-", "_"), "")
        setattr(made, name, given or config.path("users", user_name, user, key))
    plugin = _plugin(config.origins.get(("users", user_name), ""), user)
    check(made, cluster_name, user_name, plugin)
    if provider := user.get("auth-provider"):
        raise CommandError(f'no Auth Provider found for name "{provider["name"]}"')
    made.exec = None if made.token or made.basic else plugin
    return made


def _of_cluster(made: Connection, cluster: Mapping[str, Any], ca_file: str, values: Values) -> None:
    if values.insecure_skip_tls_verify or values.certificate_authority:
        # What is trusted is the command line's to say, altogether.
        made.insecure, made.ca_file = values.insecure_skip_tls_verify, values.certificate_authority
    else:
        made.insecure = cluster.get("insecure-skip-tls-verify", False)
        made.ca_file = ca_file
        made.ca_data = _data(cluster, "certificate-authority-data")
    made.tls_server_name = values.tls_server_name or cluster.get("tls-server-name", "")
    made.proxy_url = values.proxy_url or cluster.get("proxy-url", "")
    for extension in cluster.get("extensions", ()):
        if extension.get("name") == "client.authentication.k8s.io/exec":
            made.exec_config = extension.get("extension")


def _of_user(made: Connection, called: str, user: Mapping[str, Any], values: Values) -> None:
    made.cert_data = b"" if values.client_certificate else _data(user, "client-certificate-data")
    made.key_data = b"" if values.client_key else _data(user, "client-key-data")
    made.token = values.token or str(user.get("token") or "")
    made.headers = _impersonation(called, user, values)
    name = values.username or user.get("username", "")
    secret = values.password or user.get("password", "")
    made.basic = f"{name}:{secret}" if name or secret else ""


def _plugin(origin: str, user: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what gives the user's credentials; a path is relative to the kubeconfig, *origin*."""
    plugin: Mapping[str, Any] | None = user.get("exec")
    if plugin is None or os.sep not in plugin["command"]:
        return plugin
    where = os.path.dirname(os.path.abspath(origin))
    return {**plugin, "command": os.path.join(where, os.path.normpath(plugin["command"]))}


def _data(entry: Mapping[str, Any], key: str) -> bytes:
    from binascii import a2b_base64

    return a2b_base64(entry.get(key, ""))


def _impersonation(
    called: str, user: Mapping[str, Any], values: Values
) -> tuple[tuple[str, str], ...]:
    """Headers that ask for another identity: flags, or what the kubeconfig says."""
    name = values.__getattr__("as") or user.get("as", "")
    uid = values.as_uid or user.get("as-uid", "")
    groups = values.as_group or user.get("as-groups") or ()
    extra = dict(user.get("as-user-extra") or {})
    for text in values.as_user_extra:
        key, _, value = text.partition("=")
        extra.setdefault(key, []).append(value)
    if (uid or groups or extra) and not name:
        raise CommandError(
            f"requesting uid, groups or user-extra for {called} without impersonating a user"
        )
    headers = [("Impersonate-User", name)] if name else []
    headers += [("Impersonate-Uid", uid)] if uid else []
    headers += [("Impersonate-Group", group) for group in groups]
    for key, found in extra.items():
        headers += [(f"Impersonate-Extra-{key}", value) for value in found]
    return tuple(headers)


def _in_cluster() -> Connection | None:
    """What a Pod finds: the service account that it runs as."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    token = f"{_SERVICE_ACCOUNT}/token"
    if not host or not port or not os.path.exists(token):
        return None
    host = f"[{host}]" if ":" in host else host
    with open(f"{_SERVICE_ACCOUNT}/namespace") as file:
        made = Connection(f"https://{host}:{port}", file.read().strip())
    made.ca_file, made.token_file = f"{_SERVICE_ACCOUNT}/ca.crt", token
    return made
