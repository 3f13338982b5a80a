"""What each cluster of this machine has for itself: address ranges and a run directory.

A claim is a file below SHARED_DIR, from `podium up` to `podium down`: the containers of a stopped
cluster run on, so what it has stays its own. Claims count for the boot that they were made in, and
for as long as the cluster's data directory exists.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from podium.cluster.config import SHARED_DIR, ClusterConfig, ConfigError, load
from podium.kit.files import write_atomic

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Claim(msgspec.Struct, frozen=True, kw_only=True):
    boot_id: str
    data_dir: str
    run_dir: str
    pod_cidr: str
    service_cidr: str


def check(config: ClusterConfig, directory: Path = SHARED_DIR) -> None:
    """Raise ConfigError where another cluster has what *config* asks for."""
    with _locked(directory) as claims:
        _check(config, claims)


def claim(config: ClusterConfig, directory: Path = SHARED_DIR) -> None:
    """Note down what *config* asks for, and save it: a claim counts while there is a cluster.

    Raises ConfigError where another cluster has it.
    """
    with _locked(directory) as claims:
        _check(config, claims)
        config.save()
        mine = _Claim(
            boot_id=_boot_id(),
            data_dir=str(config.data_dir),
            run_dir=str(config.run_dir),
            pod_cidr=config.pod_cidr,
            service_cidr=config.service_cidr,
        )
        write_atomic(claims / f"{config.id}.json", msgspec.json.encode(mine), sync=False)


def release(config: ClusterConfig, directory: Path = SHARED_DIR) -> None:
    """Give up what *config* has. Repeatable."""
    with _locked(directory) as claims, contextlib.suppress(FileNotFoundError):
        (claims / f"{config.id}.json").unlink()


def _check(config: ClusterConfig, claims: Path) -> None:
    for path in claims.glob("*.json"):
        other = _read(path)
        if path.stem != config.id and other is not None:
            _compare(config, other)


def _compare(config: ClusterConfig, other: _Claim) -> None:
    for flag, wanted in (("--pod-cidr", config.pod_cidr), ("--service-cidr", config.service_cidr)):
        for taken in (other.pod_cidr, other.service_cidr):
            if ipaddress.ip_network(wanted).overlaps(ipaddress.ip_network(taken)):
                raise ConfigError(
                    f"{flag} {wanted} overlaps {taken} of the cluster in {other.data_dir}; "
                    f"choose another one, or end that cluster: "
                    f"podium down --data-dir {other.data_dir}"
                )
    if str(config.run_dir) == other.run_dir:
        raise ConfigError(
            f"--run-dir {config.run_dir} is that of the cluster in {other.data_dir}; "
            "choose another one"
        )


def _read(path: Path) -> _Claim | None:
    """Return the claim in *path*, None where it counts no more."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Claim)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if found.boot_id != _boot_id():
        return None
    with contextlib.suppress(ConfigError, OSError):
        owner = load(Path(found.data_dir))
        return found if owner is not None and owner.id == path.stem else None
    return found


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[Path]:
    """Yield the directory of the claims, with nobody else in it."""
    claims = directory / "clusters"
    claims.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(claims, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield claims
    finally:
        os.close(descriptor)


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip()
