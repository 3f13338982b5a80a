"""Whether what a kubeconfig and flags mean can be used, as upstream's kubectl checks it first."""

from __future__ import annotations

import os

from podium.kubectl.errors import CommandError, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from podium.kubectl.kubeconfig import Connection

_PLUGIN = "to use exec authentication plugin"
_PROXIES = ("http", "https", "socks5")


def check(made: Connection, cluster: str, user: str, plugin: Mapping[str, Any] | None) -> None:
    """Raise CommandError for what cannot be, of a *cluster* and a *user* by their names.

    *plugin* is the program that gives the user's credentials, also where nobody needs it.
    """
    problems = [*_of_user(made, user, plugin), *_of_cluster(made, cluster)]
    if len(problems) == 1:
        raise CommandError(problems[0])
    if problems:
        raise Said("\n* ".join(["Error in configuration: ", *problems]))


def _of_user(made: Connection, user: str, plugin: Mapping[str, Any] | None) -> Iterator[str]:
    if made.cert_file or made.cert_data:
        if made.cert_file and made.cert_data:
            yield (
                f"client-cert-data and client-cert are both specified for {user}. client-cert-data "
                "will override."
            )
        if made.key_file and made.key_data:
            yield (
                f"client-key-data and client-key are both specified for {user}; client-key-data "
                "will override"
            )
        if not (made.key_file or made.key_data):
            yield (
                f"client-key-data or client-key must be specified for {user} to use the clientCert "
                "authentication method."
            )
        yield from _unreadable("client-cert", made.cert_file, user)
        yield from _unreadable("client-key", made.key_file, user)
    if plugin is not None:
        yield from _of_plugin(plugin, user)
    if made.token and made.basic:
        yield (
            f"more than one authentication method found for {user}; found [token basicAuth], only "
            "one is allowed"
        )


def _of_plugin(plugin: Mapping[str, Any], user: str) -> Iterator[str]:
    for name in ("command", "apiVersion"):
        if not plugin.get(name):
            yield f"{name} must be specified for {user} {_PLUGIN}"
    for variable in plugin.get("env") or ():
        if not variable["name"]:
            yield f"env variable name must be specified for {user} {_PLUGIN}"
    mode = plugin.get("interactiveMode")
    if not mode:
        yield f"interactiveMode must be specified for {user} {_PLUGIN}"
    elif mode not in ("Always", "IfAvailable", "Never"):
        yield f'invalid interactiveMode for {user}: "{mode}"'


def _of_cluster(made: Connection, cluster: str) -> Iterator[str]:
    if made.proxy_url and (why := _no_proxy(made.proxy_url)):
        yield f'invalid \'proxy-url\' "{made.proxy_url}" for cluster "{cluster}": {why}'
    if made.ca_file and made.ca_data:
        yield (
            f"certificate-authority-data and certificate-authority are both specified for "
            f"{cluster}. certificate-authority-data will override."
        )
    yield from _unreadable("certificate-authority", made.ca_file, cluster)


def _no_proxy(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator and ":" in url:
        return f"could not parse: {url}"
    scheme = scheme.lower() if separator else ""
    if scheme in _PROXIES:
        return ""
    return f'unsupported scheme "{scheme}", must be http, https, or socks5'


def _unreadable(what: str, path: str, name: str) -> Iterator[str]:
    try:
        if path:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as exc:
        why = f"open {path}: {(exc.strerror or '').lower()}"
        yield f"unable to read {what} {path} for {name} due to {why}"
