from __future__ import annotations

import pytest

from podium.kubelet.config import ConfigError, load, parse

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


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"evictionHard": {}},
            "evictionHard: this field is not served; those that are: allowedUnsafeSysctls, ",
        ),
        ({"registerNode": False}, "registerNode: this field is not served"),
        ({"maxPods": 0}, "maxPods: must be a whole number of at least 1"),
        ({"nodeStatusUpdateFrequency": "soon"}, "nodeStatusUpdateFrequency: must be a duration"),
        ({"kubeReserved": {"cpu": "x"}}, "kubeReserved[cpu]: "),
        (
            {"allowedUnsafeSysctls": ["vm.*"]},
            'allowedUnsafeSysctls: the sysctl "vm.*" are not known to be namespaced',
        ),
        ({"systemReserved": {"pid": "1"}}, "systemReserved[pid]: this resource is not served"),
    ],
)
def test_what_is_refused_is_named(fields, text):
    with pytest.raises(ConfigError) as caught:
        parse({**HEAD, **fields})
    assert str(caught.value).startswith(text)


def test_another_kind_is_refused():
    with pytest.raises(ConfigError):
        parse({"kind": "Pod", "apiVersion": "v1"})
