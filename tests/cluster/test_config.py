"""What is remembered, what is refused, what follows from what."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.cluster.config import ClusterConfig, ConfigError, check, load, make


def config(**changes: object) -> ClusterConfig:
    base = {"id": "0123abcd", "data_dir": Path("/d"), "run_dir": Path("/r"), "node_name": "n"}
    return ClusterConfig(**{**base, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        pytest.param({"pod_cidr": "10.96.1.0/24"}, "--pod-cidr", id="overlapping-cidrs"),
        pytest.param({"pod_cidr": "10.42.0.0/30"}, "--pod-cidr", id="no-room-for-pods"),
        pytest.param({"pod_cidr": "10.42.0.1/16"}, "--pod-cidr", id="host-bits-set"),
        pytest.param({"service_cidr": "fd00::/64"}, "--service-cidr", id="not-ipv4"),
        pytest.param({"service_cidr": "10.9.0.0/32"}, "--service-cidr", id="no-room-for-services"),
        pytest.param({"node_name": "Bad_Name"}, "--node-name", id="not-a-node-name"),
        pytest.param({"bind": "localhost"}, "--bind", id="bind-a-name"),
        pytest.param({"run_dir": Path("/run/a,b")}, "--run-dir", id="run-dir-with-comma"),
        pytest.param({"data_dir": Path("/d:e")}, "--data-dir", id="data-dir-with-colon"),
        pytest.param({"data_dir": Path("/d\n")}, "--data-dir", id="data-dir-with-line-break"),
        pytest.param({"port": 0}, "--port", id="port-zero"),
        pytest.param({"kubelet_port": 70000}, "--kubelet-port", id="port-too-large"),
        pytest.param(
            {"kubelet_config": Path("/nonexistent")}, "--kubelet-config", id="file-not-there"
        ),
    ],
)
def test_what_cannot_work_is_refused_by_its_flag(changes, flag):
    with pytest.raises(ConfigError) as caught:
        check(config(**changes))
    assert flag in str(caught.value)


def test_what_was_given_once_is_remembered(tmp_path):
    first = make(tmp_path, {"port": 7443, "pod_cidr": "10.50.0.0/16"})
    first.save()
    again = make(tmp_path, {"port": None})
    assert again == first
    assert make(tmp_path, {"port": 8443}).port == 8443


@pytest.mark.parametrize("flag", ["pod_cidr", "service_cidr"])
def test_address_ranges_stay_what_they_were(tmp_path, flag):
    first = make(tmp_path, {flag: "10.50.0.0/16"})
    first.save()
    assert make(tmp_path, {flag: "10.50.0.0/16"}) == first
    with pytest.raises(ConfigError, match=f"--{flag.replace('_', '-')} .* is 10.50.0.0/16"):
        make(tmp_path, {flag: "10.51.0.0/16"})


def test_a_moved_data_directory_is_where_it_is_now(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    make(old, {}).save()
    old.rename(new)
    moved = load(new)
    assert moved is not None
    assert moved.data_dir == new


def test_a_directory_without_a_cluster_remembers_nothing(tmp_path):
    assert load(tmp_path) is None


def test_a_file_is_no_data_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"--data-dir .*file: Not a directory"):
        load(tmp_path / "file")


def test_a_spoilt_memory_is_named(tmp_path):
    (tmp_path / "cluster.json").write_text('{"id": 5}')
    with pytest.raises(ConfigError, match=r"cluster\.json"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("bind", "server"),
    [
        ("127.0.0.1", "https://127.0.0.1:6443"),
        ("0.0.0.0", "https://127.0.0.1:6443"),
        ("::1", "https://[::1]:6443"),
        ("192.168.7.1", "https://192.168.7.1:6443"),
    ],
)
def test_the_address_in_the_kubeconfig(bind, server):
    assert config(bind=bind).server == server


def test_names_derived_from_the_id_fit_a_link():
    assert len(config().link_name) == 15


def test_two_custom_data_directories_get_run_directories_of_their_own(tmp_path):
    assert make(tmp_path / "a", {}).run_dir != make(tmp_path / "b", {}).run_dir
