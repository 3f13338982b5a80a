"""``kubectl create token``."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation
from podium.kubectl.creating import Map, only_name, resource
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.writing import MANAGED_FIELDS_FLAG, OUTPUT_FLAGS, text_of, whole

_BOUND = {"Pod": "v1", "Secret": "v1", "Node": "v1"}
_TYPE = resource("", "v1", "serviceaccounts", "ServiceAccount")


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    name = only_name(invocation)
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
               "metadata": {}, "spec": _spec(values)}  # fmt: skip
    path = _TYPE.path(session.namespace, name, "token")
    try:
        obj = session.send("POST", path, (), request)
    except StatusError as error:
        raise CommandError(f"failed to create token: {error}") from error
    if whole(values):
        print(text_of(values, obj, typed=True), end="")
        return 0
    if values.output == "name":
        print(f"tokenrequest.authentication.k8s.io/{name}")
        return 0
    token = (obj.get("status") or {}).get("token")
    if not token:
        raise CommandError("failed to create token: no token in server response")
    print(token)
    return 0


def _spec(values: Values) -> Map:
    """Return what is asked for. Raises CommandError."""
    kind, bound, uid = values.bound_object_kind, values.bound_object_name, values.bound_object_uid
    if kind and kind not in _BOUND:
        raise CommandError(f"supported --bound-object-kind values are {', '.join(sorted(_BOUND))}")
    if kind and not bound:
        raise CommandError("--bound-object-name is required if --bound-object-kind is provided")
    if bound and not kind:
        raise CommandError("--bound-object-name can only be set if --bound-object-kind is provided")
    if uid and not kind:
        raise CommandError("--bound-object-uid can only be set if --bound-object-kind is provided")
    if values.duration < 0:
        raise CommandError("--duration must be greater than or equal to 0")
    if values.duration and values.duration < 1:
        raise CommandError("--duration cannot be expressed in units less than seconds")
    spec: Map = {"audiences": values.audience or None, "expirationSeconds": None,
                 "boundObjectRef": None}  # fmt: skip
    if values.duration:
        spec["expirationSeconds"] = int(values.duration)
    if kind:
        spec["boundObjectRef"] = {"kind": kind, "apiVersion": _BOUND[kind], "name": bound,
                                  **({"uid": uid} if uid else {})}  # fmt: skip
    return spec


TOKEN = Command(
    usage="kubectl create token SERVICE_ACCOUNT_NAME [options]",
    short="Request a service account token",
    run=run,
    flags=(
        *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
        Flag("audience", [], "Audience of the requested token. If unset, defaults to requesting a "
             "token for use with the Kubernetes API server. May be repeated to request a token "
             "valid for multiple audiences.", kind=Kind.ARRAY),
        Flag("duration", 0.0, "Requested lifetime of the issued token. If not set or if set to 0, "
             "the lifetime will be determined by the server automatically. The server may return a "
             "token with a longer or shorter lifetime.", kind=Kind.DURATION),
        Flag("bound-object-kind", usage="Kind of an object to bind the token to. Supported kinds "
             "are Node, Pod, Secret. If set, --bound-object-name must be provided."),
        Flag("bound-object-name", usage="Name of an object to bind the token to. The token will "
             "expire when the object is deleted. Requires --bound-object-kind."),
        Flag("bound-object-uid", usage="UID of an object to bind the token to. Requires "
             "--bound-object-kind and --bound-object-name. If unset, the UID of the existing "
             "object is used."),
    ),
)  # fmt: skip
