"""A stand-in for Kubernetes' test image ``agnhost``: of it what recorded lives make use of.

Servers in a shell of Debian's busybox, one process a connection: ``netexec`` (``/healthz``,
``/echo``, ``/redirect``, ``/shell``), ``grpc-health-checking``, and ``porter`` with TLS, which is
the machine's own openssl.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.images import Entry, busybox_archive, directory, layer
from support.pki import Authority

NAME = "registry.k8s.io/e2e-test-images/agnhost:2.40"
_OPENSSL = Path("/usr/bin/openssl")

_MAIN = """#!/bin/sh
trap 'exit 0' TERM
case $1 in
netexec) nc -ll -p ${2#--http-port=} -e /netexec & ;;
grpc-health-checking) nc -ll -p 5000 -e /health & ;;
porter) openssl s_server -accept 8443 -cert $CERT_FILE -key $KEY_FILE -www -quiet & ;;
*) sleep 1000000 & ;;
esac
wait
"""

_NETEXEC = r"""#!/bin/sh
read -r method target protocol
while read -r line; do [ "$line" = "$(printf '\r')" ] && break; done
value() { printf '%s' "$target" | sed -n "s/.*[?&]$1=\([^&]*\).*/\1/p"; }
decoded() { printf '%b' "$(value $1 | sed 's/%/\\x/g')"; }
code=200 body=
case $target in
/healthz) ;;
/echo*) code=$(value code) body=$(decoded msg) ;;
/redirect*) code=$(value code) to=$(decoded location)
    body=$(printf '<a href="%s">Found</a>.\n\n.' "$to") body=${body%.} ;;
/shell*) $(decoded cmd) ;;
*) code=404 ;;
esac
printf 'HTTP/1.1 %s X\r\nContent-Length: %s\r\nConnection: close\r\n' ${code:-200} ${#body}
[ -z "$to" ] || printf 'Location: %s\r\nContent-Type: text/html; charset=utf-8\r\n' "$to"
printf '\r\n%s' "$body"
"""

# HTTP/2: frames are read up to the end of the request, whose last bytes name the service.
_HEALTH = r"""#!/bin/sh
bytes() { dd bs=1 count=$1 2>/dev/null | od -An -v -tx1 | tr -d ' \n'; }
bytes 24 >/dev/null
printf '\0\0\0\4\0\0\0\0\0'
while head=$(bytes 9); [ ${#head} = 18 ]; do
    body=$(bytes $((0x${head%????????????})))
    kind=${head#??????} kind=${kind%??????????} flags=${head#????????} flags=${flags%????????}
    [ $kind = 00 ] && [ $((0x$flags & 1)) = 1 ] && break
done
"""


def _health() -> bytes:
    """The script, with the answers as the bytes of their frames (RFC 9113, RFC 7541)."""
    ok = b"\x88\x5f\x10application/grpc"
    start = _frame(1, 0x4, ok)
    serving = (
        start + _frame(0, 0, b"\0\0\0\0\2\x08\x01") + _frame(1, 0x5, _field("grpc-status", "0"))
    )
    unknown = _frame(
        1, 0x5, ok + _field("grpc-status", "5") + _field("grpc-message", "unknown service")
    )
    return f"""{_HEALTH}
if [ ${{#body}} -gt 10 ]; then
    printf '{_octal(unknown)}'
else
    printf '{_octal(serving)}'
fi
cat >/dev/null
""".encode()


def _frame(kind: int, flags: int, body: bytes) -> bytes:
    return len(body).to_bytes(3) + bytes([kind, flags]) + (1).to_bytes(4) + body


def _field(name: str, value: str) -> bytes:
    """A header field, in so many words."""
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _octal(data: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in data)


def agnhost_archive(path: Path) -> Path:
    """Write an archive of the image."""
    authority = Authority(path.parent / "agnhost-pki")
    pair = authority.server("localhost")
    scripts = {"agnhost": _MAIN.encode(), "netexec": _NETEXEC.encode(), "health": _health()}
    files = [Entry(name, text, mode=0o755) for name, text in scripts.items()]
    files += [
        Entry("localhost.crt", pair.cert.read_bytes()),
        Entry("localhost.key", pair.key.read_bytes()),
    ]
    return busybox_archive(
        path, NAME, entrypoint=["/agnhost"], cmd=["pause"], layers=[layer(*files, *_openssl())]
    )


def _openssl() -> list[Entry]:
    """The program with all that it loads."""
    listed = subprocess.run(["ldd", _OPENSSL], check=True, capture_output=True, text=True).stdout
    needed = [word for word in listed.split() if word.startswith("/")]
    made = [Entry("bin/openssl", _OPENSSL.read_bytes(), mode=0o755)]
    places: dict[str, None] = {}
    for library in needed:
        for parent in reversed(Path(library).parents):
            places.setdefault(str(parent).lstrip("/"))
    made += [directory(place) for place in places if place]
    return made + [
        Entry(library.lstrip("/"), Path(library).read_bytes(), mode=0o755) for library in needed
    ]
