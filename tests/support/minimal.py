"""The least that the API server takes of each kind: what generated objects are built upon."""

from __future__ import annotations

from typing import Any

from podium.api.scheme import Resource

Document = dict[str, Any]

_CONTAINERS = [{"name": "c", "image": "registry.example/app:1"}]
_TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": _CONTAINERS}}
_SELECTOR = {"matchLabels": {"app": "x"}}
_JOB = {"template": {"spec": {"containers": _CONTAINERS, "restartPolicy": "Never"}}}
_ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
_CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
}

#: What a kind needs besides apiVersion, kind and a name; kinds that are not named need nothing.
_MEMBERS: dict[str, Document] = {
    "Pod": {"spec": {"containers": _CONTAINERS}},
    "Event": {"involvedObject": {"namespace": "default"}, "metadata": {"namespace": "default"}},
    "Event.events.k8s.io": {
        "regarding": {"namespace": "default"},
        "eventTime": "2026-01-02T03:04:05.000006Z",
        "reportingController": "example.com/controller",
        "reportingInstance": "one",
        "action": "Test",
        "reason": "Tested",
        "type": "Normal",
    },
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "LimitRange": {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
    "PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/data"},
        }
    },
    "PersistentVolumeClaim": {"spec": _CLAIM},
    "ServiceAccount": {"metadata": {"name": "default"}},
    "PodTemplate": {"template": _TEMPLATE},
    "ReplicationController": {"spec": {"selector": {"app": "x"}, "template": _TEMPLATE}},
    "RoleBinding": {"roleRef": _ROLE_REF},
    "ClusterRoleBinding": {"roleRef": _ROLE_REF},
    "ControllerRevision": {"data": {"a": 1}, "revision": 1},
    "DaemonSet": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "Deployment": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "ReplicaSet": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "StatefulSet": {
        "spec": {"selector": _SELECTOR, "template": _TEMPLATE, "serviceName": "s"},
    },
    "HorizontalPodAutoscaler": {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
            "maxReplicas": 3,
        }
    },
    "CronJob": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _JOB}}},
    "Job": {"spec": _JOB},
    "EndpointSlice": {"addressType": "IPv4", "endpoints": []},
    "IngressClass": {"spec": {"controller": "example.com/ingress"}},
    "Ingress": {
        "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}},
    },
    "NetworkPolicy": {"spec": {"podSelector": {}}},
    "IPAddress": {
        "metadata": {"name": "10.96.0.7"},
        "spec": {"parentRef": {"resource": "services", "name": "s", "namespace": "default"}},
    },
    "RuntimeClass": {"handler": "runc"},
    "ServiceCIDR": {"spec": {"cidrs": ["10.97.0.0/24"]}},
    "PodDisruptionBudget": {"spec": {"selector": _SELECTOR, "minAvailable": 1}},
    "PriorityClass": {"value": 10},
    "CSIDriver": {"spec": {}},
    "CSINode": {"spec": {"drivers": []}},
    "CSIStorageCapacity": {"storageClassName": "fast"},
    "StorageClass": {"provisioner": "example.com/disk"},
    "VolumeAttributesClass": {"driverName": "example.com/disk", "parameters": {"a": "b"}},
    "VolumeAttachment": {
        "spec": {
            "attacher": "disk.example.com",
            "nodeName": "n",
            "source": {"persistentVolumeName": "v"},
        }
    },
}


def minimal(resource: Resource, name: str = "made") -> Document:
    """Return an object of the kind that is in order; the caller may change it."""
    members = _MEMBERS.get(f"{resource.kind}.{resource.group}", _MEMBERS.get(resource.kind, {}))
    members = _copied(members)
    metadata = {"name": name, **members.pop("metadata", {})}
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
        **members,
    }


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
