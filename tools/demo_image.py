#!/usr/bin/env python3
"""Build the demo image: a small web server that can be made to fail, from Debian's busybox alone.

    tools/demo_image.py OUTPUT.tar [--name localhost/kuard:demo] [--busybox /bin/busybox]

OUTPUT is what `docker save` would write; `podium image load OUTPUT` makes it known. The same
busybox gives the same bytes. Needs nothing but Python.

Inside, busybox's httpd serves /www on port 8080: /, /healthy and /ready answer 200 until their file
is removed. Requests are logged on standard output. SIGTERM ends it at once.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

NAME = "localhost/kuard:demo"
PORT = 8080
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}

# Process 1 gets no signal that it has no handler for, and httpd has none for SIGTERM.
SERVE = f"""\
#!/bin/sh
trap 'exit 0' TERM INT
echo "kuard demo: serving /www on port {PORT}"
httpd -f -vv -p {PORT} -h /www 2>&1 &
wait $!
"""

PAGE = f"""\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>kuard demo</title></head>
<body>
<h1>kuard demo</h1>
<p>A web server on port {PORT}, made of busybox. Each of its three pages fails (404) once its file
is removed inside the container, and answers again when the file is back:</p>
<pre>
GET /          rm /www/index.html     mv /www/index.html /tmp, and back, to fail for a while
GET /healthy   rm /www/healthy        echo ok &gt; /www/healthy
GET /ready     rm /www/ready          echo ok &gt; /www/ready
</pre>
<p>For instance: <code>kubectl exec kuard -- rm /www/ready</code></p>
</body>
</html>
"""

DIRECTORIES = {
    "bin": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "home": 0o755,
    "proc": 0o755,
    "root": 0o700,
    "sys": 0o755,
    "tmp": 0o1777,
    "var": 0o755,
    "var/tmp": 0o1777,
    "www": 0o755,
}
FILES = {
    "etc/group": ("root:x:0:\nnogroup:x:65534:\n", 0o644),
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
        0o644,
    ),
    "usr/share/doc/README": (__doc__ or "", 0o644),
    "www/healthy": ("ok\n", 0o644),
    "www/index.html": (PAGE, 0o644),
    "www/ready": ("ok\n", 0o644),
    "bin/serve": (SERVE, 0o755),
}


def layer(busybox: Path) -> bytes:
    """Return the image's one layer as a tar archive."""
    listing = subprocess.run(
        [busybox, "--list"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    applets = sorted(set(listing.split()) - {"busybox"})
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, mode in sorted(DIRECTORIES.items()):
            _add(archive, name, mode, kind=tarfile.DIRTYPE)
        _add(archive, "bin/busybox", 0o755, busybox.read_bytes())
        for applet in applets:
            _add(archive, f"bin/{applet}", 0o777, kind=tarfile.SYMTYPE, link="busybox")
        for name, (content, mode) in sorted(FILES.items()):
            _add(archive, name, mode, content.encode())
    return target.getvalue()


def build(output: Path, name: str, busybox: Path) -> str:
    """Write the archive; return the image's ID."""
    content = layer(busybox)
    machine = os.uname().machine
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {
                "Env": ["PATH=/bin", "HOME=/root"],
                "Entrypoint": ["/bin/serve"],
                "ExposedPorts": {f"{PORT}/tcp": {}},
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(content)}"]},
        },
        separators=(",", ":"),
    ).encode()
    config_name = f"{_sha256(config)}.json"
    layer_name = f"{_sha256(content)}/layer.tar"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [layer_name]}]
    temporary = output.with_name(f"{output.name}.part")
    with tarfile.open(temporary, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, config_name, 0o644, config)
        _add(archive, layer_name, 0o644, content)
        _add(archive, "manifest.json", 0o644, json.dumps(manifest).encode())
    temporary.replace(output)
    return f"sha256:{_sha256(config)}"


def _add(
    archive: tarfile.TarFile,
    name: str,
    mode: int,
    content: bytes = b"",
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
) -> None:
    """Add an entry of root's, from the beginning of time: nothing of this machine shows."""
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.linkname, info.size = mode, kind, link, len(content)
    archive.addfile(info, io.BytesIO(content))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description="Build Podium's demo image as a docker-archive.")
    parser.add_argument("output", type=Path, metavar="OUTPUT.tar")
    parser.add_argument("--name", default=NAME, help=f"default: {NAME}")
    parser.add_argument("--busybox", type=Path, default=Path("/bin/busybox"), metavar="FILE")
    arguments = parser.parse_args()
    try:
        build(arguments.output, arguments.name, arguments.busybox)
    except (OSError, subprocess.CalledProcessError) as exc:
        print(f"error: {exc} (Debian's package busybox-static is needed)", file=sys.stderr)
        return 1
    print(arguments.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
