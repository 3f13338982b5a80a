"""Objects that Hypothesis builds from the published schemas, for every kind.

Values are drawn by what a field is called and typed: mostly such as validation takes, sometimes
such as no client in its right mind would send, so that both what is accepted and what is refused
is met. ``documents`` builds upon the least object of the kind, most of which the server accepts;
``anything`` makes whatever the schema allows.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from podium.api import schema
from podium.api.schema import Definition
from podium.api.scheme import Resource
from support.minimal import Document, minimal

_DEEPEST = 9
#: Set by the server, or read by it from elsewhere than the document.
_SERVERS_OWN = frozenset(
    "apiVersion kind creationTimestamp deletionTimestamp deletionGracePeriodSeconds generation "
    "managedFields resourceVersion selfLink uid".split()
)

_NAMES = ("a", "b", "c", "web-1", "data.example", "made")
_KEYS = ("app", "tier", "example.com/a", "kubernetes.io/hostname")
#: What fields of these names may say, and what they mean by it.
_WORDS: dict[str, tuple[str, ...]] = {
    "accessModes": ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"),
    "addressType": ("IPv4", "IPv6", "FQDN"),
    "apiGroup": ("", "apps", "rbac.authorization.k8s.io"),
    "apiGroups": ("", "apps", "*"),
    "apiVersion": ("v1", "apps/v1"),
    "completionMode": ("NonIndexed", "Indexed"),
    "concurrencyPolicy": ("Allow", "Forbid", "Replace"),
    "conditionType": ("example.com/gate", "Ready"),
    "controller": ("example.com/ingress",),
    "dnsPolicy": ("ClusterFirst", "Default", "None", "ClusterFirstWithHostNet"),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    "externalTrafficPolicy": ("Cluster", "Local"),
    "fieldPath": ("metadata.name", "status.podIP", "metadata.labels['app']", "spec.nodeName"),
    "finalizers": ("example.com/last", "kubernetes", "orphan"),
    "fsGroupChangePolicy": ("Always", "OnRootMismatch"),
    "fsGroupPolicy": ("File", "None", "ReadWriteOnceWithFSType"),
    "image": ("registry.example/app:1", "app"),
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "internalTrafficPolicy": ("Cluster", "Local"),
    "ipFamilies": ("IPv4", "IPv6"),
    "ipFamilyPolicy": ("SingleStack", "PreferDualStack", "RequireDualStack"),
    "kind": ("Deployment", "ClusterRole", "Role", "User", "Group", "ServiceAccount", "Managed"),
    "medium": ("", "Memory", "HugePages"),
    "mountPropagation": ("None", "HostToContainer", "Bidirectional"),
    "nodeAffinityPolicy": ("Honor", "Ignore"),
    "nodeTaintsPolicy": ("Honor", "Ignore"),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal"),
    "pathType": ("Exact", "Prefix", "ImplementationSpecific"),
    "persistentVolumeReclaimPolicy": ("Retain", "Delete", "Recycle"),
    "phase": ("Active", "Pending", "Running", "Bound", "Terminating"),
    "podManagementPolicy": ("OrderedReady", "Parallel"),
    "policyTypes": ("Ingress", "Egress"),
    "preemptionPolicy": ("PreemptLowerPriority", "Never"),
    "procMount": ("Default", "Unmasked"),
    "protocol": ("TCP", "UDP", "SCTP"),
    "reclaimPolicy": ("Delete", "Retain"),
    "resource": ("limits.cpu", "requests.memory", "cpu", "pods"),
    "resources": ("pods", "pods/log", "*"),
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "schedule": ("* * * * *", "@hourly", "0 5 * * 1-5"),
    "scheme": ("HTTP", "HTTPS"),
    "scopeName": ("Terminating", "NotTerminating", "BestEffort", "PriorityClass"),
    "scopes": ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort"),
    "sessionAffinity": ("None", "ClientIP"),
    "status": ("True", "False", "Unknown"),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "timeZone": ("Etc/UTC", "Europe/Berlin"),
    "topologyKey": ("kubernetes.io/hostname", "example.com/zone"),
    "type": (
        "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "Opaque", "RollingUpdate",
        "Recreate", "OnDelete", "Resource", "Pods", "Container", "Pod", "PersistentVolumeClaim",
        "RuntimeDefault", "Unconfined", "Localhost", "DirectoryOrCreate", "Utilization",
        "AverageValue", "Normal", "Warning", "Ready", "kubernetes.io/tls", "InternalIP",
    ),
    "unhealthyPodEvictionPolicy": ("IfHealthyBudget", "AlwaysAllow"),
    "verbs": ("get", "list", "watch", "*"),
    "volumeBindingMode": ("Immediate", "WaitForFirstConsumer"),
    "volumeMode": ("Filesystem", "Block"),
    "whenDeleted": ("Retain", "Delete"),
    "whenScaled": ("Retain", "Delete"),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
}  # fmt: skip
_ADDRESSES = ("10.0.0.1", "192.0.2.7", "2001:db8::1", "None", "")
_BLOCKS = ("10.0.0.0/24", "192.0.2.0/28", "2001:db8::/64")
_PATHS = ("/", "/data", "/healthz", "sub/dir", "../up")
_QUANTITIES = ("0", "1", "100m", "1Gi", "2.5", "1e3", "0.1", "500Mi", 2, 1.5)
_TIMES = ("2026-01-02T03:04:05Z", "2025-12-31T23:59:59+02:00", None)
_MICRO_TIMES = ("2026-01-02T03:04:05.000006Z", "2025-12-31T23:59:59.123456+02:00", None)
_NUMBERS = (0, 1, 2, 3, 5, 30, 80, 8080, 65535, 100, -1, 2**31 - 1)
_ODD_TEXTS = ("", " ", "Ä", "x" * 300, "a/b/c", "null", "~", "-1", "1.5", "\u2028", "\x00", "🙂")
_RESOURCE_NAMES = ("cpu", "memory", "storage", "pods", "ephemeral-storage", "example.com/gpu")


class _Builder:
    """Draws values of schemas; ``members`` is about how many optional ones an object gets."""

    def __init__(self, draw: st.DrawFn, members: int, odd: int = 30) -> None:
        self._draw, self._members, self._odd = draw, members, odd

    def one_in(self, count: int) -> bool:
        return bool(self._draw(st.integers(0, count - 1)) == 0)

    def pick(self, options: Any) -> Any:
        return self._draw(st.sampled_from(options))

    def object(self, definition: Definition, depth: int) -> Document:
        """Draw an object of a definition with properties."""
        properties = definition["properties"]
        required = definition.get("required", ())
        optional = sorted(properties.keys() - set(required) - _SERVERS_OWN)
        chosen = list(required)
        if optional and depth < _DEEPEST:
            most = min(self._members if depth < 3 else 2, len(optional))
            count = self._draw(st.integers(0, most))
            chosen += [self.pick(optional) for _ in range(count)]
        return {
            name: self.value(properties[name], name, depth + 1)
            for name in dict.fromkeys(chosen)
            if name not in _SERVERS_OWN or name in required
        }

    def value(self, field: Definition, name: str, depth: int) -> Any:
        reference = field.get("$ref", "").rpartition("/")[2]
        if reference:
            return self._referred(reference, name, depth)
        match field.get("type"):
            case "array":
                count = self._draw(st.integers(0, 2 if depth < _DEEPEST else 0))
                return [self.value(field["items"], name, depth) for _ in range(count)]
            case "object" if "additionalProperties" in field:
                return self._map(field["additionalProperties"], name, depth)
            case "object":
                return {}
            case "boolean":
                return self.pick((True, False))
            case "integer":
                return self.pick(_NUMBERS)
            case "number":
                return self.pick((0.5, 1, 2))
            case "string":
                return self._text(name, field.get("format", ""))
        return self.pick(({}, {"a": 1}, [], "text", None))

    def _referred(self, reference: str, name: str, depth: int) -> Any:
        short = reference.rpartition(".")[2]
        if short == "Quantity":
            return self.pick(_QUANTITIES)
        if short == "IntOrString":
            return self.pick((1, 80, "http", "25%", "", -1))
        if short == "Time":
            return self.pick(_TIMES)
        if short == "MicroTime":
            return self.pick(_MICRO_TIMES)
        try:
            definition = schema.definition(reference)
        except KeyError:
            return self.pick(({}, {"a": {"b": [1, "x", None]}}))
        if "properties" in definition:
            return self.object(definition, depth)
        return self.value({**definition, "type": definition.get("type")}, name, depth)

    def _map(self, values: Definition, name: str, depth: int) -> Document:
        quantities = values.get("$ref", "").endswith("Quantity")
        keys = _RESOURCE_NAMES if quantities else _KEYS
        count = self._draw(st.integers(0, 2))
        chosen = dict.fromkeys(self.pick(keys) for _ in range(count))
        return {key: self.value(values, "labelValue", depth + 1) for key in chosen}

    def _text(self, name: str, form: str) -> str:
        if self.one_in(self._odd):
            return str(self.pick(_ODD_TEXTS))
        if form == "byte":
            return str(self.pick(("", "AA==", "aGVsbG8=")))
        if name in _WORDS:
            return str(self.pick(_WORDS[name]))
        lower = name.lower()
        if lower.endswith(("ip", "ips", "address", "addresses")):
            return str(self.pick(_ADDRESSES))
        if "cidr" in lower:
            return str(self.pick(_BLOCKS))
        if "path" in lower:
            return str(self.pick(_PATHS))
        if lower in ("key", "matchlabelkeys"):
            return str(self.pick(_KEYS))
        return str(self.pick(_NAMES))


@st.composite
def anything(draw: st.DrawFn, resource: Resource, members: int = 4) -> Document:
    """Draw an object of the kind, such as the schema allows; most make no sense."""
    builder = _Builder(draw, members, odd=8)
    definition = schema.definition(schema.definition_of(resource.type))
    made = builder.object(definition, 0)
    metadata = made.get("metadata") or {}
    metadata.setdefault("name", "made")
    return {
        **made,
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
    }


@st.composite
def documents(draw: st.DrawFn, resource: Resource) -> Document:
    """Draw an object of the kind, most of which are in order."""
    builder = _Builder(draw, 2)
    document = minimal(resource)
    if builder.one_in(4):
        document["metadata"]["labels"] = {builder.pick(_KEYS): builder.pick(_NAMES)}
    if builder.one_in(8):
        document["metadata"]["annotations"] = {"a": builder.pick(_ODD_TEXTS)}
    for _ in range(builder.pick((0, 0, 1, 1, 2, 3))):
        _grow(builder, document, schema.definition(schema.definition_of(resource.type)), 0)
    return document


def _grow(builder: _Builder, document: Document, definition: Definition, depth: int) -> None:
    """Put one drawn value somewhere into *document*."""
    properties = definition["properties"]
    names = sorted(properties.keys() - _SERVERS_OWN - {"metadata"})
    if not names:
        return
    name = builder.pick(names)
    field, there = properties[name], document.get(name)
    inner = schema.resolve(field)
    if isinstance(there, list) and there and isinstance(there[0], dict):
        there, inner = builder.pick(there), schema.items(field)
    if isinstance(there, dict) and "properties" in inner:
        _grow(builder, there, inner, depth + 1)
    else:
        document[name] = builder.value(field, name, 4)


@st.composite
def instances(draw: st.DrawFn, name: str) -> Document:
    """Draw a value of the definition *name*, such as the schema allows."""
    return _Builder(draw, 3).object(schema.definition(name), 2)
