"""``kubectl __complete WORDS…``: what the last word may become, as cobra's scripts ask for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import closing

from podium.kubectl import commands, kubeconfig
from podium.kubectl.command import Command
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, FlagError, Kind, Values, parse
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
    NO_SPACE: "ShellCompDirectiveNoSpace",
    NO_SPACE | NO_FILES: "ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp",
}
_Answer = tuple[list[str], int]
#: Commands whose first word is a kind, and the others names.
_KINDS = ("annotate", "autoscale", "debug", "delete", "describe", "edit", "expose", "get", "label",
          "patch", "rollout", "scale", "set", "taint", "wait")  # fmt: skip
_PODS = ("attach", "exec", "logs", "port-forward")
#: What has Pods, and can stand where a Pod is asked for.
_WITH_PODS = ("daemonsets/", "deployments/", "pods/", "jobs/", "replicasets/",
              "replicationcontrollers/", "services/", "statefulsets/")  # fmt: skip
#: What alone some commands are for.
_ONLY_KINDS = {
    "expose": ("pod", "service", "replicationcontroller", "deployment", "replicaset"),
    "autoscale": ("deployment", "replicaset", "replicationcontroller", "statefulset"),
    "scale": ("deployment", "replicaset", "replicationcontroller", "statefulset"),
    "rollout": ("deployment", "daemonset", "statefulset"),
    "taint": ("node",),
}
#: Commands that the overview does not show.
_OTHER_COMMANDS = {
    "help": "Help about any command",
    "options": "Print the list of flags inherited by all commands",
}
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
    helps = Flag("help", False, f"help for {path[-1] if path else 'kubectl'}", short="h",
                 kind=Kind.BOOL)  # fmt: skip
    everywhere = (flag for flag in GLOBAL_FLAGS if flag.name != "help")
    flags = (*(command.flags if command else ()), helps, *everywhere)
    if "--" not in rest:
        waiting = _waiting(flags, rest)
        if waiting is not None:
            with closing(_Situation(flags, rest[:-1], path)) as situation:
                return _values(waiting, situation, last)
        if last.startswith("-") and "=" in last:
            name, _, part = last.partition("=")
            flag = next((one for one in flags if name in (f"--{one.name}", f"-{one.short}")), None)
            if flag is None:
                return [], FILES
            with closing(_Situation(flags, rest, path)) as situation:
                return _values(flag, situation, part)
        if last.startswith("-"):
            return _flags(flags, last, set(_typed(flags, rest))), NO_FILES
    if command is None:
        return _commands_below((), last), NO_FILES
    with closing(_Situation(flags, rest, path)) as situation:
        if command.children and not situation.words:
            children = sorted(command.children.items())
            found = _matching((f"{name}\t{child.short}" for name, child in children), last)
            if found or command.run is None:
                return found, NO_FILES
        found, directive = _words(situation, last)
        missing = _missing(flags, set(_typed(flags, rest)))
        return [*_matching(_offers(missing), last), *found], directive


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


def _typed(flags: Iterable[Flag], rest: Sequence[str]) -> Iterator[str]:
    """Yield the names of the flags that stand on the command line already."""
    for word in rest:
        name = word.partition("=")[0]
        for flag in flags:
            if name == f"--{flag.name}" or (flag.short and word[:2] == f"-{flag.short}"):
                yield flag.name


def _missing(flags: Iterable[Flag], given: Container[str]) -> list[Flag]:
    """Return the flags that the command cannot do without."""
    return [flag for flag in flags if flag.required and flag.name not in given]


def _offers(flags: Iterable[Flag]) -> list[str]:
    return sorted(f"--{flag.name}\t{flag.usage}" for flag in flags)


def _flags(flags: Sequence[Flag], last: str, given: Container[str]) -> list[str]:
    """Return what a flag may be: as long as some are missing that there must be, one of those."""
    if found := _matching(_offers(_missing(flags, given)), last):
        return found
    shown = [flag for flag in flags if not flag.hidden and _may_stand(flag, given)]
    found = _offers(shown)
    if not last.startswith("--"):
        found += sorted(f"-{flag.short}\t{flag.usage}" for flag in shown if flag.short)
    return _matching(dict.fromkeys(found), last)


def _may_stand(flag: Flag, given: Container[str]) -> bool:
    return flag.kind in (Kind.LIST, Kind.ARRAY) or flag.name not in given


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
        return ([], FILES) if words else (_matching(("bash", "zsh", "fish"), last), NO_FILES)
    if verb == "top" and len(situation.path) > 1:
        return (_matching(situation.names(situation.path[1]), last) if not words else []), NO_FILES
    if verb in _NODES:
        return _others(situation.names("nodes"), words, last), NO_FILES
    if verb == "explain":
        return _types(situation, last) if not words else ([], NO_FILES)
    if verb in _PODS:
        if words:
            found = _containers(situation) if verb == "logs" and len(words) == 1 else []
            return _matching(found, last), NO_FILES
        return _pods(situation, last)
    if verb == "cp":
        return ([] if words else _places(situation, last)), NO_SPACE
    if verb == "help":
        return _commands_below(words, last), NO_FILES
    kinds = _only_kinds(situation.path)
    if kinds and not words and "/" not in last:
        return _matching(kinds, last), NO_FILES
    if verb in _KINDS:
        return _objects(situation, last)
    return [], FILES


def _only_kinds(path: Sequence[str]) -> Sequence[str]:
    """Return the kinds that the command is for, none where it is for all."""
    if path[-1] in ("pause", "resume"):
        return ("deployment",)
    if path[-1] == "image":
        return ("daemonsets", "deployments", "pods", "cronjobs", "replicasets",
                "replicationcontrollers", "statefulsets")  # fmt: skip
    return _ONLY_KINDS.get(path[0], ())


def _commands_below(words: Sequence[str], last: str) -> list[str]:
    """Return the commands that the help of *words* has."""
    if not words:
        named = sorted({**commands.NAMES, **_OTHER_COMMANDS}.items())
    else:
        command, rest, _ = _command(words)
        children = command.children if command is not None and not rest else {}
        named = [(name, child.short) for name, child in sorted(children.items())]
    return _matching((f"{name}\t{short}" for name, short in named), last)


def _places(situation: _Situation, last: str) -> list[str]:
    """Return where ``cp`` may copy from: Pods, those of namespaces, and files beside them."""
    if last.startswith(("/", ".", "~")) or ":" in last:
        return []
    namespace, slash, _ = last.partition("/")
    if slash:
        path = Discovery(situation.session.http).find("pods").path(namespace)
        names = (item["metadata"]["name"] for item in items(situation.session.http, path))
        return _matching((f"{namespace}/{name}:" for name in names), last)
    found = _matching((f"{name}/" for name in situation.names("namespaces")), last)
    found += _matching((f"{name}:" for name in situation.names("pods")), last)
    if not last:
        return [*found, "./", "/"]
    if not found:
        return []  # the shell knows files itself
    files = (f"{name}/" if os.path.isdir(name) else name for name in sorted(os.listdir()))
    return [*found, *_matching(files, last)]


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
    kinds = _matching(_WITH_PODS, last)
    return [*found, *kinds], NO_FILES if found or not kinds else NO_FILES | NO_SPACE


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
