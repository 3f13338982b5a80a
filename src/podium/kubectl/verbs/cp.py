"""``kubectl cp``: files to and from containers, as a tar through a command there."""

from __future__ import annotations

import io
import os
import shlex
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from typing import IO, Any

from podium.kubectl import copying
from podium.kubectl.command import Command, Invocation
from podium.kubectl.copying import FileSpec, Unpacking
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Exited, Lost, Unreachable
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.pods import default_container, named_container

#: Seconds before a copy is resumed that has not gone on since it was before.
_PAUSE = 1.0


def run(invocation: Invocation) -> int:
    if len(invocation.words) != 2:
        raise CommandError("source and destination are required")
    source, target = map(FileSpec.parse, invocation.words)
    if source.pod and target.pod:
        raise CommandError("one of src or dest must be a local file specification")
    if not source.path or not target.path:
        raise CommandError("filepath can not be empty")
    if not source.pod and not target.pod:
        raise CommandError("one of src or dest must be a remote file specification")
    progress = _Progress()
    try:
        if source.pod:
            _from_pod(invocation, source, target.path, progress)
        else:
            _to_pod(invocation, source.path, target, progress)
    except OSError as exc:
        raise CommandError(f"open {exc.filename}: {(exc.strerror or str(exc)).lower()}") from exc
    finally:
        progress.end()
    return 0


class _Remote:
    """Commands in the container of a file."""

    def __init__(self, invocation: Invocation, spec: FileSpec, announced_on: IO[str]) -> None:
        session, named = invocation.session, invocation.values.container
        self._http = session.http
        self._path = Discovery(session.http).find("pods").path(
            spec.namespace or session.namespace, spec.pod
        )  # fmt: skip
        pod = session.http.request("GET", self._path).json()
        phase = pod.get("status", {}).get("phase")
        if phase in ("Succeeded", "Failed"):
            raise CommandError(
                f"cannot exec into a container in a completed pod; current phase is {phase}"
            )
        chosen = default_container(pod)
        self._container = named_container(pod, named) if named else chosen.name
        if not named:
            chosen.announce(announced_on)

    def run(self, cmd: list[str], *, stdin: int | None = None, out: int = 1, err: int = 2) -> None:
        """Raises Exited, CommandError."""
        from podium.kubectl.streams import Ends, Wanted, connect

        ends = Ends(stdin if stdin is not None else 0, out, err)
        connect(self._http, f"{self._path}/exec", self._query(cmd), Wanted(stdin is not None), ends)

    def output(self, cmd: list[str]) -> Iterator[memoryview]:
        """Yield what *cmd* writes; its errors go where this program writes to. Raises as run."""
        from podium.kubectl.streams import output

        return output(self._http, f"{self._path}/exec", self._query(cmd), 1)

    def _query(self, cmd: list[str]) -> list[tuple[str, str]]:
        return [("command", word) for word in cmd] + [("container", self._container)]


# -- to a Pod


def _to_pod(invocation: Invocation, source: str, target: FileSpec, progress: _Progress) -> None:
    if not os.path.exists(source):
        raise CommandError(f"{source} doesn't exist in local filesystem")
    remote, path = _Remote(invocation, target, sys.stderr), target.path
    if _is_directory(remote, path):
        path = f"{path}/{copying.last_name(copying.clean(source))}"
    flags = ["--no-same-permissions", "--no-same-owner"] * invocation.values.no_preserve
    packer = _Packer(source, path, progress)
    packer.start()
    remote.run(["tar", *flags, "-xmf", "-", "-C", copying.directory(path)], stdin=packer.output)
    packer.check()


def _is_directory(remote: _Remote, path: str) -> bool:
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        remote.run(["test", "-d", path], out=nowhere, err=nowhere)
    except Exited:
        return False
    finally:
        os.close(nowhere)
    return True


class _Packer(threading.Thread):
    """Writes the tar into a pipe; a daemon, left where nobody reads any more."""

    def __init__(self, source: str, target: str, progress: _Progress) -> None:
        super().__init__(name="tar", daemon=True)
        self._source, self._target, self._progress = source, target, progress
        self.output, self._input = os.pipe2(os.O_CLOEXEC)
        self._failed: OSError | CommandError | None = None

    def run(self) -> None:
        try:
            copying.Packer(self._input, self._progress).pack(self._source, self._target)
        except BrokenPipeError:
            return  # the other end says why
        except (OSError, CommandError) as exc:
            self._failed = exc
        finally:
            os.close(self._input)

    def check(self) -> None:
        """Raise what went wrong here. To be called when all has been read."""
        self.join()
        if self._failed is not None:
            raise self._failed


# -- from a Pod


def _from_pod(invocation: Invocation, source: FileSpec, target: str, progress: _Progress) -> None:
    values = invocation.values
    remote = _Remote(invocation, source, sys.stdout)
    hint = (
        f'kubectl exec -n "{source.namespace}" "{source.pod}" -- '
        f'tar cf - "{source.path}" | tar xf -'
    )
    content = _Tar(remote, source.path, values.retries)
    unpacking = Unpacking(source.path, target, _warn, hint, progress)
    try:
        unpacking.unpack(io.BufferedReader(content, 1 << 18))
    except tarfile.TarError as exc:
        content.check()
        raise CommandError(f"tar contents corrupted: {exc}") from exc
    content.check()


def _warn(text: str) -> None:
    print(text, file=sys.stderr)


class _Tar(io.RawIOBase):
    """What ``tar`` writes in the container; goes on where the connection was lost."""

    def __init__(self, remote: _Remote, path: str, retries: int) -> None:
        self._remote, self._path, self._retries = remote, path, retries
        self._tried = self._count = self._resumed = 0
        self._failed: CommandError | None = None
        self._pieces = self._started()
        self._rest = memoryview(b"")

    def _started(self) -> Iterator[memoryview]:
        cmd = ["tar", "cf", "-", self._path]
        if self._count:
            script = f"{shlex.join(cmd)} | tail -c+{self._count + 1}"
            cmd = ["sh", "-c", script]
        sys.stdout.flush()
        return self._remote.output(cmd)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and self._failed is None:
            try:
                self._rest = next(self._pieces)
            except StopIteration:
                return 0
            except (Lost, Unreachable) as exc:
                self._resume(exc)
            except CommandError as exc:
                self._failed = exc
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._count += count
        return count

    def _resume(self, lost: CommandError) -> None:
        if 0 <= self._retries <= self._tried:
            self._failed = lost
            return
        if self._count == self._resumed:
            time.sleep(_PAUSE)  # it brought nothing, and will not at once
        self._resumed = self._count
        self._tried += 1
        print(f"Resuming copy at {self._count} bytes, retry {self._tried}/{self._retries}")
        self._pieces = self._started()

    def check(self) -> None:
        """Raise what the command, or the way to it, ended with."""
        rest = bytearray(1 << 16)
        while self.readinto(rest):
            pass
        if self._failed is not None:
            raise self._failed


class _Progress:
    """A line on the terminal, where there is one: which file, how much, how fast."""

    _INTERVAL = 0.1

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._began = self._last = time.monotonic()
        self._count = 0
        self._width = 0

    def __call__(self, name: str, count: int) -> None:
        self._count += count
        now = time.monotonic()
        if not self._shown or now - self._last < self._INTERVAL:
            return
        self._last = now
        rate = self._count / max(now - self._began, self._INTERVAL)
        text = f"{name}: {self._count / (1 << 20):.1f} MiB, {rate / (1 << 20):.1f} MiB/s"
        self._print(text)

    def end(self) -> None:
        if self._width:
            self._print("")

    def _print(self, text: str) -> None:
        print(f"\r{text:<{self._width}}" + "\r" * (not text), end="", file=sys.stderr, flush=True)
        self._width = len(text)


COMMAND = Command(
    usage="kubectl cp <file-spec-src> <file-spec-dest> [options]",
    short="Copy files and directories to and from containers",
    long="Copy files and directories to and from containers. The container's image needs 'tar', "
    "except on nodes of Podium, which lend theirs.",
    examples="""
# To a Pod
kubectl cp page.html web:/www/index.html

# A directory, to one of several containers in another namespace
kubectl cp site/ team-a/web:/www -c main

# From a Pod
kubectl cp web:/var/log/web.log web.log
""",
    run=run,
    flags=(
        Flag("container", usage="Container name. If omitted, use the "
             "kubectl.kubernetes.io/default-container annotation for selecting the container to be "
             "attached or the first container in the pod will be chosen", short="c"),
        Flag("no-preserve", False, "The copied file/directory's ownership and permissions will not "
             "be preserved in the container", kind=Kind.BOOL),
        Flag("retries", 0, "Set number of retries to complete a copy operation from a container. "
             "Specify 0 to disable or any negative value for infinite retrying. The default is 0 "
             "(no retry).", kind=Kind.INT),
    ),
)  # fmt: skip
