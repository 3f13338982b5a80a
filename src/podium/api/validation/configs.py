"""Validation of ConfigMaps and Secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from podium.api import go_json, names
from podium.api.field import FieldError, Path, forbidden, invalid, required, too_long
from podium.api.types.core_v1 import ConfigMap, Secret
from podium.api.validation.common import Errors, immutable, invalid_each

#: Most bytes that the values of a ConfigMap or Secret may have together.
MAX_SIZE = 1024 * 1024
_REDACTED = "<secret contents redacted>"
_IMMUTABLE = "field is immutable when `immutable` is set"
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"


def validate_config_map(config: ConfigMap) -> list[FieldError]:
    """Return the offences of keys and size."""
    errors: list[FieldError] = []
    for key in sorted(config.data):
        at = Path("data").key(key)
        errors.extend(invalid_each(at, key, names.config_map_key(key)))
        if key in config.binary_data:
            errors.append(invalid(at, key, "duplicate of key present in binaryData"))
    for key in sorted(config.binary_data):
        at = Path("binaryData").key(key)
        errors.extend(invalid_each(at, key, names.config_map_key(key)))
    size = sum(len(value.encode()) for value in config.data.values())
    if size + _decoded_size(config.binary_data.values()) > MAX_SIZE:
        errors.append(too_long(Path("[]"), MAX_SIZE))
    return errors


def validate_config_map_update(new: ConfigMap, old: ConfigMap) -> list[FieldError]:
    errors: list[FieldError] = []
    if old.immutable:
        if not new.immutable:
            errors.append(forbidden(Path("immutable"), _IMMUTABLE))
        if new.data != old.data:
            errors.append(forbidden(Path("data"), _IMMUTABLE))
        if new.binary_data != old.binary_data:
            errors.append(forbidden(Path("binaryData"), _IMMUTABLE))
    return errors + validate_config_map(new)


def validate_secret(secret: Secret) -> list[FieldError]:
    """Return the offences of keys, size, and what the secret's type requires."""
    errors: list[FieldError] = []
    for key in sorted(secret.data):
        errors.extend(invalid_each(Path("data").key(key), key, names.config_map_key(key)))
    if _decoded_size(secret.data.values()) > MAX_SIZE:
        errors.append(too_long(Path("data"), MAX_SIZE))
    errors.extend(_validate_type(secret))
    return errors


def validate_secret_update(new: Secret, old: Secret) -> list[FieldError]:
    errors = list(immutable(Path("type"), new.type, old.type))
    if old.immutable:
        if not new.immutable:
            errors.append(forbidden(Path("immutable"), _IMMUTABLE))
        if new.data != old.data:
            errors.append(forbidden(Path("data"), _IMMUTABLE))
    return errors + validate_secret(new)


def _validate_type(secret: Secret) -> Errors:
    data = secret.data
    match secret.type:
        case "kubernetes.io/service-account-token":
            if not secret.metadata.annotations.get(SERVICE_ACCOUNT_NAME):
                yield required(Path("metadata.annotations").key(SERVICE_ACCOUNT_NAME))
        case "kubernetes.io/dockercfg":
            yield from _json_object(data, ".dockercfg")
        case "kubernetes.io/dockerconfigjson":
            yield from _json_object(data, ".dockerconfigjson")
        case "kubernetes.io/basic-auth":
            if "username" not in data and "password" not in data:
                yield required(Path("data").key("username"))
                yield required(Path("data").key("password"))
        case "kubernetes.io/ssh-auth":
            if not data.get("ssh-privatekey"):
                yield required(Path("data").key("ssh-privatekey"))
        case "kubernetes.io/tls":
            for key in ("tls.crt", "tls.key"):
                if key not in data:
                    yield required(Path("data").key(key))


def _json_object(data: Mapping[str, str], key: str) -> Errors:
    at = Path("data").key(key)
    if key not in data:
        yield required(at)
        return
    problem = _json_problem(base64.b64decode(data[key]))
    if problem:
        yield invalid(at, _REDACTED, problem)


def _json_problem(body: bytes) -> str:
    """Return why *body* is not a JSON object, in Go's words; "" if it is one."""
    try:
        value = go_json.load(body)
    except go_json.SyntaxFailure as failure:
        return str(failure)
    if value is None or isinstance(value, go_json.Pairs):
        return ""
    kind = go_json.kind(value)
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


def _decoded_size(values: Iterable[str]) -> int:
    """Return how many bytes the base64 texts stand for."""
    return sum(len(value) * 3 // 4 - value[-2:].count("=") for value in values)
