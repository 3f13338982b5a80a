"""Each field of a Pod's spec that Kubernetes has gained or changed since the recorded answers."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api.validation.pods import validate_pod
from support.objects import container, pod

C = "spec.containers[0]"
I = "spec.initContainers[0]"  # noqa: E741
V = "spec.volumes[0]"


def offences(spec: dict[str, Any], **metadata: Any) -> list[str]:
    return [str(error) for error in validate_pod(pod(spec, **metadata))]


def in_container(**fields: Any) -> dict[str, Any]:
    return {"containers": [container(**fields)]}


def init(**fields: Any) -> dict[str, Any]:
    return {"initContainers": [container(name="i", **fields)]}


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", **source}]}


def file_key(volume_name: str = "v", **more: Any) -> dict[str, Any]:
    ref = {"volumeName": volume_name, "path": "a.env", "key": "A B", **more}
    return in_container(env=[{"name": "A", "valueFrom": {"fileKeyRef": ref}}])


RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}
SELECTOR = {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({**file_key(), **volume(emptyDir={})}, id="a-variable-from-a-file"),
        pytest.param({"os": {"name": "linux"}, **in_container(
            lifecycle={"stopSignal": "SIGRTMIN+3"})}, id="a-stop-signal-of-linux"),
        pytest.param(in_container(restartPolicy="Never", restartPolicyRules=[RULE]),
                     id="restart-by-exit-code"),
        pytest.param(in_container(restartPolicy="Always", restartPolicyRules=[
            {**RULE, "action": "RestartAllContainers"}]), id="restart-the-whole-pod"),
        pytest.param(init(restartPolicy="Always", restartPolicyRules=[RULE]),
                     id="rules-of-a-sidecar"),
        pytest.param(in_container(resizePolicy=[
            {"resourceName": "cpu", "restartPolicy": "RestartContainer"}]), id="resize-policy"),
        pytest.param({**volume(image={"reference": "app:1"}), **in_container(
            volumeMounts=[{"name": "v", "mountPath": "/v", "subPathExpr": "a"}])},
            id="a-part-of-an-image-volume"),
        pytest.param({"resources": {"limits": {"cpu": "1", "hugepages-2Mi": "4Mi"},
                                    "requests": {"cpu": "1", "hugepages-2Mi": "4Mi"}}},
                     id="resources-of-the-pod"),
        pytest.param({"hostUsers": False, **in_container(
            securityContext={"procMount": "Unmasked"})}, id="unmasked-proc-in-a-user-namespace"),
        pytest.param({"hostnameOverride": "a.b"}, id="hostname-override"),
        pytest.param({"topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
            "matchLabelKeys": ["v"], "labelSelector": SELECTOR}]}, id="spread-by-label-keys"),
        pytest.param({"resourceClaims": [{"name": "a", "resourceClaimName": "x"}], **in_container(
            resources={"claims": [{"name": "a", "request": "q"}, {"name": "a", "request": "r"}]})},
            id="two-requests-of-one-claim"),
        pytest.param({"overhead": {"cpu": "1"}}, id="overhead"),
        pytest.param(in_container(envFrom=[{"configMapRef": {"name": "a-"}}]),
                     id="a-config-map-name-that-ends-in-a-dash"),
    ],
)  # fmt: skip
def test_accepted(spec: dict[str, Any]) -> None:
    assert offences(spec) == []


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        pytest.param(
            {**file_key(), **volume(hostPath={"path": "/"})},
            [f'{C}.env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": '
             "referenced volume must be of type emptyDir"],
            id="file-key-in-another-kind-of-volume"),
        pytest.param(
            file_key(path="../a", key="A=B"),
            [f'{C}.env[0].valueFrom.fileKeyRef.key: Invalid value: "A=B": a valid environment '
             "variable name must consist only of printable ASCII characters other than '='",
             f"{C}.env[0].valueFrom.fileKeyRef.path: Invalid value: \"../a\": "
             "must not contain '..'",
             f'{C}.env[0].valueFrom.fileKeyRef.volumeName: Not found: "v"'],
            id="file-key-outside-of-its-volume"),
        pytest.param(
            in_container(lifecycle={"stopSignal": "SIGTERM"}),
            [f"{C}.lifecycle.stopSignal: Forbidden: "
             "may not be set for containers with empty `spec.os.name`"],
            id="stop-signal-of-no-system"),
        pytest.param(
            {"os": {"name": "windows"}, **in_container(lifecycle={"stopSignal": "SIGUSR1"})},
            [f'{C}.lifecycle.stopSignal: Unsupported value: "SIGUSR1": '
             'supported values: "SIGKILL", "SIGTERM"'],
            id="stop-signal-that-windows-has-not"),
        pytest.param(
            in_container(restartPolicyRules=[{"action": "Stop", "exitCodes": {"operator": "Is"}}]),
            [f"{C}.restartPolicy: Required value: "
             "must specify restartPolicy when restart rules are used",
             f'{C}.restartPolicyRules[0].action: Unsupported value: "Stop": '
             'supported values: "Restart", "RestartAllContainers"',
             f'{C}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": '
             'supported values: "In", "NotIn"'],
            id="rules-without-a-policy"),
        pytest.param(
            init(restartPolicyRules=[{"action": "Stop"}]),
            [f"{I}.restartPolicy: Required value: "
             "must specify restartPolicy when restart rules are used"],
            id="rules-of-an-init-container-without-a-policy"),
        pytest.param(
            in_container(restartPolicy="Sometimes", restartPolicyRules=[{"action": "Restart"}]),
            [f'{C}.restartPolicy: Unsupported value: "Sometimes": '
             'supported values: "Always", "Never", "OnFailure"',
             f"{C}.restartPolicyRules[0].exitCodes: Required value: must be specified"],
            id="unknown-policy-of-a-container"),
        pytest.param(
            in_container(restartPolicy="Never", restartPolicyRules=[RULE] * 21),
            [f"{C}.restartPolicyRules: Too many: 21: must have at most 20 items"],
            id="too-many-rules"),
        pytest.param(
            {"restartPolicy": "Never", **in_container(resizePolicy=[
                {"resourceName": "cpu", "restartPolicy": "RestartContainer"},
                {"resourceName": "cpu", "restartPolicy": ""},
                {"resourceName": "gpu", "restartPolicy": "NotRequired"}])},
            [f'{C}.resizePolicy: Invalid value: "RestartContainer": '
             "must be 'NotRequired' when pod `restartPolicy` is 'Never'",
             f'{C}.resizePolicy[1]: Duplicate value: "cpu"',
             f"{C}.resizePolicy: Required value",
             f'{C}.resizePolicy: Invalid value: "": '
             "must be 'NotRequired' when pod `restartPolicy` is 'Never'",
             f'{C}.resizePolicy: Unsupported value: "gpu": supported values: "cpu", "memory"'],
            id="resize-policies"),
        pytest.param(
            init(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]),
            [f'{I}.resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": '
             "must not be set to 'RestartContainer' for non-sidecar initContainers"],
            id="restart-of-an-init-container-to-resize-it"),
        pytest.param(
            {"resources": {"limits": {"gpu": "1"}, "requests": {"ephemeral-storage": "1"}}},
            ['spec.resources.limits[gpu]: Invalid value: "gpu": '
             "must be a standard resource type or fully qualified",
             'spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": '
             'supported values: "cpu", "hugepages-", "memory"'],
            id="resources-that-a-pod-cannot-have"),
        pytest.param(
            {"resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1", "memory": "1Gi"}},
             **in_container(resources={"limits": {"cpu": "3"},
                                       "requests": {"cpu": "1500m", "memory": "1536Mi"}})},
            ['spec.resources.requests[cpu]: Invalid value: "1": '
             "must be greater than or equal to aggregate container requests of 1500m",
             'spec.resources.requests[memory]: Invalid value: "1Gi": '
             "must be greater than or equal to aggregate container requests of 1536Mi",
             'spec.resources.containers[0][cpu].limits: Invalid value: "3": '
             "must be less than or equal to pod limits of 2"],
            id="less-for-the-pod-than-for-its-containers"),
        pytest.param(
            {"os": {"name": "windows"}, "resources": {"requests": {"cpu": "1"}}},
            ["spec.resources: Forbidden: may not be set for a windows pod"],
            id="resources-of-a-windows-pod"),
        pytest.param(
            {"overhead": {"gpu": "1", "memory": "-1"}},
            ['spec.overhead.limits[gpu]: Invalid value: "gpu": '
             "must be a standard resource type or fully qualified",
             'spec.overhead.limits[gpu]: Invalid value: "gpu": '
             "must be a standard resource for containers",
             'spec.overhead.limits[memory]: Invalid value: "-1": '
             "must be greater than or equal to 0"],
            id="overhead"),
        pytest.param(
            {"hostnameOverride": "A" * 65, "hostNetwork": True, "setHostnameAsFQDN": True},
            ["spec.hostnameOverride: Forbidden: "
             "may not be specified when setHostnameAsFQDN is true",
             "spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true",
             "spec.hostnameOverride: Too long: must have at most 64 bytes",
             f'spec.hostnameOverride: Invalid value: "{"A" * 65}": a lowercase RFC 1123 subdomain '
             "must consist of lower case alphanumeric characters, '-' or '.', and must start and "
             "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
             "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"],
            id="hostname-override"),
        pytest.param(
            in_container(securityContext={"procMount": "Unmasked"}),
            [f'{C}.securityContext.procMount: Invalid value: "Unmasked": '
             "`hostUsers` must be false to use `Unmasked`"],
            id="unmasked-proc-of-the-host"),
        pytest.param(
            {"hostUsers": False, "hostIPC": True, **volume(persistentVolumeClaim={
                "claimName": "x"}), **in_container(
                    volumeDevices=[{"name": "v", "devicePath": "/dev/x"}])},
            ["spec.HostIPC: Forbidden: when `hostUsers` is false",
             f"{C}.volumeDevices: Forbidden: when `hostUsers` is false"],
            id="a-user-namespace-and-what-is-the-hosts"),
        pytest.param(
            in_container(securityContext={"appArmorProfile": {"type": "Localhost"}}),
            [f"{C}.securityContext.appArmorProfile.localhostProfile: Required value: "
             "must be set when AppArmor type is Localhost"],
            id="apparmor-without-a-profile"),
        pytest.param(
            {"securityContext": {"windowsOptions": {
                "gmsaCredentialSpec": "", "runAsUserName": "a.b.\\x/y"}}},
            ['spec.securityContext.windowsOptions.gmsaCredentialSpec: Invalid value: "": '
             "gmsaCredentialSpec cannot be an empty string",
             r'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "a.b.\\x/y": '
             r"""runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"""],
            id="windows-options"),
        pytest.param(
            {"tolerations": [{"key": "a", "operator": "Gt", "value": "1"}]},
            ['spec.tolerations[0].operator: Unsupported value: "Gt": '
             'supported values: "Equal", "Exists", "Lt", "Gt"'],
            id="a-toleration-that-compares"),
        pytest.param(
            {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "z", "matchLabelKeys": ["v"]},
                {"topologyKey": "z", "matchLabelKeys": ["v"], "mismatchLabelKeys": ["v"],
                 "labelSelector": SELECTOR}]}}},
            ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
             "matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
             "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1]."
             'matchLabelKeys[0]: Invalid value: "v": '
             "exists in both matchLabelKeys and mismatchLabelKeys"],
            id="label-keys-of-an-affinity"),
        pytest.param(
            {"topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule",
                "matchLabelKeys": ["a"], "labelSelector": {**SELECTOR, "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["b"]}]}}]},
            ['spec.topologySpreadConstraints[0][0]: Invalid value: "a": '
             "exists in both matchLabelKeys and labelSelector"],
            id="a-label-key-in-the-selector-as-well"),
        pytest.param(
            {"resourceClaims": [{"name": "a"}, {"name": "a", "resourceClaimName": "x"}],
             **in_container(resources={"claims": [
                 {"name": "a", "request": "q"}, {"name": "a"}, {"name": "b"}, {"name": "b"}]})},
            ['spec.resourceClaims[0]: Invalid value: core.PodResourceClaim{Name:"a", '
             "ResourceClaimName:(*string)(nil), ResourceClaimTemplateName:(*string)(nil)}: "
             "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
             'spec.resourceClaims[1].name: Duplicate value: "a"',
             f'{C}.resources.claims[1]: Duplicate value: "a"',
             f'{C}.resources.claims[2]: Not found: "b": '
             "must be one of the names in pod.spec.resourceClaims: a",
             f'{C}.resources.claims[3]: Duplicate value: "b"',
             f'{C}.resources.claims[3]: Not found: "b": '
             "must be one of the names in pod.spec.resourceClaims: a"],
            id="claims"),
        pytest.param(
            {"volumes": [
                {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}}}}}},
                {"name": "w", "persistentVolumeClaim": {"claimName": "p-v"}}]},
            ['spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "p-v": '
             "must not reference a PVC that gets created for an ephemeral volume"],
            id="the-claim-of-an-ephemeral-volume"),
        pytest.param(
            volume(ephemeral={"volumeClaimTemplate": {
                "metadata": {"uid": "u", "generation": 1},
                "spec": {"accessModes": ["ReadWriteOnce"], "dataSource": {"kind": "X", "name": ""},
                         "resources": {"requests": {"storage": "0"}}}}}),
            [f"{V}.ephemeral.volumeClaimTemplate.metadata.uID: Forbidden: "
             "cannot be set for an ephemeral volume",
             f"{V}.ephemeral.volumeClaimTemplate.metadata.generation: Forbidden: "
             "cannot be set for an ephemeral volume",
             f'{V}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Invalid value: "0": '
             "must be greater than zero",
             f"{V}.ephemeral.volumeClaimTemplate.spec.dataSource.name: Required value",
             f'{V}.ephemeral.volumeClaimTemplate.spec.dataSource: Invalid value: "X": '
             "must be 'PersistentVolumeClaim' when referencing the default apiGroup"],
            id="an-ephemeral-volumes-template"),
        pytest.param(
            volume(iscsi={"targetPortal": "p" * 70, "iqn": "iqn.x", "initiatorName": "eui.1"}),
            [f'{V}.iscsi.iqn: Invalid value: "iqn.x": must be valid format',
             f'{V}.iscsi.initiatorname: Invalid value: "eui.1": must be valid format',
             f'{V}.name: Invalid value: "v": Total length of <volume name>:<iscsi.targetPortal> '
             "must be under 64 characters if iscsi.initiatorName is specified."],
            id="iscsi"),
        pytest.param(
            volume(quobyte={"registry": "a", "volume": ""}),
            [f'{V}.quobyte.registry: Invalid value: "a": '
             "must be a host:port pair or multiple pairs separated by commas",
             f"{V}.quobyte.volume: Required value"],
            id="quobyte"),
        pytest.param(
            volume(awsElasticBlockStore={"volumeID": "x", "partition": 256}),
            [f"{V}.awsElasticBlockStore.partition: Invalid value: 256: "
             "must be between 1 and 255, inclusive"],
            id="partition"),
        pytest.param(
            volume(emptyDir={}, downwardAPI={"items": []}),
            [f"{V}.downwarAPI: Forbidden: may not specify more than 1 volume type"],
            id="one-source-too-many-as-upstream-spells-it"),
        pytest.param(
            {"dnsConfig": {"nameservers": ["010.0.0.1", "::ffff:10.0.0.1", "x"]}},
            ['spec.dnsConfig.nameservers[0]: Invalid value: "010.0.0.1": must not have leading 0s',
             'spec.dnsConfig.nameservers[1]: Invalid value: "::ffff:10.0.0.1": '
             "must not be an IPv4-mapped IPv6 address",
             'spec.dnsConfig.nameservers[2]: Invalid value: "x": must be valid IP address'],
            id="odd-addresses"),
    ],
)  # fmt: skip
def test_refused(spec: dict[str, Any], texts: list[str]) -> None:
    assert offences(spec) == texts


APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/c"
SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
COST = "controller.kubernetes.io/pod-deletion-cost"


@pytest.mark.parametrize(
    ("annotations", "spec", "texts"),
    [
        pytest.param({APP_ARMOR: "localhost/a"}, in_container(securityContext={
            "appArmorProfile": {"type": "Localhost", "localhostProfile": "a"}}), [], id="agree"),
        pytest.param({APP_ARMOR: "unconfined"}, in_container(securityContext={
            "appArmorProfile": {"type": "RuntimeDefault"}}),
            [f"{C}.securityContext.appArmorProfile.type: Forbidden: "
             "apparmor type in annotation and field must match"], id="apparmor-types-differ"),
        pytest.param({SECCOMP: "localhost/a"}, {"securityContext": {
            "seccompProfile": {"type": "Localhost", "localhostProfile": "b"}}},
            ["spec.securityContext.seccompProfile.localhostProfile: Forbidden: "
             "seccomp profile in annotation and field must match"], id="seccomp-profiles-differ"),
        pytest.param({COST: "+1"}, {},
            [f'metadata.annotations[{COST}]: Invalid value: "+1": must be a 32bit integer'],
            id="deletion-cost"),
        pytest.param({TOLERATIONS: '[{"operator":"Is"}]'}, {},
            [f'metadata.annotations.{TOLERATIONS}[0].operator: Invalid value: "Is": operator must '
             'be Exists when `key` is empty, which means "match all values and all keys"',
             f'metadata.annotations.{TOLERATIONS}[0].operator: Unsupported value: "Is": '
             'supported values: "Equal", "Exists"'], id="tolerations-of-old"),
        pytest.param({TOLERATIONS: "x"}, {},
            [f'metadata.annotations: Invalid value: "{TOLERATIONS}": '
             "invalid character 'x' looking for beginning of value"], id="no-tolerations"),
        pytest.param({"kubernetes.io/config.mirror": ""},
            {"nodeName": "n", "resourceClaims": [{"name": "a", "resourceClaimName": "x"}]},
            [": Forbidden: static pods do not support resource claims"], id="mirror-with-claims"),
    ],
)  # fmt: skip
def test_annotations(annotations: dict[str, str], spec: dict[str, Any], texts: list[str]) -> None:
    assert offences(spec, annotations=annotations) == texts
