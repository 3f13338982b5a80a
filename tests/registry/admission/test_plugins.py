"""The admission plugins, each on its own."""

from __future__ import annotations

import pytest

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, NAMESPACES, NODES
from podium.api.types.core_v1 import ConfigMap, Node, Pod
from podium.registry.admission import default_plugins
from podium.registry.admission.base import Operation
from podium.registry.admission.default_toleration_seconds import DefaultTolerationSeconds
from podium.registry.admission.namespace_lifecycle import NamespaceLifecycle
from podium.registry.admission.priority import Priority
from podium.registry.admission.service_account import MOUNT_PATH, ServiceAccountAdmission
from podium.registry.admission.taint_nodes import TaintNodesByCondition
from support.admission import Objects, write
from support.objects import container, pod


def test_the_order_of_the_plugins() -> None:
    assert [plugin.name for plugin in default_plugins()] == [
        "NamespaceLifecycle",
        "LimitRanger",
        "ServiceAccount",
        "NodeRestriction",
        "TaintNodesByCondition",
        "PodSecurity",
        "Priority",
        "DefaultTolerationSeconds",
        "DefaultStorageClass",
        "StorageObjectInUseProtection",
        "PersistentVolumeClaimResize",
        "RuntimeClass",
        "DefaultIngressClass",
        "ResourceQuota",
    ]


class TestNamespaceLifecycle:
    plugin = NamespaceLifecycle()

    def config(self) -> ConfigMap:
        return codec.from_plain(ConfigMap, {"metadata": {"name": "m"}})

    async def test_a_missing_namespace(self) -> None:
        with pytest.raises(ApiError) as refused:
            await self.plugin.admit(write(self.config(), resource=CONFIGMAPS, namespace="none"))
        assert (refused.value.code, str(refused.value)) == (404, 'namespaces "none" not found')

    async def test_a_terminating_namespace_takes_nothing_new(self) -> None:
        with pytest.raises(ApiError) as refused:
            await self.plugin.admit(write(self.config(), resource=CONFIGMAPS, namespace="ending"))
        status = refused.value.status
        assert (status.code, status.message) == (403, (
            'configmaps "m" is forbidden: unable to create new content in namespace ending '
            "because it is being terminated"))  # fmt: skip
        assert status.details is not None
        (cause,) = status.details.causes
        assert (cause.reason, cause.field) == ("NamespaceTerminating", "metadata.namespace")
        assert cause.message == "namespace ending is being terminated"

    @pytest.mark.parametrize("operation", ["UPDATE", "DELETE"])
    async def test_and_lets_go_of_what_it_has(self, operation: Operation) -> None:
        attributes = write(
            self.config(), resource=CONFIGMAPS, namespace="ending", operation=operation
        )
        await self.plugin.admit(attributes)

    async def test_cluster_wide_objects_have_no_namespace(self) -> None:
        await self.plugin.admit(write(self.config(), resource=NODES, namespace=""))

    @pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
    async def test_protected_namespaces(self, name: str) -> None:
        attributes = write(None, resource=NAMESPACES, operation="DELETE", namespace="", name=name)
        with pytest.raises(ApiError) as refused:
            await self.plugin.admit(attributes)
        assert str(refused.value) == (
            f'namespaces "{name}" is forbidden: this namespace may not be deleted'
        )


def token_mounts(made: Pod) -> list[list[str]]:
    return [
        [mount.mount_path for mount in one.volume_mounts]
        for one in (*made.spec.init_containers, *made.spec.containers)
    ]


class TestServiceAccount:
    plugin = ServiceAccountAdmission()

    async def test_every_container_gets_the_token_of_the_default_account(self) -> None:
        made = pod({"containers": [container(), container(name="d")],
                    "initContainers": [container(name="i")]})  # fmt: skip
        await self.plugin.admit(write(made))
        assert (made.spec.service_account_name, made.spec.service_account) == ("default",) * 2
        assert token_mounts(made) == [[MOUNT_PATH]] * 3
        (volume,) = made.spec.volumes
        assert codec.to_plain(volume) == {
            "name": "kube-api-access-abcde",
            "projected": {
                "defaultMode": 420,
                "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {"configMap": {"name": "kube-root-ca.crt",
                                   "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                    {"downwardAPI": {"items": [{
                        "path": "namespace",
                        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
                ],
            },
        }  # fmt: skip

    async def test_a_container_with_something_of_its_own_there_keeps_it(self) -> None:
        made = pod({
            "containers": [container(volumeMounts=[{"name": "v", "mountPath": MOUNT_PATH}])],
            "volumes": [{"name": "v", "emptyDir": {}}],
        })  # fmt: skip
        await self.plugin.admit(write(made))
        assert [volume.name for volume in made.spec.volumes] == ["v"]

    async def test_a_copied_pod_brings_its_volume(self) -> None:
        made = pod({"volumes": [{"name": "kube-api-access-xyz12", "emptyDir": {}}]})
        await self.plugin.admit(write(made))
        assert [volume.name for volume in made.spec.volumes] == ["kube-api-access-xyz12"]

    @pytest.mark.parametrize(
        ("of_pod", "of_account", "mounted"),
        [
            pytest.param(None, None, True, id="nobody-objects"),
            pytest.param(None, False, False, id="the-account-objects"),
            pytest.param(True, False, True, id="the-pod-insists"),
            pytest.param(False, True, False, id="the-pod-objects"),
        ],
    )
    async def test_who_decides(
        self, of_pod: bool | None, of_account: bool | None, mounted: bool
    ) -> None:
        made = pod({"automountServiceAccountToken": of_pod})
        reader = Objects(default={"automountServiceAccountToken": of_account})
        await self.plugin.admit(write(made, reader=reader))
        assert bool(made.spec.volumes) is mounted

    @pytest.mark.parametrize(
        ("own", "expected"),
        [pytest.param([], ["s"], id="none"), pytest.param(["own"], ["own"], id="some")],
    )
    async def test_pull_secrets(self, own: list[str], expected: list[str]) -> None:
        made = pod({"imagePullSecrets": [{"name": name} for name in own]})
        reader = Objects(default={"imagePullSecrets": [{"name": "s"}]})
        await self.plugin.admit(write(made, reader=reader))
        assert [secret.name for secret in made.spec.image_pull_secrets] == expected

    async def test_a_missing_account(self) -> None:
        with pytest.raises(ApiError) as refused:
            await self.plugin.admit(write(pod({"serviceAccountName": "robot"})))
        assert (refused.value.code, str(refused.value)) == (403, (
            'pods "p" is forbidden: error looking up service account default/robot: '
            'serviceaccount "robot" not found'))  # fmt: skip

    async def test_updates_and_subresources_are_left_alone(self) -> None:
        for attributes in (write(pod(), operation="UPDATE"), write(pod(), subresource="status")):
            await self.plugin.admit(attributes)
            assert not attributes.obj.spec.volumes


@pytest.mark.parametrize(
    ("operation", "own", "expected"),
    [
        pytest.param("CREATE", [], 1, id="a-new-node"),
        pytest.param("CREATE", ["node.kubernetes.io/not-ready"], 1, id="one-that-says-so"),
        pytest.param("UPDATE", [], 0, id="a-known-node"),
    ],
)
async def test_new_nodes_take_no_pods_yet(
    operation: Operation, own: list[str], expected: int
) -> None:
    taints = [{"key": key, "effect": "NoSchedule"} for key in own]
    node = codec.from_plain(Node, {"metadata": {"name": "n"}, "spec": {"taints": taints}})
    attributes = write(node, resource=NODES, operation=operation, namespace="")
    await TaintNodesByCondition().admit(attributes)
    assert len(node.spec.taints) == expected


class TestPriority:
    plugin = Priority()

    @pytest.mark.parametrize(
        ("name", "priority"),
        [
            pytest.param("", 0, id="none"),
            pytest.param("system-cluster-critical", 2_000_000_000, id="cluster-critical"),
            pytest.param("system-node-critical", 2_000_001_000, id="node-critical"),
        ],
    )
    async def test_the_number_behind_the_class(self, name: str, priority: int) -> None:
        made = pod({"priorityClassName": name})
        await self.plugin.admit(write(made))
        assert made.spec.priority == priority
        assert made.spec.preemption_policy == "PreemptLowerPriority"

    async def test_an_unknown_class(self) -> None:
        with pytest.raises(ApiError) as refused:
            await self.plugin.admit(write(pod({"priorityClassName": "x"})))
        assert str(refused.value) == (
            'pods "p" is forbidden: no PriorityClass with name x was found'
        )

    async def test_an_update_that_leaves_it_out_keeps_it(self) -> None:
        old, new = pod({"priority": 7, "preemptionPolicy": "Never"}), pod()
        await self.plugin.admit(write(new, operation="UPDATE", old=old))
        assert (new.spec.priority, new.spec.preemption_policy) == (7, "Never")


class TestDefaultTolerationSeconds:
    plugin = DefaultTolerationSeconds()

    @pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
    async def test_lost_nodes_are_tolerated_for_five_minutes(self, operation: Operation) -> None:
        made = pod({"tolerations": [{"key": "a", "operator": "Exists"}]})
        await self.plugin.admit(write(made, operation=operation))
        assert [(t.key, t.effect, t.toleration_seconds) for t in made.spec.tolerations] == [
            ("a", "", None),
            ("node.kubernetes.io/not-ready", "NoExecute", 300),
            ("node.kubernetes.io/unreachable", "NoExecute", 300),
        ]

    async def test_the_status_is_none_of_its_business(self) -> None:
        made = pod()
        await self.plugin.admit(write(made, operation="UPDATE", subresource="status"))
        assert made.spec.tolerations == []
