"""A real cluster for end-to-end tests: `podium up` in a process of its own, and real kubectls."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.leaks import leaked
from support.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
PODIUM = Path(sys.prefix) / "bin" / "podium"
LIBEXEC = Path(sys.prefix) / "libexec"
#: The kubectls that shall work; ``make install-test`` gets them.
KUBECTL = {f"1.{minor}": LIBEXEC / f"kubectl-1.{minor}" for minor in range(28, 37)} | {
    "1.37": Path(sys.prefix) / "bin" / "kubectl"
}
#: For tests of what does not differ between those in between.
OLDEST_AND_NEWEST = ("1.28", "1.37")
#: How long anything may take before a test gives up (seconds); far beyond what it should.
PATIENCE = 60.0


@dataclass
class Cluster:
    """One cluster. ``flags`` are those of ``podium up``."""

    data_dir: Path
    flags: Sequence[str]
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)
    #: What `up` is said to.
    program: Sequence[str | Path] = (PODIUM,)

    @property
    def kubeconfig(self) -> Path:
        return self.data_dir / "kubeconfig"

    @property
    def port(self) -> int:
        """Where the API server listens, on loopback."""
        return int(self.flags[self.flags.index("--port") + 1])

    @property
    def id(self) -> str:
        """What the names of all it makes on the machine have in common; "" before it was up."""
        path = self.data_dir / "cluster.json"
        return str(json.loads(path.read_text())["id"]) if path.exists() else ""

    @property
    def log_file(self) -> Path:
        return self.data_dir.with_suffix(".log")

    def up(self, *flags: str, ready: bool = True) -> None:
        """Start it; return when the node is Ready (with *ready*), else when the API is."""
        self.forget()
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(
                [*self.program, "up", "--data-dir", self.data_dir, *self.flags, *flags],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if len(self.lines) == (2 if ready else 1):
                return
        raise AssertionError(f"podium up ended: {self.lines}\n{self.log_file.read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End `podium up` by a signal; return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=PATIENCE)

    def forget(self) -> None:
        """Let go of the last process, killing it where it still runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None

    @property
    def environment(self) -> dict[str, str]:
        """What programs are started with: this kubeconfig, a home of their own, frugal Go."""
        home = str(self.data_dir.with_name("home"))
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": home,
            "GOGC": "off",
            "GOMEMLIMIT": "256MiB",
            "GOMAXPROCS": "1",
        }

    def podium(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run(PODIUM, *arguments, "--data-dir", str(self.data_dir), check=check)

    def kubectl(
        self, *arguments: str, version: str = "1.37", stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return run(KUBECTL[version], *arguments, stdin=stdin, check=check, env=self.environment)

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request as the administrator → code and answer; far cheaper than a kubectl."""
        pki = self.data_dir / "pki"
        tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=tls, timeout=PATIENCE
        )
        with contextlib.closing(connection):
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    @contextlib.contextmanager
    def namespace(self, name: str, **labels: str) -> Iterator[str]:
        """A fresh namespace; at the end it goes, with all that is in it, in its own time."""
        manifest = {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}
        }  # fmt: skip
        code, answer = self.request("POST", "/api/v1/namespaces", manifest)
        assert code == 201, answer
        try:
            yield name
        finally:
            code, answer = self.request("DELETE", f"/api/v1/namespaces/{name}")
            assert code in (200, 404, 409), answer

    def get(self, *arguments: str) -> Any:
        """``kubectl get … -o json``, parsed."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def apply(self, *documents: dict[str, Any]) -> None:
        """``kubectl apply`` of *documents*."""
        text = "\n---\n".join(json.dumps(document) for document in documents)
        self.kubectl("apply", "-f", "-", stdin=text)

    def wait_ready(self, *pods: str, namespace: str = "default") -> None:
        self.kubectl(
            "wait", "--for=condition=Ready", *(f"pod/{pod}" for pod in pods), "-n", namespace,
            f"--timeout={PATIENCE:.0f}s",
        )  # fmt: skip

    def processes(self) -> dict[str, int]:
        """Pids of `podium up` (as ``podium``) and its components by name."""
        assert self.process is not None
        found = {"podium": self.process.pid}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(stat[1]) == self.process.pid and stat[0] != "Z":
                    title = (entry / "cmdline").read_text().rstrip("\0").split("\0")[0]
                    found[title.removeprefix("podium ")] = int(entry.name)
        return found


def run(
    *argv: str | Path, stdin: str = "", check: bool = True, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; with *check*, a failure shows what it printed."""
    completed = subprocess.run(
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        env={**os.environ, **(env or {})},
        check=False,
    )
    if check and completed.returncode:
        raise AssertionError(
            f"{' '.join(map(str, argv))} → {completed.returncode}\n"
            f"{completed.stdout}\n{completed.stderr}"
        )
    return completed


@contextlib.contextmanager
def cluster(tmp_path: Path, *flags: str, start: bool = True) -> Iterator[Cluster]:
    """Yield a running cluster on addresses of its own; nothing may be left of it afterwards."""
    with free_cidrs() as (pods, services):
        own = Cluster(
            tmp_path / "data",
            [
                "--port", str(free_port()), "--node-name", "node-1", "--pod-cidr", pods,
                "--service-cidr", services, "--run-dir", str(tmp_path / "run"), *flags,
            ],
        )  # fmt: skip
        try:
            if start:
                own.up()
            yield own
        finally:
            with contextlib.suppress(FileNotFoundError):
                sys.stderr.write(own.log_file.read_text()[-20000:])  # pytest shows it on failure
            marks = [mark for mark in (own.id, str(own.data_dir), str(tmp_path / "run")) if mark]
            down = own.podium("down", "--purge", check=False)
            own.forget()
        assert down.returncode == 0, down.stderr
        assert leaked({}, *marks) == {}
        assert not own.data_dir.exists()
        assert not (tmp_path / "run").exists()


@contextlib.contextmanager
def free_cidrs() -> Iterator[tuple[str, str]]:
    """A Pod and a Service CIDR that no other test of this machine uses meanwhile.

    Test processes that run side by side look for theirs in different places; a name of a socket
    is the claim, so that the kernel ends it with the process.
    """
    routes = subprocess.run(
        ["ip", "-4", "route"], capture_output=True, text=True, check=True
    ).stdout
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    start = os.getpid() + time.monotonic_ns() // 1000
    for offset in range(25):
        octet = (start + offset) % 25 * 8 + worker
        with socket.socket(socket.AF_UNIX) as claim:
            try:
                claim.bind(f"\0podium-test-network-{octet}")
            except OSError:
                continue
            if f"172.{16 + octet % 16}.{octet}." not in routes:
                yield f"172.{16 + octet % 16}.{octet}.0/24", f"10.{octet}.240.0/24"
                return
    raise AssertionError("no free network")


def eventually(probe: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Return the first true value of *probe*, called again and again; fail after *patience* s."""
    deadline = time.monotonic() + patience
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {patience:.0f} s; last: {value!r}")
        time.sleep(0.02)


def pod(name: str, *command: str, image: str = "localhost/kuard:demo", **spec: Any) -> Any:
    """A Pod manifest with one container, called ``main``, that runs *command*."""
    container: dict[str, Any] = {"name": "main", "image": image}
    if command:
        container["command"] = list(command)
    container.update(spec.pop("container", {}))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], **spec},
    }
