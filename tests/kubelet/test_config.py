from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from podium.domain.pods.shutdown import ShutdownGrace
from podium.kubelet.config import ConfigError, KubeletConfiguration, load, parse
from podium.kubelet.config_fields import served_fields
from podium.kubelet.config_readers import NodeTaint
from podium.kubelet.configz import configz
from podium.kubelet.flags import FLAGS
from podium.runtime import cgroups

HEAD = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}


def test_a_file_is_read(tmp_path):
    path = tmp_path / "kubelet.yaml"
    path.write_text(
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
        "maxPods: 20\nnodeStatusUpdateFrequency: 1m30s\nclusterDNS: [10.96.0.10]\n"
        "systemReserved: {memory: 256Mi}\n"
    )
    config = load(path)
    assert (config.max_pods, config.node_status_update_frequency) == (20, 90.0)
    assert config.cluster_dns == ("10.96.0.10",)
    assert config.system_reserved == {"memory": "256Mi"}


def test_an_empty_file_says_nothing(tmp_path):
    path = tmp_path / "kubelet.yaml"
    path.write_text("# all as usual\n")
    assert load(path) == KubeletConfiguration()


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "kubelet.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="'utf-8' codec can't decode"):
        load(path)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"evictionSofter": {}},
            "evictionSofter: this field is not served; those that are: address, allowedUns",
        ),
        (
            {"cgroupDriver": "systemd"},
            'cgroupDriver: this node knows no other value than "cgroupfs"',
        ),
        ({"port": 0}, "port: must be between 1 and 65535, inclusive"),
        ({"address": "here"}, "address: must be an IP address"),
        ({"tlsCertFile": "/c"}, "tlsCertFile: goes together with tlsPrivateKeyFile"),
        ({"registerWithTaints": [{"key": "a"}]}, "registerWithTaints[0].effect: must be NoSche"),
        ({"enforceNodeAllocatable": ["kube-reserved"]}, "enforceNodeAllocatable: must be pods or"),
        ({"cpuCFSQuotaPeriod": "2s"}, "cpuCFSQuotaPeriod: must be between 1ms and 1sec"),
        (
            {"evictionHard": {"memory.free": "1Gi"}},
            "evictionHard, evictionSoft, evictionMinimumReclaim: unsupported eviction signal "
            "memory.free",
        ),
        ({"evictionHard": {"memory.available": 1}}, "evictionHard[memory.available]: must be a st"),
        (
            {"evictionSoft": {"memory.available": "1Gi"}},
            "evictionHard, evictionSoft, evictionMinimumReclaim: grace period must be specified "
            "for the soft eviction threshold memory.available",
        ),
        (
            {"evictionSoftGracePeriod": {"memory.available": "soon"}},
            "evictionSoftGracePeriod[memory.available]: must be a duration",
        ),
        ({"registerNode": False}, "registerNode: this node knows no other value than true"),
        ({"maxPods": 0}, "maxPods: must be a whole number of at least 1"),
        ({"nodeStatusUpdateFrequency": "soon"}, "nodeStatusUpdateFrequency: must be a duration"),
        ({"kubeReserved": {"cpu": "x"}}, "kubeReserved[cpu]: "),
        (
            {"allowedUnsafeSysctls": ["vm.*"]},
            'allowedUnsafeSysctls: the sysctl "vm.*" are not known to be namespaced',
        ),
        ({"systemReserved": {"pid": "1"}}, "systemReserved[pid]: this resource is not served"),
        (
            {"imageGCHighThresholdPercent": 80},
            "imageGCLowThresholdPercent: 80 must be less than imageGCHighThresholdPercent 80",
        ),
        ({"imageMaximumGCAge": "1m"}, "imageMaximumGCAge: must be greater than imageMinimumGCAge"),
        (
            {"serializeImagePulls": True, "maxParallelImagePulls": 2},
            "maxParallelImagePulls: cannot be larger than 1 unless",
        ),
        (
            {"crashLoopBackOff": {"start": "1s"}},
            "crashLoopBackOff.start: this field is not served; those that are: maxContainerRe",
        ),
        (
            {"crashLoopBackOff": {"maxContainerRestartPeriod": "301s"}},
            "crashLoopBackOff.maxContainerRestartPeriod: must be between 1s and 300s",
        ),
        ({"shutdownGracePeriod": "100ms"}, "shutdownGracePeriod: must be either zero or at least"),
        (
            {"shutdownGracePeriodCriticalPods": "10s"},
            "shutdownGracePeriod: must be >= shutdownGracePeriodCriticalPods",
        ),
        (
            {"shutdownGracePeriodByPodPriority": [{"priority": 1}]},
            "shutdownGracePeriodByPodPriority[0]: must have priority and",
        ),
    ],
)
def test_what_is_refused_is_named(fields, text):
    with pytest.raises(ConfigError) as caught:
        parse({**HEAD, **fields})
    assert str(caught.value).startswith(text)


def test_every_field_that_is_served_is_in_the_docs_and_no_other():
    """One row each, in the order of the alphabet."""
    text = (Path(__file__).parents[2] / "docs" / "kubelet-configuration.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    fields = [row for row in rows if not row.startswith("--")]
    assert fields == sorted(fields)
    assert set(fields) == served_fields()
    assert {row.removeprefix("--") for row in rows if row.startswith("--")} == set(FLAGS)


def test_values_that_say_what_is_so_anyway_are_taken():
    assert parse({**HEAD, "cgroupDriver": "cgroupfs", "failSwapOn": False}) == parse(None)


def test_taints_of_a_new_node():
    wanted = (NodeTaint("a", "NoSchedule", "b"), NodeTaint("c", "NoExecute"))
    listed = [{"key": "a", "value": "b", "effect": "NoSchedule"},
              {"key": "c", "effect": "NoExecute"}]  # fmt: skip
    assert parse({**HEAD, "registerWithTaints": listed}).register_with_taints == wanted
    flags = {"register-with-taints": "a=b:NoSchedule,c:NoExecute"}
    assert parse(None, None, flags).register_with_taints == wanted


def test_another_kind_is_refused():
    with pytest.raises(ConfigError):
        parse({"kind": "Pod", "apiVersion": "v1"})


def test_defaults_are_upstreams():
    config = parse(None)
    assert (config.image_gc_high_threshold_percent, config.image_gc_low_threshold_percent) == (
        85,
        80,
    )
    assert config.serialize_image_pulls is True
    assert config.shutdown_classes == ()
    assert config.maximum_dead_containers == -1


def test_flags_say_lists_and_maps_in_a_line():
    flags = {
        "allowed-unsafe-sysctls": "net.core.somaxconn,kernel.msg*",
        "cluster-dns": "192.0.2.1,192.0.2.2",
        "system-reserved": "cpu=200m,memory=500Mi",
        "container-log-max-size": "1Mi",
        "max-pods": "7",
    }
    config = parse(None, None, flags)
    assert config.allowed_unsafe_sysctls == ("net.core.somaxconn", "kernel.msg*")
    assert config.cluster_dns == ("192.0.2.1", "192.0.2.2")
    assert config.system_reserved == {"cpu": "200m", "memory": "500Mi"}
    assert (config.container_log_max_size, config.max_pods) == (1 << 20, 7)


def test_flags_go_before_the_file_and_the_file_before_defaults():
    file = {**HEAD, "imageGCLowThresholdPercent": 50, "imageGCHighThresholdPercent": 60}
    laptop = KubeletConfiguration(image_gc_high_threshold_percent=100, max_pods=7)
    flags = {"image-gc-low-threshold": "40", "serialize-image-pulls": "false"}
    config = parse(file, laptop, flags)
    assert config.image_gc_low_threshold_percent == 40
    assert config.image_gc_high_threshold_percent == 60
    assert (config.max_pods, config.serialize_image_pulls) == (7, False)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"image-gc-high-threshold": "101"}, "--image-gc-high-threshold: must be between 0 and"),
        ({"shutdown-grace-period": "soon"}, "--shutdown-grace-period: must be a duration"),
        ({"serialize-image-pulls": "1"}, "--serialize-image-pulls: must be true or false"),
        ({"allowed-unsafe-sysctls": "kernel.hostname"}, "--allowed-unsafe-sysctls: "),
        ({"max-pods": "0"}, "--max-pods: must be a whole number of at least 1"),
        ({"maximum-dead-containers": "few"}, "--maximum-dead-containers: must be a whole number"),
    ],
)
def test_a_bad_flag_is_named(flags, text):
    with pytest.raises(ConfigError) as caught:
        parse(None, None, flags)
    assert str(caught.value).startswith(text)


def test_a_shutdown_by_two_periods_is_one_by_priorities():
    fields = {"shutdownGracePeriod": "30s", "shutdownGracePeriodCriticalPods": "10s"}
    assert parse({**HEAD, **fields}).shutdown_classes == (
        ShutdownGrace(0, 20),
        ShutdownGrace(2_000_000_000, 10),
    )
    by_priority = [
        {"priority": 100, "shutdownGracePeriodSeconds": 5},
        {"priority": -5, "shutdownGracePeriodSeconds": 60},
    ]
    config = parse({**HEAD, "shutdownGracePeriodByPodPriority": by_priority})
    assert config.shutdown_classes == (ShutdownGrace(-5, 60), ShutdownGrace(100, 5))


def test_parallel_pulls_are_not_one_at_a_time():
    assert parse({**HEAD, "maxParallelImagePulls": 3}).serialize_image_pulls is False
    assert parse({**HEAD, "maxParallelImagePulls": 1}).serialize_image_pulls is True


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "containerLogMaxSize": "1000",
            "userNamespaces": {"idsPerPod": 131072},
            "evictionSoft": {"memory.available": "1Gi"},
            "evictionSoftGracePeriod": {"memory.available": "1m30s"},
            "shutdownGracePeriodByPodPriority": [{"priority": 5, "shutdownGracePeriodSeconds": 10}],
            "registerWithTaints": [{"key": "a", "effect": "NoSchedule"}],
            "systemReserved": {"memory": "256Mi"},
            "maxParallelImagePulls": 3,
            "crashLoopBackOff": {"maxContainerRestartPeriod": "100s", "podium.io/start": "100ms"},
            "authentication": {"webhook": {"cacheTTL": "0s"}, "x509": {"clientCAFile": "/ca"}},
            "address": "127.0.0.1",
            "port": 10000,
        },
    ],
    ids=["defaults", "others"],
)
def test_what_is_told_of_a_configuration_is_read_as_the_same(fields):
    config = parse({**HEAD, **fields})
    assert parse({**HEAD, **configz(config)}) == config


def test_version_1_of_cgroups_cannot_kill_whole_containers(tmp_path, monkeypatch):
    path = tmp_path / "kubelet.json"

    def loaded(version: int, **fields: object) -> KubeletConfiguration:
        monkeypatch.setattr(cgroups, "version", lambda: version)
        path.write_text(json.dumps({**HEAD, **fields}))
        return load(path)

    assert loaded(1).single_process_oom_kill is False
    assert loaded(1, singleProcessOOMKill=True).single_process_oom_kill is True
    assert loaded(2, singleProcessOOMKill=False).single_process_oom_kill is False
    with pytest.raises(ConfigError, match="must not be explicitly set to false when using cgroup"):
        loaded(1, singleProcessOOMKill=False)


@pytest.mark.parametrize(("alone", "files"), [(False, {"memory.oom.group": "1"}), (True, {})])
async def test_who_goes_when_a_container_is_out_of_memory(idle_node, alone, files):
    idle_node.config = parse({**HEAD, "singleProcessOOMKill": alone}, idle_node.config)
    await idle_node.start()
    await idle_node.create()
    await idle_node.running()
    [container] = await idle_node.runtime.list_containers()
    assert dict(idle_node.runtime.config(container.id).resources.unified) == files
