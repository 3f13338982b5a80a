"""Where images of a registry come from: mirrors, credentials and TLS, from a configuration file.

The file has the form of k3s's ``registries.yaml``::

    mirrors:
      docker.io:
        endpoint: ["https://mirror.example.com:5000", "http://127.0.0.1:5000"]
        rewrite: {"^library/(.*)": "mirrored/$1"}
      "*":
        endpoint: ["https://cache.example.com/v2"]
    configs:
      mirror.example.com:5000:
        auth: {username: USER, password: PASSWORD}   # or auth: BASE64, or identity_token: TOKEN
        tls: {ca_file: FILE, cert_file: FILE, key_file: FILE, insecure_skip_verify: true}

Endpoints are tried in their order, and the registry itself last. Unknown fields are refused.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from podium.runtime.image_port import AuthConfig


class ConfigError(ValueError):
    """A configuration that cannot be; the text names file and field."""


class TLSConfig(msgspec.Struct, frozen=True):
    """Empty file names: the system's certificate authorities, no client certificate."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure_skip_verify: bool = False


class Endpoint(msgspec.Struct, frozen=True):
    """One place to ask for a repository."""

    url: str  #: ``scheme://host[:port]/v2``, with the prefix that the configuration gives it
    repository: str
    mirror_of: str = ""  #: the registry that the image names, when this is another one
    fallback: str = ""  #: ``url`` with the other scheme, where that may be tried too

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


class Mirror(msgspec.Struct, frozen=True):
    endpoints: tuple[str, ...]
    rewrite: tuple[tuple[re.Pattern[str], str], ...] = ()


class Registries(msgspec.Struct, frozen=True):
    """The node's settings; without any, each registry is asked itself."""

    mirrors: Mapping[str, Mirror] = msgspec.field(default_factory=dict)
    auth: Mapping[str, AuthConfig] = msgspec.field(default_factory=dict)
    tls: Mapping[str, TLSConfig] = msgspec.field(default_factory=dict)

    def endpoints(self, domain: str, repository: str) -> list[Endpoint]:
        """Return where to ask for *repository* of the registry *domain*, the best place first."""
        host = "registry-1.docker.io" if domain == "docker.io" else domain
        found: list[Endpoint] = []
        mirror = self.mirrors.get(domain) or self.mirrors.get("*")
        for url in mirror.endpoints if mirror else ():
            mirror_of = "" if urlsplit(url).netloc == host else domain
            found.append(Endpoint(url, _rewritten(mirror, repository), mirror_of))
        if not any(endpoint.host == host for endpoint in found):
            found.append(self._default(host, repository))
        return found

    def auth_for(self, host: str) -> AuthConfig | None:
        """Return the credentials for *host*; ``docker.io``'s are its registry's, too."""
        if host == "registry-1.docker.io":
            return self.auth.get(host) or self.auth.get("docker.io")
        return self.auth.get(host)

    def tls_for(self, host: str) -> TLSConfig:
        return self.tls.get(host) or self.tls.get("*") or TLSConfig()

    def _default(self, host: str, repository: str) -> Endpoint:
        """A registry on loopback speaks plain HTTP unless its TLS is configured, as with containerd
        and Docker; TLS is tried where it turns out not to."""
        if is_loopback(host) and host not in self.tls:
            return Endpoint(f"http://{host}/v2", repository, fallback=f"https://{host}/v2")
        return Endpoint(f"https://{host}/v2", repository)


def load(path: Path | str) -> Registries:
    """Read *path*. Raises ConfigError."""
    import yaml  # only here, and a cluster without the file never comes here

    try:
        text = Path(path).read_text()
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: {exc}") from None
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path} is not YAML: {exc}") from None
    try:
        return parse(document)
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from None


def parse(document: Any) -> Registries:
    """Read the plain *document*. Raises ConfigError that names the field."""
    try:
        file = msgspec.convert(document or {}, _File)
    except msgspec.ValidationError as exc:
        raise ConfigError(str(exc).replace("`$.", "`").replace("`", '"')) from None
    mirrors = {
        name: _mirror(name, entry or _Mirror()) for name, entry in (file.mirrors or {}).items()
    }
    configs = {name: entry or _Config() for name, entry in (file.configs or {}).items()}
    return Registries(
        mirrors,
        {name: _auth(name, entry.auth) for name, entry in configs.items() if entry.auth},
        {name: _tls(name, entry.tls) for name, entry in configs.items() if entry.tls},
    )


def is_loopback(host: str) -> bool:
    """Whether *host* (``name[:port]``) is this machine by its name or address."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Mirror(msgspec.Struct, forbid_unknown_fields=True):
    endpoint: list[str] | None = None
    rewrite: dict[str, str] | None = None


class _Auth(msgspec.Struct, forbid_unknown_fields=True):
    username: str = ""
    password: str = ""
    auth: str = ""
    identity_token: str = ""


class _TLS(msgspec.Struct, forbid_unknown_fields=True):
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure_skip_verify: bool = False


class _Config(msgspec.Struct, forbid_unknown_fields=True):
    auth: _Auth | None = None
    tls: _TLS | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    mirrors: dict[str, _Mirror | None] | None = None
    configs: dict[str, _Config | None] | None = None


def _mirror(name: str, entry: _Mirror) -> Mirror:
    rules = []
    for pattern, replacement in (entry.rewrite or {}).items():
        try:
            rule = (re.compile(pattern), _python_replacement(replacement))
            rule[0].sub(rule[1], "")  # a group that is not there shows now
            rules.append(rule)
        except (re.error, IndexError) as exc:
            raise ConfigError(f'mirrors["{name}"].rewrite: {pattern!r}: {exc}') from None
    return Mirror(tuple(_endpoint(name, url) for url in entry.endpoint or ()), tuple(rules))


def _endpoint(name: str, text: str) -> str:
    where = f'mirrors["{name}"].endpoint: {text!r}'
    scheme = "http" if is_loopback(text.split("/")[0]) else "https"
    url = text if "://" in text else f"{scheme}://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as exc:
        raise ConfigError(f"{where}: {exc}") from None
    if not usable or parts.query or parts.fragment or parts.username is not None:
        raise ConfigError(f"{where} is not of the form http(s)://host[:port][/path]")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v2'}"


def _python_replacement(text: str) -> str:
    """``$1`` and ``${1}`` of Go's regular expressions as ``\\g<1>``."""
    return re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", text.replace("\\", r"\\"))


def _rewritten(mirror: Mirror | None, repository: str) -> str:
    for pattern, replacement in mirror.rewrite if mirror else ():
        if pattern.search(repository):
            return pattern.sub(replacement, repository)
    return repository


def _auth(name: str, entry: _Auth) -> AuthConfig:
    if entry.auth and not entry.username:
        try:
            decoded = base64.b64decode(entry.auth, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ConfigError(f'configs["{name}"].auth.auth is not base64') from None
        username, colon, password = decoded.partition(":")
        if not colon:
            raise ConfigError(f'configs["{name}"].auth.auth does not hold "user:password"')
        return AuthConfig(username, password.strip("\0"))
    return AuthConfig(entry.username, entry.password, entry.identity_token)


def _tls(name: str, entry: _TLS) -> TLSConfig:
    for key in ("ca_file", "cert_file", "key_file"):
        path = getattr(entry, key)
        if path and not os.access(path, os.R_OK):
            raise ConfigError(f'configs["{name}"].tls.{key}: {path} cannot be read')
    if bool(entry.cert_file) != bool(entry.key_file):
        raise ConfigError(f'configs["{name}"].tls: cert_file and key_file go together')
    return TLSConfig(entry.ca_file, entry.cert_file, entry.key_file, entry.insecure_skip_verify)
