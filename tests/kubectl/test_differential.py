"""Our kubectl beside upstream's: the same command lines, the same words.

Each line of ``cases.txt`` is run by both, each in a namespace of its own on one API server;
what they print, on which stream, and how they exit is compared. Only what cannot be the same is
masked: times, ages, uids, versions, names of namespaces. ``known.txt`` has the differences that
are known; one that is gone must be deleted there.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import io
import itertools
import operator
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
import yaml

from podium.kubectl.main import main
from support.apiserver import running_apiserver

_HERE = Path(__file__).parent
_MANIFESTS = _HERE / "manifests"
_KUBECTL = Path(sys.executable).parent / "kubectl"
#: Where both have the same length, columns have the same width.
_UPSTREAM, _OURS = "ns-a", "ns-b"
#: Commands that change nothing: several of them may run at once.
_READ = frozenset(
    "get describe explain events cluster-info top completion __complete wait api-resources "
    "api-versions attach exec cp port-forward proxy".split()
)


def _age(found: re.Match[str]) -> str:
    """Ages of whatever length leave their column the same width."""
    return "AGE  " if found.string[found.end() : found.end() + 1].strip() else "AGE"


_MASKS = (
    (re.compile(r"\bns-[ab]\b"), "NAMESPACE"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"kube-api-access-[a-z0-9]{5}"), "kube-api-access-NAME"),
    (re.compile(r'(resourceVersion"?: ?)"\d+"'), r"\1RV"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"(?<= )(\d+s|\d+m(\d+s)?)(?= *$| {2}) *", re.MULTILINE), _age),
    (re.compile(r"\bAGE {2,}(?=\S)"), "AGE  "),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [-+]\d{4}"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC"), "TIME"),
    (re.compile(r"\b10\.96\.\d+\.\d+$", re.MULTILINE), "ADDRESS"),
    (re.compile(r"\b3[0-2]\d{3}/"), "PORT/"),
    (re.compile(r"(Resource Version: +|resourceVersion:)\d+"), r"\1RV"),
    (re.compile(r"(/(?:LIVE|MERGED))-\d+"), r"\1-NUMBER"),
    (re.compile(r"\t\d{4}-\d\d-\d\d [\d:.]+ [-+]\d{4}$", re.MULTILINE), "\tTIME"),
    (re.compile(r'"[^"]*/kubectl-edit-\d+'), '"EDITED'),
    (re.compile(r"^[EWI]\d{4} [\d:.]+ +\d+ ", re.MULTILINE), "LOG "),
)

#: An age that makes its column wider than its heading does.
_LONG_AGE = re.compile(r"(?<= )(\d{3,}s|\d+m\d+s)(?= *$| {2})", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    def masked(self) -> str:
        text = f"exit {self.code}\n-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}\n"
        for pattern, name in _MASKS:
            text = pattern.sub(name, text)
        return text


def _compared(*outcomes: Outcome) -> list[str]:
    """What has to be the same; how wide columns are only where no age decides that."""
    texts = [outcome.masked() for outcome in outcomes]
    if any(_LONG_AGE.search(outcome.stdout) for outcome in outcomes):
        texts = [re.sub(r" +$", "", text, flags=re.MULTILINE) for text in texts]
        texts = [re.sub(r"(?<=\S) {2,}", "  ", text) for text in texts]
    return texts


def _split(words: Sequence[str]) -> tuple[dict[str, str], Sequence[str]]:
    """Return the variables that a line begins with, as a shell's may, and the words behind them."""
    variables = {}
    while match := re.fullmatch(r"([A-Z_]+)=(.*)", words[0]):
        variables[match[1]], words = match[2], words[1:]
    return variables, words


def _lines(name: str) -> list[str]:
    lines = (_HERE / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


async def _upstreams(
    line: Sequence[str], kubeconfig: Path, environment: Mapping[str, str] = os.environ
) -> Outcome:
    """Run a line; once more where a busy machine kept it from reaching the server at all."""
    outcome = await _upstreams_once(line, kubeconfig, environment)
    if "TLS handshake timeout" in outcome.stderr:
        outcome = await _upstreams_once(line, kubeconfig, environment)
    return outcome


async def _upstreams_once(
    line: Sequence[str], kubeconfig: Path, environment: Mapping[str, str]
) -> Outcome:
    variables, arguments = _split(line)
    own = {"KUBECONFIG": str(kubeconfig), "GOGC": "off"}  # it ends soon
    process = await asyncio.create_subprocess_exec(
        _KUBECTL, *arguments, cwd=_MANIFESTS, env={**environment, **own, **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = await process.communicate()
    return Outcome(process.returncode or 0, stdout.decode(), stderr.decode())


def _ours(line: Sequence[str]) -> Outcome:
    variables, arguments = _split(line)
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(stdout))
        stack.enter_context(contextlib.redirect_stderr(stderr))
        stack.enter_context(mock.patch.dict(os.environ, variables))
        code = main(arguments)
    texts = [stream.buffer.getvalue().decode() for stream in (stdout, stderr)]  # type: ignore[attr-defined]
    return Outcome(code, *texts)


def _in_namespace(kubeconfig: Path, namespace: str) -> Path:
    document = yaml.safe_load(kubeconfig.read_text())
    document["contexts"][0]["context"]["namespace"] = namespace
    path = kubeconfig.with_name(f"kubeconfig-{namespace}")
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.skipif(not _KUBECTL.exists(), reason="needs upstream's kubectl beside the interpreter")
@pytest.mark.timeout(900)  # many hundred processes, on a machine that may be busy
async def test_what_ours_says_is_what_upstreams_says(tmp_path, monkeypatch):
    cases = [(line, shlex.split(line)) for line in _lines("cases.txt")]
    monkeypatch.chdir(_MANIFESTS)
    for name in ("HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("EDITOR", "true")  # cases name others
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    async with running_apiserver(tmp_path / "server") as api:
        admin = api.kubeconfig()
        made = await _upstreams(["create", "-f", "cluster.yaml"], admin)
        assert made.code == 0, made.stderr
        for namespace in (_UPSTREAM, _OURS):
            for words in (["namespace", namespace], ["sa", "default", "-n", namespace]):
                made = await _upstreams(["create", *words], admin)
                assert made.code == 0, made.stderr
            events = tmp_path / f"{namespace}.yaml"
            text = (_MANIFESTS / "events.yaml").read_text().replace("NAMESPACE", namespace)
            events.write_text(text)
            made = await _upstreams(["create", "-f", str(events)], admin)
            assert made.code == 0, made.stderr
        monkeypatch.setenv("KUBECONFIG", str(_in_namespace(admin, _OURS)))
        theirs = _in_namespace(admin, _UPSTREAM)
        calm = dict(os.environ)  # without the variables of ours, which runs in this process

        async def all_of_theirs() -> list[Outcome]:
            outcomes: list[Outcome] = []
            few = asyncio.Semaphore(4)

            async def one(arguments: Sequence[str]) -> Outcome:
                async with few:
                    return await _upstreams(arguments, theirs, calm)

            for reads, group in itertools.groupby(cases, lambda case: case[1][0] in _READ):
                if reads:
                    outcomes += await asyncio.gather(*(one(words) for _, words in group))
                else:
                    outcomes += [await one(words) for _, words in group]
            return outcomes

        async def all_of_ours() -> list[Outcome]:
            return [await asyncio.to_thread(_ours, arguments) for _, arguments in cases]

        outcomes = await asyncio.gather(all_of_theirs(), all_of_ours())
    differing = {
        line: f"kubectl {line}\n{_difference(one, other)}"
        for (line, _), one, other in zip(cases, *outcomes, strict=True)
        if operator.ne(*_compared(one, other))
    }
    print(f"{len(cases) - len(differing)} of {len(cases)} agree")
    known = set(_lines("known.txt"))
    new = [text for line, text in differing.items() if line not in known]
    assert not new, "\n".join(new)
    assert known <= set(differing), f"no longer different: {known - set(differing)}"


def _difference(one: Outcome, other: Outcome) -> str:
    theirs, ours = (text.splitlines() for text in _compared(one, other))
    lines = difflib.unified_diff(theirs, ours, "upstream", "ours", lineterm="", n=1)
    return "\n".join(lines)
