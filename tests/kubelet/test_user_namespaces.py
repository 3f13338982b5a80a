"""Pods with users of their own: ranges given, kept over a restart, and given back."""

from __future__ import annotations

import json

from podium.runtime.port import NamespaceMode


async def users_of(node):
    [sandbox] = await node.runtime.list_pod_sandbox()
    return node.runtime.sandbox_config(sandbox.id).linux.namespace_options.userns_options


async def test_a_pods_range_is_kept_with_it_and_goes_with_it(node):
    await node.create({"args": ["exit", "1"]}, hostUsers=False, restartPolicy="Always")
    pod = await node.running()
    users = await users_of(node)
    [mapping] = users.uids
    assert (users.mode, users.uids) == (NamespaceMode.POD, users.gids)
    assert (mapping.container_id, mapping.length, mapping.host_id % 65536) == (0, 65536, 0)
    assert mapping.host_id >= 65536
    file = node.directory / "kubelet/pods" / pod.metadata.uid / "userns"
    entry = {"hostId": mapping.host_id, "containerId": 0, "length": 65536}
    assert json.loads(file.read_text()) == {"uidMappings": [entry], "gidMappings": [entry]}

    await node.stop()
    await node.start()
    await node.until(lambda: "running r2" in node.states["p/c"], step=0.5)
    for container in await node.runtime.list_containers():
        options = node.runtime.config(container.id).security_context.namespace_options
        assert options.userns_options == users

    await node.delete()
    await node.gone()
    assert not file.exists()


async def test_who_does_not_ask_has_the_nodes_users(node):
    await node.create(hostUsers=True)
    await node.running()
    assert (await users_of(node)).mode is NamespaceMode.NODE


async def test_a_runtime_that_cannot(node):
    node.runtime.user_namespaces = False
    await node.create(hostUsers=False)
    text = (
        "FailedCreatePodSandBox: Failed to create pod sandbox: can't set `spec.hostUsers: false`, "
        "runtime does not support user namespaces"
    )
    await node.until(lambda: text in node.messages())
    assert list(await node.runtime.list_pod_sandbox()) == []


async def test_the_node_says_what_it_can(node):
    await node.until(lambda: node.nodes.get("", "node-1").status.runtime_handlers)
    status = node.nodes.get("", "node-1").status
    assert [handler.name for handler in status.runtime_handlers] == ["", "memory"]
    assert all(handler.features.user_namespaces for handler in status.runtime_handlers)
    assert status.features.supplemental_groups_policy
