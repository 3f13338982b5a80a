#!/usr/bin/env python3
"""What the API server takes over TLS, each measure beside its floor in the same run.

    .venv/bin/python bench/api.py [--pods 10000] [--seconds 2] [--connections 1,32]
    .venv/bin/python bench/api.py --pods 1000 --seconds 0.3      # a first look, under a minute

Three processes: the API server (alone, no controllers), its floors, and the load generator, which
is this one. The server has one busy thread and, for writes, a second that waits for the disk.
Nothing is pinned: on two cores the server has one and the generator the other. The last column is
the generator's share of a core while ours was measured; near 100% it is the bottleneck.

Floors: an aiohttp handler that returns the same bytes over TLS on the same loop (lists in pieces);
for writes, the bare store with the same durability, as many bytes and as many writers. Rounds of
ours and of the floors' are taken in turns. CPU is that of the server's process, in ms for each
request: where others use the machine too, it tells more than the rate. A ratio is floor over ours
for rates, ours over floor for CPU: 2 means twice as slow, or twice as dear. Below creates stands
what none can do without: its HTTP, its JSON and its commit, each done alone; and how fast servers
are that do nothing but commit, with aiohttp and with no library for HTTP at all: what is left
below the second for reading, judging and keeping objects is all that any server on this store has.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

import api_objects as objects
from api_load import Pool, Run, Target, Watchers, request
from api_processes import Server
from podium.api.types.core_v1 import Pod
from podium.kit import heap

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.pki import Authority, Pair  # noqa: E402

ROUNDS = 4
_PODS = "/api/v1/pods"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

Measure = Callable[[], Run]


@dataclass
class Side:
    """One row's ours, or its floor: what came of all rounds."""

    server: Server
    measure: Measure
    run: Run = field(default_factory=Run)
    cpu: float = 0.0
    generator: float = 0.0

    def turn(self) -> None:
        used, generator = self.server.cpu_seconds(), time.process_time()
        self.run.add(self.measure())
        self.cpu += self.server.cpu_seconds() - used
        self.generator += time.process_time() - generator

    @property
    def rate(self) -> float:
        return self.run.count / self.run.elapsed

    @property
    def cpu_each(self) -> float:
        return self.cpu / self.run.count * 1000

    def percentile(self, share: float) -> float:
        ordered = sorted(self.run.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def print_header(what: str) -> None:
    print(f"\n{what:34}{'ours':>9}{'p50':>8}{'p99':>8}{'CPU':>8}", end="")
    print(f"{'floor':>11}{'CPU':>8}{'ratio':>9}{'CPU':>7}{'generator':>11}")


def print_row(what: str, ours: Side, floor: Side) -> None:
    print(f"{what:34}{ours.rate:7.0f}/s{ours.percentile(0.5):8.2f}", end="")
    print(f"{ours.percentile(0.99):8.2f}{ours.cpu_each:8.3f}", end="")
    print(f"{floor.rate:9.0f}/s{floor.cpu_each:8.3f}{floor.rate / ours.rate:9.2f}", end="")
    share = ours.generator / ours.run.elapsed
    print(f"{ours.cpu_each / floor.cpu_each:7.2f}{share:11.0%}", flush=True)


class Bench:
    """The whole run. Pods are made first; what follows reads and changes them."""

    def __init__(self, directory: Path, arguments: argparse.Namespace) -> None:
        self._directory, self._asked = directory, arguments
        self._seconds = arguments.seconds / ROUNDS
        self._turns = itertools.count(1)
        self._authority = authority = Authority(directory / "pki")
        authority.signing_key()
        server = authority.server()
        server.cert.rename(directory / "pki/server.crt")
        server.key.rename(directory / "pki/server.key")
        self._user = authority.client("bench", ["benchers"])

    def run(self) -> None:
        with contextlib.ExitStack() as stack:
            self._api = self._start("apiserver", stack)
            self._prepare()
            self._store = self._start("store", stack)
            self._http = self._start("http", stack)
            self._bare = self._start("bare", stack)
            empty = self._api.memory()
            self._creates()
            self._print_memory("all made", empty)
            for measure in (self._gets, self._lists, self._changes, self._watches):
                if self._asked.only in measure.__name__:
                    measure()
            self._print_memory("at the end", empty)
            time.sleep(2 * heap.QUIET)
            self._print_memory("at rest", empty)
            self._api.stop()
            self._api = self._start("apiserver", stack)
            self._print_memory("started anew", empty)

    def _start(self, name: str, stack: contextlib.ExitStack) -> Server:
        server = Server(name, self._directory)
        stack.callback(server.stop)
        return server

    def _pool(self, server: Server, connections: int, user: Pair | None = None) -> Pool:
        return Pool(self._target(server, user or self._user), connections)

    def _target(self, server: Server, user: Pair) -> Target:
        return Target(int(server.said), self._authority.cert_file, user.cert, user.key)

    def _prepare(self) -> None:
        """Make what Pods need, and the first one: the floors work with what is stored of it."""
        admin = self._authority.client("admin", ["system:masters"])
        with self._pool(self._api, 1, admin) as pool:
            for each in (*objects.preparations(), objects.create(0)):
                pool.one(each)
            data = pool.one(request("GET", objects.path(0)))
        self._size = len(data)
        self._keep("value", data)
        self._keep("event", b'{"type":"MODIFIED","object":%s}\n' % data)

    def _keep(self, name: str, data: bytes) -> None:
        """Give the floors bytes to return."""
        (self._directory / name).write_bytes(data)

    def _print_memory(self, when: str, empty: int) -> None:
        there = self._api.memory()
        each = (there - empty) / self._asked.pods
        print(
            f"memory, {when}".ljust(34) + f"{there / 1e6:7.0f} MB, {(there - empty) / 1e6:.0f} MB "
            f"more than without Pods: {each:.0f} bytes each; floor: {self._size}, ratio "
            f"{each / self._size:.2f}"
        )

    # ------------------------------------------------------------------ measures

    def _compare(
        self, what: str, ours: Measure, server: Server, floor: Measure
    ) -> tuple[Side, Side]:
        """Take both in turns, print the row and return both."""
        sides = Side(self._api, ours), Side(server, floor)
        for _ in range(ROUNDS):
            for side in sides:
                side.turn()
        print_row(what, *sides)
        return sides

    def _beside_http(self, what: str, connections: int, ours: Iterator[bytes], floor: str) -> None:
        """Put requests to the server beside those to the handler that returns the file *floor*."""
        theirs = itertools.repeat(request("GET", f"/{floor}"))
        with self._pool(self._api, connections) as pool, self._pool(self._http, connections) as low:
            self._compare(
                f"{what}, {_at_once(connections)}",
                lambda: pool.load(ours, self._seconds),
                self._http,
                lambda: low.load(theirs, self._seconds),
            )

    def _beside_store(
        self, what: str, connections: int, verb: str, ours: Iterator[bytes], count: int
    ) -> tuple[Side, Side]:
        """Put *count* writes in each round beside as many to the bare store."""

        def bare() -> Run:
            elapsed, each = self._store.ask(f"{verb} {count} {connections}")
            return Run(each, len(each), elapsed)

        with self._pool(self._api, connections) as pool:
            return self._compare(
                f"{what}, {_at_once(connections)}",
                lambda: pool.load(itertools.islice(ours, count)),
                self._store,
                bare,
            )

    def _creates(self) -> None:
        """Make all Pods: a tenth on each number of connections, the others on the last."""
        print_header(f"{self._asked.pods} Pods of {self._size} bytes")
        numbers = iter(range(1, self._asked.pods))
        *first, last = self._asked.connections
        counts = dict.fromkeys(first, self._asked.pods // 10 // ROUNDS)
        counts[last] = (self._asked.pods - 1) // ROUNDS - sum(counts.values())
        for connections, count in counts.items():
            made = [objects.create(n) for n in itertools.islice(numbers, count * ROUNDS)]
            sides = self._beside_store("create", connections, "create", iter(made), count)
            self._print_parts(connections, made, *sides)
            self._print_bounds(connections, made, sides[1])
        with self._pool(self._api, 1) as pool:
            pool.load(objects.create(number) for number in numbers)

    def _print_parts(
        self, connections: int, made: list[bytes], ours: Side, committed: Side
    ) -> None:
        """Tell what no create goes without, in CPU: to be sent and answered, read and written as
        JSON, and committed. The rest is admission, defaults, validation, owners and caches."""
        bodies = [request("POST", "/value", objects.body(each), objects.JSON) for each in made]
        with self._pool(self._http, connections) as pool:
            sent = Side(self._http, lambda: pool.load(iter(bodies)))
            sent.turn()
        coded = coding(list(map(objects.body, made)))
        least = sent.cpu_each + coded + committed.cpu_each
        print(
            f"  CPU of the least: HTTP {sent.cpu_each:.3f} + JSON {coded:.3f} + commit "
            f"{committed.cpu_each:.3f} = {least:.3f} ms, {least / ours.cpu_each:.0%} of ours; half "
            f"of what the store commits: {2000 / committed.rate:.3f} ms for each",
            flush=True,
        )

    def _print_bounds(self, connections: int, made: list[bytes], committed: Side) -> None:
        """Tell how fast servers are that commit and do nothing else."""
        commits = [
            request("POST", "/committed/value", objects.body(each), objects.JSON) for each in made
        ]
        bounds = []
        for server in (self._http, self._bare):
            with self._pool(server, connections) as pool:
                side = Side(server, lambda pool=pool: pool.load(iter(commits)))
                side.turn()
            bounds.append(f"{side.rate:.0f}/s ({side.cpu_each:.3f} ms)")
        print(
            f"  servers that only commit: with aiohttp {bounds[0]}, without a library {bounds[1]}; "
            f"half of what the store commits: {committed.rate / 2:.0f}/s",
            flush=True,
        )

    def _gets(self) -> None:
        print_header("get")
        paths = itertools.cycle([request("GET", objects.path(n)) for n in range(self._some)])
        for connections in self._asked.connections:
            self._beside_http("get", connections, paths, "value")

    def _lists(self) -> None:
        print_header("list")
        one = "/api/v1/namespaces/bench-0/pods"
        for what, where, accept in (
            ("all", _PODS, ""),
            ("a namespace", one, ""),
            ("a label, of all", f"{_PODS}?labelSelector=shard%3D3", ""),
            ("a node, of all", f"{_PODS}?fieldSelector=spec.nodeName%3Dnode-7", ""),
            ("a page of 500 rows", f"{_PODS}?limit=500", _TABLE),
        ):
            data = request("GET", where, accept=accept)
            with self._pool(self._api, 1) as pool:
                found = pool.one(data)
            name = f"list-{what.replace(' ', '-')}"
            self._keep(name, found)
            for connections in self._asked.connections:
                self._beside_http(what, connections, itertools.repeat(data), name)
            print(f"  {len(found) / 1e6:.2f} MB")

    def _changes(self) -> None:
        print_header("change")
        with self._pool(self._api, 1) as pool:
            present = [pool.one(request("GET", objects.path(n))) for n in range(self._some)]
        numbers = itertools.cycle(range(self._some))
        makers: dict[str, Callable[[int, int], bytes]] = {
            "update": lambda number, turn: objects.update(present[number], turn),
            "patch": objects.patch,
            "patch of the status": objects.patch_status,
        }
        for what, make in makers.items():
            for connections in self._asked.connections:
                count = int(self._seconds * (200 if connections == 1 else 600)) + 1
                made = [make(next(numbers), next(self._turns)) for _ in range(count * ROUNDS)]
                self._beside_store(what, connections, "update", iter(made), count)

    @property
    def _some(self) -> int:
        """How many of the Pods are read and written one by one."""
        return min(self._asked.pods, 500)

    def _watches(self) -> None:
        """Change Pods on many connections while others watch; a rate is events delivered."""
        print_header("events delivered")
        for watchers in self._asked.watchers:
            count = max(ROUNDS, min(1000, self._asked.deliveries // watchers // ROUNDS))
            with contextlib.ExitStack() as stack:
                # Writers come last: a server does not wait for long for those who say nothing.
                watches = (
                    self._watching(stack, self._api, watchers, _watch(self._revision())),
                    self._watching(stack, self._http, watchers, request("GET", "/watch")),
                )
                writers = [
                    stack.enter_context(self._pool(server, self._asked.connections[-1]))
                    for server in (self._api, self._http)
                ]
                numbers = itertools.cycle(range(self._some))
                made = iter([
                    objects.patch(next(numbers), next(self._turns)) for _ in range(count * ROUNDS)
                ])  # fmt: skip
                event = request("POST", "/event", b"{}", objects.JSON)
                self._compare(
                    f"to {watchers} watcher{'s' * (watchers > 1)}, {count * ROUNDS} writes",
                    partial(_deliver, watches[0], writers[0], made, count),
                    self._http,
                    partial(_deliver, watches[1], writers[1], itertools.repeat(event), count),
                )

    def _watching(
        self, stack: contextlib.ExitStack, server: Server, count: int, watch: bytes
    ) -> Watchers:
        return stack.enter_context(Watchers(self._target(server, self._user), count, watch))

    def _revision(self) -> str:
        with self._pool(self._api, 1) as pool:
            page = pool.one(request("GET", f"{_PODS}?limit=1"))
        revision: str = json.loads(page)["metadata"]["resourceVersion"]
        return revision


def coding(bodies: Sequence[bytes]) -> float:
    """Return the ms that it takes to read a Pod and write it again, without a look at what it
    says."""
    pod_of, encoder = msgspec.json.Decoder(Pod), msgspec.json.Encoder()
    started = time.thread_time()
    for body in bodies:
        pod = pod_of.decode(body)
        encoder.encode(pod)
    return (time.thread_time() - started) / len(bodies) * 1000


def _deliver(watchers: Watchers, writers: Pool, requests: Iterator[bytes], count: int) -> Run:
    return watchers.deliver(writers, list(itertools.islice(requests, count)))


def _watch(revision: str) -> bytes:
    return request("GET", f"{_PODS}?watch=1&resourceVersion={revision}")


def _at_once(connections: int) -> str:
    return f"{connections} connection{'s' * (connections > 1)}"


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pods", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="for each measure of ours (default: 2)"
    )
    parser.add_argument(
        "--connections", type=_numbers, default=[1, 32], help="at a time (default: 1,32)"
    )
    parser.add_argument(
        "--watchers", type=_numbers, default=[1, 100, 1000], help="(default: 1,100,1000)"
    )
    parser.add_argument(
        "--deliveries", type=int, default=40_000, help="events to all watchers (default: 40000)"
    )
    parser.add_argument(
        "--directory", type=Path, default=Path("/var/tmp"), help="on which disk (default: /var/tmp)"
    )
    parser.add_argument(
        "--only", default="", metavar="PART", help="gets, lists, changes or watches, behind creates"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="podium-bench-") as scratch:
        Bench(Path(scratch), arguments).run()


if __name__ == "__main__":
    main()
