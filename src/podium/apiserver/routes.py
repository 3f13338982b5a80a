"""Which verb answers a request for a resource. The scheme says what is served; no kind has a rule.

The subresources that are actions of the server itself, not parts of an object, are named here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module

from aiohttp.web import StreamResponse

from podium.api import metrics, scheme
from podium.api.scheme import PODS, SCALE, Resource, Subresource
from podium.apiserver import connect, discovery, errors
from podium.apiserver.call import Call
from podium.apiserver.paths import RequestInfo
from podium.apiserver.pod_log import log
from podium.apiserver.token_request import create_token
from podium.apiserver.verbs.create import bind, create
from podium.apiserver.verbs.delete import delete, delete_collection
from podium.apiserver.verbs.get import get
from podium.apiserver.verbs.list import list_objects
from podium.apiserver.verbs.patch import patch
from podium.apiserver.verbs.update import update
from podium.apiserver.verbs.watch import watch

Verb = Callable[[Call], Awaitable[StreamResponse]]
Route = tuple[Verb, Resource, Subresource | None]

_COLLECTION_VERBS: dict[str, Verb] = {
    "create": create,
    "deletecollection": delete_collection,
    "list": list_objects,
    "watch": watch,
}
_OBJECT_VERBS: dict[str, Verb] = {
    "delete": delete,
    "get": get,
    "patch": patch,
    "update": update,
    "watch": watch,
}
_PART_VERBS: dict[str, Verb] = {"get": get, "patch": patch, "update": update}
#: Modules and functions that answer reviews; most servers' lives pass without some of them.
_REVIEWS: dict[Resource, tuple[str, str]] = {
    scheme.SUBJECTACCESSREVIEWS: ("access", "subject_access_review"),
    scheme.LOCALSUBJECTACCESSREVIEWS: ("access", "local_subject_access_review"),
    scheme.SELFSUBJECTACCESSREVIEWS: ("access", "self_subject_access_review"),
    scheme.SELFSUBJECTRULESREVIEWS: ("access", "self_subject_rules_review"),
    scheme.TOKENREVIEWS: ("identity", "token_review"),
    scheme.SELFSUBJECTREVIEWS: ("identity", "self_subject_review"),
}
_ACTIONS: dict[tuple[str, str, str], Verb] = {
    ("pods", "attach", "create"): connect.attach,
    ("pods", "attach", "get"): connect.attach,
    ("pods", "binding", "create"): bind,
    ("pods", "exec", "create"): connect.exec_,
    ("pods", "exec", "get"): connect.exec_,
    ("pods", "log", "get"): log,
    ("pods", "portforward", "create"): connect.port_forward,
    ("pods", "portforward", "get"): connect.port_forward,
    ("serviceaccounts", "token", "create"): create_token,
}
#: Functions of ``apiserver.proxy.connect`` that pass requests on.
_PROXIES: dict[tuple[str, str], str] = {
    ("nodes", "proxy"): "proxy_node",
    ("pods", "proxy"): "proxy_pod",
    ("services", "proxy"): "proxy_service",
}
_PROXY_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def find(info: RequestInfo) -> Route:
    """Return what answers *info*. Raises PathNotFound or ApiError (404, 405)."""
    resource = scheme.find(info.group, info.version, info.resource)
    if resource is None:
        return _unstored(info)
    if not _well_placed(resource, info):
        raise errors.resource_not_found()
    if info.subresource or info.rest:
        return _part(resource, info)
    if info.method == "HEAD":
        raise errors.method_not_allowed()
    if resource in _REVIEWS:
        return _review(resource, info)
    if resource is scheme.COMPONENTSTATUSES:
        return _component(resource, info)
    verbs = _COLLECTION_VERBS if _is_collection(info) else _OBJECT_VERBS
    verb = verbs.get(info.verb)
    everywhere = resource.namespaced and not info.namespace
    if (
        verb is None
        or info.verb not in resource.verbs
        or (everywhere and info.verb not in ("list", "watch"))
    ):
        raise errors.method_not_allowed()
    return verb, resource, None


def _unstored(info: RequestInfo) -> Route:
    """Return what answers for what is in no store."""
    if not discovery.served(info.group, info.version):
        raise errors.PathNotFound
    if info.resource == "bindings" and not info.group and info.namespace and not info.name:
        return _bindings(info)
    if info.group == metrics.GROUP:
        return _usage(info)
    raise errors.resource_not_found()


def _part(resource: Resource, info: RequestInfo) -> Route:
    proxy = _PROXIES.get((resource.plural, info.subresource))
    if proxy is not None:
        return _proxied(resource, info, proxy)
    if info.rest:
        raise errors.resource_not_found()
    if info.method == "HEAD":
        raise errors.method_not_allowed()
    return _subresource(resource, info)


def _proxied(resource: Resource, info: RequestInfo, function: str) -> Route:
    if info.method not in _PROXY_METHODS:
        raise errors.method_not_allowed()
    verb: Verb = getattr(import_module("podium.apiserver.proxy.connect"), function)
    return verb, resource, resource.subresource(info.subresource)


def _review(resource: Resource, info: RequestInfo) -> Route:
    if info.verb != "create" or info.name or (resource.namespaced and not info.namespace):
        raise errors.method_not_allowed()
    module, function = _REVIEWS[resource]
    verb: Verb = getattr(import_module(f"podium.apiserver.reviews.{module}"), function)
    return verb, resource, None


def _component(resource: Resource, info: RequestInfo) -> Route:
    function = {"list": "list_components", "get": "get_component", "watch": "watch_components"}
    if info.verb not in function:
        raise errors.method_not_allowed()
    return _rarely("component_status", function[info.verb]), resource, None


def _usage(info: RequestInfo) -> Route:
    """What is used is asked of the kubelets."""
    found = (known for known in metrics.RESOURCES if known.plural == info.resource)
    resource = next(found, None)
    if resource is None or info.subresource or not _well_placed(resource, info):
        raise errors.resource_not_found()
    function = {"list": "list_usages", "get": "get_usage"}.get(info.verb)
    if function is None or info.method != "GET":
        raise errors.method_not_allowed()
    return _rarely("usage", function), resource, None


def _is_collection(info: RequestInfo) -> bool:
    # A list restricted to one name by a field selector carries that name, too.
    return not info.name or info.verb in ("list", "deletecollection")


def _well_placed(resource: Resource, info: RequestInfo) -> bool:
    """Whether the path has a namespace where the kind wants one, and a name for a subresource."""
    if info.subresource and not info.name:
        return False
    if resource.namespaced:
        named = info.name and info.verb not in ("list", "watch", "deletecollection")
        return bool(info.namespace) or not named
    # For namespaces themselves the name stands where others have their namespace.
    own = info.resource == "namespaces" and info.namespace == info.name
    return own or not info.namespace


def _subresource(resource: Resource, info: RequestInfo) -> Route:
    subresource = resource.subresource(info.subresource)
    if subresource is None:
        raise errors.resource_not_found()
    if info.verb not in subresource.verbs:
        raise errors.method_not_allowed()
    verb = _ACTIONS.get((resource.plural, subresource.name, info.verb))
    if subresource is SCALE:
        verb = _rarely("scale", f"{info.verb}_scale")
    elif (subresource.name, info.verb) == ("eviction", "create"):
        verb = _rarely("eviction", "evict")
    elif (subresource.name, info.verb) == ("restart", "create"):
        verb = _rarely("restart", "restart")
    if verb is None:
        verb = _PART_VERBS.get(info.verb)
    if verb is None:
        raise errors.method_not_allowed()
    return verb, resource, subresource


def _rarely(module: str, function: str) -> Verb:
    """Return a verb whose module is loaded when it is asked for first."""
    found: Verb = getattr(import_module(f"podium.apiserver.verbs.{module}"), function)
    return found


def _bindings(info: RequestInfo) -> Route:
    if info.verb != "create":
        raise errors.method_not_allowed()
    return bind, PODS, PODS.subresource("binding")
