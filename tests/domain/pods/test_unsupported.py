from __future__ import annotations

import pytest

from podium.domain.pods.apparmor import SecurityModules
from podium.domain.pods.unsupported import unsupported_fields, unsupported_message
from support.pods import make_pod


def container(**fields):
    return {"name": "a", "image": "kuard:1", **fields}


SERVED = make_pod(
    container(
        command=["/kuard"],
        env=[
            {"name": "A", "value": "b"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        envFrom=[{"configMapRef": {"name": "cm"}}],
        ports=[{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        resources={"limits": {"cpu": "1", "memory": "1Gi"}},
        resizePolicy=[{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
        securityContext={
            "privileged": False,
            "seccompProfile": {"type": "Unconfined"},
            "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]},
        },
        volumeMounts=[
            {"name": "t", "mountPath": "/t", "readOnly": True, "recursiveReadOnly": "Enabled"},
            {"name": "e", "mountPath": "/e", "subPathExpr": "$(A)", "mountPropagation": "None"},
        ],
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    ),
    dnsPolicy="ClusterFirst",
    securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
    hostUsers=True,
    shareProcessNamespace=False,
    affinity={},
    tolerations=[{"operator": "Exists"}],
    volumes=[
        {
            "name": "t",
            "projected": {
                "defaultMode": 420,
                "sources": [
                    {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
                    {"configMap": {"name": "kube-root-ca.crt", "items": [
                        {"key": "ca.crt", "path": "ca.crt"}]}},
                    {"downwardAPI": {"items": [
                        {"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
                ],
            },
        },
        {"name": "e", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "h", "hostPath": {"path": "/"}},
    ],
)  # fmt: skip


def test_what_is_served_is_not_complained_about():
    assert unsupported_fields(SERVED) == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"livenessProbe": {"httpGet": {"port": 1, "protocol": "HTTP2"}}},
         "livenessProbe.httpGet.protocol"),
        ({"readinessProbe": {"grpc": {"port": 1, "mode": "TLS"}}}, "readinessProbe.grpc.mode"),
        ({"lifecycle": {"preStop": {"httpGet": {"port": 1, "protocol": "HTTP2"}}}},
         "lifecycle.preStop.httpGet.protocol"),
        ({"securityContext": {"windowsOptions": {"runAsUserName": "a"}}},
         "securityContext.windowsOptions"),
        ({"ports": [{"containerPort": 1, "hostPort": 1, "hostIP": "::1"}]}, "ports[0].hostIP"),
        ({"ports": [{"containerPort": 1, "hostPort": 1, "hostIP": "here"}]}, "ports[0].hostIP"),
        ({"resources": {"limits": {"storage": "2Mi"}}}, "resources.limits[storage]"),
        ({"restartPolicy": "Never",
          "restartPolicyRules": [{"action": "RestartAllContainers",
                                  "exitCodes": {"operator": "In", "values": [1]}}]},
         "restartPolicyRules[0].action"),
    ],
)  # fmt: skip
def test_container_fields_that_are_not_served(fields, path):
    assert unsupported_fields(make_pod(container(**fields))) == [f"spec.containers[0].{path}"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (
            {"initContainers": [container(stdinOnce=True, volumeDevices=[{"name": "d"}])]},
            "spec.initContainers[0].volumeDevices",
        ),
        (
            {"ephemeralContainers": [container(volumeDevices=[{"name": "d"}])]},
            "spec.ephemeralContainers[0].volumeDevices",
        ),
        (
            {"securityContext": {"windowsOptions": {"runAsUserName": "a"}}},
            "spec.securityContext.windowsOptions",
        ),
        (
            {"volumes": [{"name": "v", "image": {"reference": "a"}}], "hostUsers": False},
            "spec.volumes[0].image",
        ),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/a\0b"}}]},
            "spec.volumes[0].hostPath.path (a NUL byte)",
        ),
        (
            {"ephemeralContainers": [container(args=["a", "\0"])]},
            "spec.ephemeralContainers[0].args[1] (a NUL byte)",
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {"medium": "HugePages-2Mi"}}]},
            "spec.volumes[0].emptyDir.medium",
        ),
    ],
)
def test_pod_fields_that_are_not_served(fields, path):
    assert unsupported_fields(make_pod("a", **fields)) == [path]


def test_selinux_options_count_where_the_kernel_knows_them():
    options = {"seLinuxOptions": {"level": "s0"}}
    pod = make_pod(container(securityContext=options), securityContext=options)
    assert unsupported_fields(pod) == []
    assert unsupported_fields(pod, SecurityModules(selinux=True)) == [
        "spec.securityContext.seLinuxOptions",
        "spec.containers[0].securityContext.seLinuxOptions",
    ]


def test_the_message_names_every_field():
    claims = [{"name": "c", "resourceClaimName": "c"}]
    pod = make_pod("a", schedulingGroup={"podGroupName": "g"}, resourceClaims=claims)
    assert unsupported_message(unsupported_fields(pod)) == (
        "this node does not support: spec.resourceClaims, spec.schedulingGroup"
    )


def test_probes_and_hooks_are_served():
    fields = {
        "livenessProbe": {"exec": {"command": ["true"]}, "terminationGracePeriodSeconds": 2},
        "readinessProbe": {"httpGet": {"port": "web", "path": "/", "scheme": "HTTPS"}},
        "startupProbe": {"grpc": {"port": 1, "service": "s"}},
        "lifecycle": {
            "preStop": {"sleep": {"seconds": 1}},
            "postStart": {"exec": {"command": ["true"]}},
            "stopSignal": "SIGUSR1",
        },
    }
    assert unsupported_fields(make_pod(container(**fields))) == []


def test_a_probe_period_that_is_none_is_refused():
    pod = make_pod(container())
    pod.metadata.annotations["podium.io/probe-periods"] = "c.readiness=soon"
    (path,) = unsupported_fields(pod)
    assert path.startswith("metadata.annotations[podium.io/probe-periods]: ")
