"""What a kubeconfig may say: fields with their types, and Go's words for what is of others. Pure.

Every command reads one, so this is no more than a table and a walk.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STRING, _BOOL, _BYTES, _ANY = "string", "bool", "[]uint8", ""
#: What ``json`` calls what Python calls so.
_KINDS = {
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_SCHEME = "k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50"


class Unfit(ValueError):
    """A document is no kubeconfig; the message is upstream's."""


class _Struct:
    """Fields with their types: the name of a plain one, a struct, ``[type]`` or ``{"": type}``.

    *always* are those that Go writes where nothing is said of them, too, with what it writes.
    """

    __slots__ = ("always", "fields", "name")

    def __init__(
        self, name: str, plain: str = "", always: dict[str, Any] | None = None, **others: Any
    ) -> None:
        self.name, self.always = name, always or {}
        self.fields: dict[str, Any] = dict.fromkeys(plain.split(), _STRING)
        self.fields.update((name.replace("_", "-"), type_) for name, type_ in others.items())


def _named(name: str, key: str, type_: Any) -> list[_Struct]:
    return [_Struct(name, "name", **{key: type_})]


_EXTENSIONS = _named("NamedExtension", "extension", _ANY)
_CLUSTER = _Struct(
    "Cluster", "server tls-server-name certificate-authority proxy-url",
    insecure_skip_tls_verify=_BOOL, disable_compression=_BOOL, certificate_authority_data=_BYTES,
    extensions=_EXTENSIONS,
)  # fmt: skip
_EXEC = _Struct(
    "ExecConfig", "command apiVersion installHint",
    {"command": "", "args": None, "env": None, "provideClusterInfo": False},
    args=[_STRING], env=[_Struct("ExecEnvVar", "name value", {"name": "", "value": ""})],
    provideClusterInfo=_BOOL, interactiveMode="v1.ExecInteractiveMode",
)  # fmt: skip
#: Versions of plugins in which nothing need be said of a terminal.
_LENIENT = ("client.authentication.k8s.io/v1alpha1", "client.authentication.k8s.io/v1beta1")
_USER = _Struct(
    "AuthInfo", "client-certificate client-key token tokenFile as as-uid username password",
    client_certificate_data=_BYTES, client_key_data=_BYTES, as_groups=[_STRING],
    as_user_extra={"": [_STRING]}, exec=_EXEC, extensions=_EXTENSIONS,
    auth_provider=_Struct(
        "AuthProviderConfig", "name", {"name": "", "config": None}, config={"": _STRING}
    ),
)  # fmt: skip
_CONTEXT = _Struct("Context", "cluster user namespace", extensions=_EXTENSIONS)
_CONFIG = _Struct(
    "Config", "kind apiVersion current-context",
    clusters=_named("NamedCluster", "cluster", _CLUSTER),
    contexts=_named("NamedContext", "context", _CONTEXT),
    users=_named("NamedAuthInfo", "user", _USER),
    preferences=_Struct("Preferences", colors=_BOOL, extensions=_EXTENSIONS),
    extensions=_EXTENSIONS,
)  # fmt: skip


def no_object(value: Any) -> str:
    """Return why *value* is no document of any kind."""
    kind = "null" if value is None else _KINDS[type(value)]
    return (
        "couldn't get version/kind; json parse error: json: cannot unmarshal "
        f"{kind} into Go value of type struct {{ APIVersion string "
        r'"json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
    )


def said_kind(document: Any, version: str, kind: str) -> tuple[str, str]:
    """Return the version and the kind that a document says it is of; what it leaves out is as
    given. Raises Unfit."""
    if not isinstance(document, dict):
        raise Unfit(no_object(document))
    said = {"apiVersion": version, "kind": kind}
    for name in said:
        found = _KINDS.get(type(document.get(name)), _STRING)
        if found != _STRING:
            raise Unfit(
                f"couldn't get version/kind; json parse error: json: cannot unmarshal {found} into "
                f"Go struct field .{name} of type string"
            )
        said[name] = document.get(name) or said[name]
    return said["apiVersion"], said["kind"]


def decoded(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a document; what is null is not there, as if nothing said it.

    Raises Unfit.
    """
    version, kind = said_kind(document, "v1", "Config")
    if (version, kind) != ("v1", "Config"):
        raise Unfit(f'no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"')
    found: dict[str, Any] = _fields(document, _CONFIG, "")
    return found


def _fields(value: dict[str, Any], struct: _Struct, path: str) -> dict[str, Any]:
    found = dict(struct.always)
    for name in sorted(value):  # as they come in the JSON that Go makes of YAML
        type_ = struct.fields.get(name)
        if type_ is not None and value[name] is not None:
            inner = f"{path}.{name}"
            found[name] = _value(value[name], type_, struct, inner)
    if struct is _EXEC and found.get("apiVersion") in _LENIENT:
        found["interactiveMode"] = found.get("interactiveMode") or "IfAvailable"
    return found


def _value(value: Any, type_: Any, struct: _Struct, path: str) -> Any:
    """Return *value*, of the field of *struct* at *path*, as its type has it. Raises Unfit."""
    if type_ == _ANY:
        return value
    kind = _KINDS.get(type(value), "object")
    if kind != _kind(type_):
        raise Unfit(
            f"json: cannot unmarshal {kind} into Go struct field {struct.name}{path} of type "
            f"{_name(type_)}"
        )
    if type_ == _BYTES:
        _check_base64(value)
    if isinstance(type_, _Struct):
        return _fields(value, type_, path)
    if isinstance(type_, list):
        nothing: Any = {} if isinstance(type_[0], _Struct) else ""
        items = (nothing if item is None else item for item in value)
        return [_value(item, type_[0], struct, path) for item in items]
    if isinstance(type_, dict):
        return {name: _value(item, type_[""], struct, path) for name, item in value.items()}
    return value


def _kind(type_: Any) -> str:
    if isinstance(type_, str):
        return _BOOL if type_ == _BOOL else _STRING
    return "array" if isinstance(type_, list) else "object"


def _name(type_: Any) -> str:
    if isinstance(type_, _Struct):
        return f"v1.{type_.name}"
    if isinstance(type_, list):
        return f"[]{_name(type_[0])}"
    return f"map[string]{_name(type_[''])}" if isinstance(type_, dict) else str(type_)


def _check_base64(text: str) -> None:
    from binascii import a2b_base64

    try:
        a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        from podium.api.decoding import base64_offset  # takes its time

        raise Unfit(f"illegal base64 data at input byte {base64_offset(text)}") from None
