"""Certificates: made once, renewed in time, re-made when the flags change."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store

from podium.cluster import certificates, kubeconfig, pki
from podium.cluster.config import ClusterConfig, make

NOW = datetime(2025, 1, 13, 7, 30, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> ClusterConfig:
    return make(tmp_path, {"node_name": "node-1"})


def certificate(config: ClusterConfig, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pki.Pki(config.pki_dir).cert(name).read_bytes())


def answers_to(config: ClusterConfig) -> set[str]:
    """The names and addresses in the API server's certificate."""
    names = (
        certificate(config, "apiserver")
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *map(str, addresses)}


def contents(config: ClusterConfig) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in config.pki_dir.iterdir()}


def test_a_second_start_changes_nothing(config):
    assert certificates.ensure(config, NOW)
    before = contents(config)
    assert not certificates.ensure(config, NOW + timedelta(days=100))
    assert contents(config) == before


def test_a_key_that_cannot_be_read_just_now_is_not_replaced(config):
    certificates.ensure(config, NOW)
    key = config.pki_dir / "ca.key"
    key.unlink()
    key.symlink_to(key)  # ELOOP stands for a disk that fails
    with pytest.raises(OSError, match="symbolic links"):
        certificates.ensure(config, NOW)
    assert key.is_symlink()


@pytest.mark.parametrize("days", [244, 300, 1000])
def test_leaves_are_renewed_long_before_they_expire_and_keep_their_keys(config, days):
    certificates.ensure(config, NOW)
    before = contents(config)
    assert certificates.ensure(config, NOW + timedelta(days=days))
    after = contents(config)
    assert after["apiserver.crt"] != before["apiserver.crt"]
    assert after["apiserver.key"] == before["apiserver.key"]
    assert after["ca.crt"] == before["ca.crt"]
    assert certificate(config, "admin").not_valid_after_utc > NOW + timedelta(days=days + 300)


def test_a_renewed_authority_still_vouches_for_what_it_signed(config):
    certificates.ensure(config, NOW)
    old_leaf = certificate(config, "apiserver")
    later = NOW + timedelta(days=2600)
    certificates.ensure(config, later)
    new_ca = certificate(config, "ca")
    assert new_ca.not_valid_after_utc > later + timedelta(days=3000)
    old_leaf.verify_directly_issued_by(new_ca)


def test_the_server_certificate_follows_the_flags(config):
    certificates.ensure(config, NOW)
    changed = msgspec.structs.replace(config, bind="192.168.7.1")
    assert certificates.ensure(changed, NOW)
    assert {"192.168.7.1", "10.96.0.1", "10.42.0.1", "127.0.0.1"} <= answers_to(config)
    assert "kubernetes.default.svc" in answers_to(config)


def test_a_server_that_listens_everywhere_answers_to_the_addresses_it_has(config):
    everywhere = msgspec.structs.replace(config, bind="0.0.0.0")
    certificates.ensure(everywhere, NOW)
    assert {"10.42.0.1", everywhere.node_ip, "127.0.0.1"} <= answers_to(config)
    assert "0.0.0.0" not in answers_to(config)


def test_a_lost_authority_replaces_everything(config):
    certificates.ensure(config, NOW)
    (config.pki_dir / "ca.key").unlink()
    certificates.ensure(config, NOW)
    certificate(config, "admin").verify_directly_issued_by(certificate(config, "ca"))


def test_servers_pass_a_strict_verifier(config):
    certificates.ensure(config, NOW)
    for name in ("apiserver", "kubelet"):
        verifier = (
            PolicyBuilder()
            .store(Store([certificate(config, "ca")]))
            .time(NOW)
            .build_server_verifier(x509.DNSName("node-1"))
        )
        chain = verifier.verify(certificate(config, name), [])
        assert len(chain) == 2


def test_keys_are_for_root_alone(config):
    certificates.ensure(config, NOW)
    assert stat.S_IMODE(config.pki_dir.stat().st_mode) == 0o700
    keys = list(config.pki_dir.glob("*.key"))
    assert len(keys) == len(pki.identities(config)) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_the_kubeconfig_holds_the_administrator(config):
    certificates.ensure(config, NOW)
    path = kubeconfig.write(config)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    parsed = yaml.safe_load(path.read_text())
    assert parsed["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    user = parsed["users"][0]["user"]
    import base64

    admin = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    assert admin.subject.rfc4514_string() == "CN=kubernetes-admin,O=system:masters"
    key = serialization.load_pem_private_key(base64.b64decode(user["client-key-data"]), None)
    assert key.public_key() == admin.public_key()


def test_an_unchanged_kubeconfig_is_left_alone(config):
    certificates.ensure(config, NOW)
    before = kubeconfig.write(config).stat().st_ino
    assert kubeconfig.write(config).stat().st_ino == before
