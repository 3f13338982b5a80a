"""The cluster's certificates: one authority, one identity per component.

Everything is ECDSA on P-256 under ``<data-dir>/pki``, keys 0600. :func:`ensure` makes what is
missing and renews what has passed two thirds of its life; it is called at each start and now and
then while the cluster runs. Servers and clients notice changed files by themselves.

cryptography takes a fifth of a start to import: `podium up` has a process of its own do this.

The authority itself is renewed with its key and name kept, so that what it has signed, and who
trusts it, go on as before.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from podium.cluster.config import ClusterConfig
from podium.cluster.pki import Identity, Pki, identities
from podium.kit.files import write_atomic

CA_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=365)
#: Certificates are valid a little before they are made: clocks differ.
_BACKDATE = timedelta(minutes=5)


def ensure(config: ClusterConfig, now: datetime) -> bool:
    """Make or renew what needs it; tell whether anything changed."""
    pki = Pki(config.pki_dir)
    pki.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    changed = False
    ca_key, made = _ensure_key(pki.directory / "ca.key", durable=True)
    ca = _read_certificate(pki.ca)
    if made or ca is None or due(ca, now):
        ca = _make_ca(ca_key, now)
        write_atomic(pki.ca, ca.public_bytes(serialization.Encoding.PEM), mode=0o644)
        changed = True
    for identity in identities(config):
        current = _read_certificate(pki.cert(identity.name))
        if current is None or due(current, now) or not _fits(current, identity, ca_key):
            _issue(pki, identity, ca, ca_key, now)
            changed = True
    _ensure_key(pki.service_account_key, durable=True)
    return changed


def due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether *certificate* has passed two thirds of its life."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= start + (end - start) * 2 / 3


def _fits(
    certificate: x509.Certificate, identity: Identity, ca_key: ec.EllipticCurvePrivateKey
) -> bool:
    """Tell whether *certificate* is what the flags of today ask for, signed by today's key."""
    try:
        ca_key.public_key().verify(
            certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256())
        )
    except InvalidSignature:
        return False
    return certificate.subject == _subject(identity) and _hosts(certificate) == set(identity.hosts)


def _hosts(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *(str(address) for address in addresses)}


def _subject(identity: Identity) -> x509.Name:
    return x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in identity.organizations),
            x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name),
        ]
    )


def _make_ca(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "podium-ca")])
    usage = _key_usage(signs_certificates=True)
    return (
        _builder(name, name, key.public_key(), now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue(
    pki: Pki,
    identity: Identity,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> None:
    # The key stays over a renewal: a reader that sees the new certificate beside the old key,
    # or the reverse, still has a pair that fits.
    key, _ = _ensure_key(pki.key(identity.name))
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if identity.hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = (
        _builder(_subject(identity), ca.subject, key.public_key(), now, LEAF_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(authority, critical=False)
    )
    if identity.hosts:
        names = x509.SubjectAlternativeName(_general_names(identity.hosts))
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(ca_key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    write_atomic(pki.cert(identity.name), pem, mode=0o644, sync=False)


def _general_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC).replace(microsecond=0) - _BACKDATE
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _ensure_key(path: Path, *, durable: bool = False) -> tuple[ec.EllipticCurvePrivateKey, bool]:
    """Return the key in *path*, made now where there is none that can be read, and whether it was.

    A key that is not *durable* may be lost with the power: it is made anew then.
    """
    # Of other failures nothing is known to be lost: a new key would make all certificates void.
    with contextlib.suppress(FileNotFoundError, ValueError):
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, False
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_atomic(path, pem, sync=durable)
    return key, True


def _read_certificate(path: Path) -> x509.Certificate | None:
    """Return the certificate in *path*, None where there is none that can be read."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
