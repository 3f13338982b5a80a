"""``kubectl __complete WORDS…``: what the last word may become, as cobra's scripts ask for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from podium.kubectl import commands, kubeconfig
from podium.kubectl.command import Command
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, FlagError, Values, parse
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.lists import items
from podium.kubectl.session import Session

#: What the shell is told of the values: files may stand there, too; or not; or no blank follows;
#: or they are endings of files.
FILES, NO_FILES, NO_SPACE, ENDINGS = 0, 4, 2, 8
_NAMES = {
    FILES: "ShellCompDirectiveDefault",
    NO_FILES: "ShellCompDirectiveNoFileComp",
    ENDINGS: "ShellCompDirectiveFilterFileExt",
    NO_SPACE | NO_FILES: "ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp",
}
_Answer = tuple[list[str], int]
#: Commands whose first word is a kind, and the others names.
_KINDS = ("annotate", "autoscale", "delete", "describe", "edit", "expose", "get", "label", "patch",
          "rollout", "scale", "set", "taint", "wait")  # fmt: skip
_PODS = ("attach", "debug", "exec", "logs", "port-forward")
#: What has Pods, and can stand where a Pod is asked for.
_WITH_PODS = ("daemonsets/", "deployments/", "pods/", "jobs/", "replicasets/",
              "replicationcontrollers/", "services/", "statefulsets/")  # fmt: skip
_NODES = ("cordon", "drain", "uncordon")


def run(words: Sequence[str], *, described: bool) -> int:
    """Print the completions of the last of *words*."""
    *before, last = words or [""]
    try:
        found, directive = complete(before, last)
    except (CommandError, FlagError):
        found, directive = [], NO_FILES  # nobody reads why
    for line in found:
        print(line if described else line.partition("\t")[0])
    print(f":{directive}")
    sys.stdout.flush()
    name = _NAMES.get(directive, str(directive))
    print(f"Completion ended with directive: {name}", file=sys.stderr)
    return 0


def complete(before: Sequence[str], last: str) -> _Answer:
    """Return what *last* may become behind the words *before*, with a tab before what it means."""
    command, rest, path = _command(before)
    flags = (*(command.flags if command else ()), *GLOBAL_FLAGS)
    if "--" not in rest:
        waiting = _waiting(flags, rest)
        if waiting is not None:
            with closing(_Situation(flags, rest[:-1], path)) as situation:
                return _values(waiting, situation, last)
        if last.startswith("--") and "=" in last:
            name, _, part = last.partition("=")
            flag = next((one for one in flags if f"--{one.name}" == name), None)
            if flag is None:
                return [], FILES
            with closing(_Situation(flags, rest, path)) as situation:
                return _values(flag, situation, part)
        if last.startswith("-"):
            return _flags(flags, last), NO_FILES
    if command is None:
        return _matching((f"{name}\t{short}" for name, short in sorted(commands.NAMES.items())),
                         last), NO_FILES  # fmt: skip
    with closing(_Situation(flags, rest, path)) as situation:
        if command.children and not situation.words:
            children = sorted(command.children.items())
            found = _matching((f"{name}\t{child.short}" for name, child in children), last)
            if found or command.run is None:
                return found, NO_FILES
        return _words(situation, last)


class _Situation:
    """What has been typed so far: the command's path, its words and flags, and the way there."""

    def __init__(self, flags: Sequence[Flag], rest: Sequence[str], path: Sequence[str]) -> None:
        parsed = parse(flags, [word for word in rest if word != "--"])
        self.values: Values = parsed.values
        self.words, self.path = list(parsed.words), path
        self.session = Session(self.values)

    def close(self) -> None:
        self.session.close()

    def types(self) -> list[str]:
        """What can be got, by its whole name."""
        types = [one for one in Discovery(self.session.http).types if "get" in one.verbs]
        types.sort(key=lambda one: (one.group, one.plural))
        return list(dict.fromkeys(one.qualified for one in types))

    def names(self, kind: str) -> list[str]:
        """The names of a kind's objects."""
        type_ = Discovery(self.session.http).find(kind)
        everywhere = getattr(self.values, "all_namespaces", False)
        path = type_.path("" if everywhere else self.session.namespace)
        return [str(item["metadata"]["name"]) for item in items(self.session.http, path)]


def _command(before: Sequence[str]) -> tuple[Command | None, list[str], list[str]]:
    """Return the command that *before* begins with, the other words, and its path."""
    from podium.kubectl.main import child_of, command_at

    rest, path = list(before), list[str]()
    place = command_at(rest, GLOBAL_FLAGS)
    if place is None:
        return None, rest, path
    path.append(rest.pop(place))
    command = commands.load(path[0])
    if command is None:
        raise CommandError(f"unknown command {path[0]}")
    while command.children:
        place = command_at(rest, (*GLOBAL_FLAGS, *command.flags))
        found = child_of(command, rest[place]) if place is not None else None
        if place is None or found is None:
            break
        del rest[place]
        path.append(found[0])
        command = found[1]
    return command, rest, path


def _waiting(flags: Iterable[Flag], rest: Sequence[str]) -> Flag | None:
    """Return the flag whose value comes next, None where there is none."""
    if not rest or not rest[-1].startswith("-") or "=" in rest[-1]:
        return None
    for flag in flags:
        short = flag.short and not rest[-1].startswith("--") and rest[-1].endswith(flag.short)
        if (rest[-1] == f"--{flag.name}" or short) and not flag.stands_alone:
            return flag
    return None


def _flags(flags: Iterable[Flag], last: str) -> list[str]:
    shown = [flag for flag in flags if not flag.hidden]
    found = [f"--{flag.name}\t{flag.usage}" for flag in shown]
    if not last.startswith("--"):
        found += [f"-{flag.short}\t{flag.usage}" for flag in shown if flag.short]
    return sorted(_matching(found, last))


def _matching(found: Iterable[str], last: str) -> list[str]:
    return [line for line in found if line.startswith(last)]


def _values(flag: Flag, situation: _Situation, last: str) -> _Answer:
    """Return what the value of a flag may be."""
    config = situation.session.config
    known: dict[str, Callable[[], Iterable[str]]] = {
        "namespace": lambda: situation.names("namespaces"),
        "context": lambda: sorted(config.contexts),
        "cluster": lambda: sorted(config.clusters),
        "user": lambda: sorted(config.users),
        "container": lambda: _containers(situation),
        "dry-run": lambda: ("client", "none", "server"),
    }
    if flag.name == "output" and "(" in flag.usage:
        listed = flag.usage.partition("(")[2].partition(")")[0]
        return _matching(listed.replace("'", "").split(", "), last), NO_FILES
    if flag.name == "filename":
        return ["json", "yaml", "yml"], ENDINGS
    if flag.name not in known:
        return [], FILES
    return _matching(known[flag.name](), last), NO_FILES


def _containers(situation: _Situation) -> list[str]:
    if not situation.words:
        return []
    name = situation.words[0].rpartition("/")[2]
    path = f"/api/v1/namespaces/{situation.session.namespace}/pods/{name}"
    spec = situation.session.http.request("GET", path).json()["spec"]
    return [one["name"] for one in (*spec.get("initContainers", ()), *spec["containers"])]


def _words(situation: _Situation, last: str) -> _Answer:
    """Return what a word of the command may be."""
    verb, words = situation.path[0], situation.words
    if verb == "config":
        return _of_config(situation, last)
    if verb == "completion":
        return (_matching(("bash", "zsh", "fish"), last) if not words else []), NO_FILES
    if verb == "top" and len(situation.path) > 1:
        return (_matching(situation.names(situation.path[1]), last) if not words else []), NO_FILES
    if verb in _NODES:
        return _others(situation.names("nodes"), words, last), NO_FILES
    if verb == "explain":
        return _types(situation, last) if not words else ([], NO_FILES)
    if verb in _PODS:
        if words and verb not in ("logs", "attach"):
            return [], NO_FILES
        return _pods(situation, last)
    if verb in _KINDS:
        return _objects(situation, last)
    return [], FILES


def _of_config(situation: _Situation, last: str) -> _Answer:
    lists = {"use-context": "contexts", "delete-context": "contexts", "get-contexts": "contexts",
             "rename-context": "contexts", "set-context": "contexts", "set-cluster": "clusters",
             "delete-cluster": "clusters", "delete-user": "users", "set-credentials": "users"
             }  # fmt: skip
    kind = lists.get(situation.path[-1])
    if kind is None or (situation.words and situation.path[-1] != "get-contexts"):
        return [], NO_FILES
    config = kubeconfig.load(situation.values)
    return _others(sorted(config.entries(kind)), situation.words, last), NO_FILES


def _types(situation: _Situation, last: str) -> _Answer:
    head, comma, part = last.rpartition(",")
    return [f"{head}{comma}{name}" for name in _matching(situation.types(), part)], NO_FILES


def _pods(situation: _Situation, last: str) -> _Answer:
    kind, slash, part = last.partition("/")
    if slash:
        return [f"{kind}/{name}" for name in _matching(situation.names(kind), part)], NO_FILES
    found = _others(situation.names("pods"), situation.words, last)
    return [*found, *_matching(_WITH_PODS, last)], NO_FILES


def _objects(situation: _Situation, last: str) -> _Answer:
    words = situation.words
    kind, slash, part = last.partition("/")
    if slash:
        given = {word.partition("/")[2] for word in words}
        names = (name for name in situation.names(kind) if name not in given)
        return [f"{kind}/{name}" for name in _matching(names, part)], NO_FILES
    if not words:
        return _types(situation, last)
    if "/" in words[0]:
        found = _matching(situation.types(), last)
        return [f"{name}/" for name in found], NO_SPACE | NO_FILES
    return _others(situation.names(words[0]), words[1:], last), NO_FILES


def _others(names: Iterable[str], given: Sequence[str], last: str) -> list[str]:
    """Return the names that are not there yet."""
    return _matching((name for name in names if name not in given), last)


def asked(arguments: Sequence[str]) -> int | None:
    """Answer a shell that asks; return None where it is a person's command line."""
    if not arguments or arguments[0] not in ("__complete", "__completeNoDesc"):
        return None
    return run(arguments[1:], described=arguments[0] == "__complete")
