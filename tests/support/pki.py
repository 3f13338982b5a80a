"""A certificate authority for one test."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """Paths of a certificate and its key, both PEM."""

    cert: Path
    key: Path


class Authority:
    """Signs what a test needs; everything is below *directory*."""

    def __init__(self, directory: Path, name: str = "podium-test-ca") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._name = directory, _subject(name, ())
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issued = 0
        builder = _builder(self._name, self._name, self._key.public_key(), LIFETIME)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        builder = builder.add_extension(_usage(signs=True), critical=True)
        self.cert_file = directory / "ca.crt"
        _write(self.cert_file, builder.sign(self._key, hashes.SHA256()))

    def client(self, user: str, groups: Sequence[str] = (), lifetime: timedelta = LIFETIME) -> Pair:
        return self._issue(_subject(user, groups), ExtendedKeyUsageOID.CLIENT_AUTH, (), lifetime)

    def server(self, name: str = "server", hosts: Sequence[str] = ("127.0.0.1",)) -> Pair:
        return self._issue(_subject(name, ()), ExtendedKeyUsageOID.SERVER_AUTH, hosts, LIFETIME)

    def signing_key(self) -> Path:
        """A key for service account tokens."""
        path = self._directory / "service-account.key"
        _write_key(path, ec.generate_private_key(ec.SECP256R1()))
        return path

    def _issue(
        self,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        hosts: Sequence[str],
        lifetime: timedelta,
    ) -> Pair:
        self._issued += 1
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key.public_key(), lifetime)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        pair = Pair(
            self._directory / f"{self._issued}.crt", self._directory / f"{self._issued}.key"
        )
        _write(pair.cert, builder.sign(self._key, hashes.SHA256()))
        _write_key(pair.key, key)
        return pair


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str, groups: Sequence[str]) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    return x509.Name(attributes)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
