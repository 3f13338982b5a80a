"""``kubectl config set…``: entries of kubeconfig files, and single fields of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values, boolean
from podium.kubectl.kubeconfig_files import Files, changed

Entry = dict[str, Any]

_FIELDS = {
    "clusters": ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority",
                 "certificate-authority-data", "proxy-url", "disable-compression"),
    "contexts": ("cluster", "user", "namespace"),
    "users": ("client-certificate", "client-certificate-data", "client-key", "client-key-data",
              "token", "tokenFile", "as", "as-uid", "as-groups", "username", "password"),
}  # fmt: skip
#: Fields that have fields of their own; they can be taken away.
_MAPS = ("as-user-extra", "auth-provider", "exec", "extensions")
_BOOLEANS = ("insecure-skip-tls-verify", "disable-compression")


def exactly(invocation: Invocation, count: int) -> Sequence[str]:
    """Return the words. Raises CommandError where there are more or fewer."""
    if len(invocation.words) != count:
        raise _misused(invocation, f"Unexpected args: [{' '.join(invocation.words)}]")
    return invocation.words


def _misused(invocation: Invocation, text: str) -> CommandError:
    """Print the command's help; return the failure."""
    from podium.kubectl.help import command_help
    from podium.kubectl.verbs.config import CHILDREN

    print(command_help(invocation.path, CHILDREN[invocation.path.rpartition(" ")[2]]))
    return CommandError(text)


def content(key: str, path: str) -> bytes:
    """Return what a file holds. Raises CommandError."""
    try:
        with open(os.path.expanduser(path), "rb") as file:
            return file.read()
    except OSError as exc:
        what = (exc.strerror or "").lower()
        raise CommandError(f"could not stat {key} file {path}: stat {path}: {what}") from exc


def set_cluster(invocation: Invocation) -> int:
    (name,) = exactly(invocation, 1)
    values, files = invocation.values, Files(invocation.values)
    if values.insecure_skip_tls_verify and values.certificate_authority:
        raise CommandError(
            "you cannot specify a certificate authority and insecure mode at the same time"
        )
    entry = dict(files.resolved("clusters", name)) if name in files.config.clusters else {}
    _take(entry, values, "server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    if values.changed("insecure-skip-tls-verify") and values.insecure_skip_tls_verify:
        for key in ("certificate-authority", "certificate-authority-data"):
            entry.pop(key, None)
    _file(entry, values, "certificate-authority", embed=values.embed_certs)
    if values.certificate_authority:
        entry.pop("insecure-skip-tls-verify", None)
    files.put("clusters", name, entry)
    print(f'Cluster "{name}" set.')
    return 0


def set_context(invocation: Invocation) -> int:
    values, files = invocation.values, Files(invocation.values)
    name = files.config.current_context
    if values.current:
        if invocation.words:
            raise CommandError("you cannot specify both a context name and --current")
        if not name:
            raise CommandError("no current context is set")
    elif not invocation.words or not invocation.words[0]:
        raise CommandError("you must specify a non-empty context name or --current")
    else:
        (name,) = exactly(invocation, 1)
    known = name in files.config.contexts
    entry = dict(files.config.contexts.get(name, {}))
    _take(entry, values, "cluster", "user", "namespace")
    files.put("contexts", name, entry)
    print(f'Context "{name}" {"modified" if known else "created"}.')
    return 0


def set_credentials(invocation: Invocation) -> int:
    (name,) = exactly(invocation, 1)
    values, files = invocation.values, Files(invocation.values)
    basic = values.username or values.password
    if values.token and basic:
        raise CommandError(
            "you cannot specify more than one authentication method at the same time: --token, "
            "--username/--password"
        )
    entry = dict(files.resolved("users", name)) if name in files.config.users else {}
    embedded = [key for key in ("client-certificate", "client-key") if values.changed(key)]
    if values.embed_certs and not embedded:
        raise CommandError("you must specify a --client-certificate or --client-key to embed")
    for key in ("client-certificate", "client-key"):
        _file(entry, values, key, embed=values.embed_certs and key in embedded)
    _take(entry, values, "token", "username", "password")
    if values.token or basic:
        for key in ("username", "password") if values.token else ("token",):
            entry.pop(key, None)
    _provider(entry, invocation)
    _exec(entry, invocation)
    files.put("users", name, entry)
    print(f'User "{name}" set.')
    return 0


def _provider(entry: Entry, invocation: Invocation) -> None:
    """Take what an auth provider is told: of older texts, as no kubectl has any by now."""
    values = invocation.values
    made = dict(entry.get("auth-provider") or {})
    if values.changed("auth-provider") and made.get("name") != values.auth_provider:
        made = {"name": values.auth_provider}
    config = dict(made.get("config") or {})
    for text in values.auth_provider_arg:
        key, equals, value = text.partition("=")
        if equals:
            config[key] = value
        elif key.endswith("-"):
            config.pop(key[:-1], None)
        else:
            raise _misused(invocation, f"invalid auth-provider-arg format: {text}")
    if "name" in made:
        entry["auth-provider"] = {**made, "config": config}


def _exec(entry: Entry, invocation: Invocation) -> None:
    """Take what a program for credentials is started with."""
    values = invocation.values
    made = dict(entry.get("exec") or {})
    for name, key in (("exec-command", "command"), ("exec-api-version", "apiVersion"),
                      ("exec-interactive-mode", "interactiveMode"),
                      ("exec-provide-cluster-info", "provideClusterInfo")):  # fmt: skip
        if values.changed(name):
            made[key] = getattr(values, name.replace("-", "_"))
    if values.changed("exec-arg") or values.changed("exec-command"):
        made["args"] = list(values.exec_arg) or None
    env = {one["name"]: one["value"] for one in made.get("env") or ()}
    for text in values.exec_env:
        key, equals, value = text.partition("=")
        if equals:
            env[key] = value
        elif key.endswith("-"):
            env.pop(key[:-1], None)
        else:
            raise _misused(invocation, f"invalid exec-env format: {text}")
    if env:
        made["env"] = [{"name": key, "value": value} for key, value in env.items()]
    else:
        made.pop("env", None)
    if made:
        entry["exec"] = {"args": None, "env": None, "provideClusterInfo": False, **made}


def _take(entry: Entry, values: Values, *names: str) -> None:
    for name in names:
        if values.changed(name):
            entry[name] = getattr(values, name.replace("-", "_"))


def _file(entry: Entry, values: Values, key: str, *, embed: bool) -> None:
    """Take a file by its path, or what it holds."""
    given = path = getattr(values, key.replace("-", "_"))
    if path:
        path = os.path.abspath(os.path.expanduser(path))
        entry[key] = path
        entry.pop(f"{key}-data", None)
    path = entry.get(key)
    if embed:
        if not path:
            raise CommandError(f"you must specify a --{key} to embed")
        entry[f"{key}-data"] = base64.b64encode(content(key, given or path)).decode()
        del entry[key]


def set_property(invocation: Invocation) -> int:
    name, text = exactly(invocation, 2)
    _put(Files(invocation.values), name, text, invocation.values)
    print(f'Property "{name}" set.')
    return 0


def unset(invocation: Invocation) -> int:
    (name,) = exactly(invocation, 1)
    _put(Files(invocation.values), name, None, invocation.values)
    print(f'Property "{name}" unset.')
    return 0


def _put(files: Files, name: str, text: str | None, values: Values) -> None:
    """Set a field to *text*, or take it away. Raises CommandError for names of no field."""
    kind, *rest = name.split(".")
    if kind == "current-context" and not rest:
        files.choose(text or "")
        return
    if kind in ("apiVersion", "kind") and not rest:
        return  # they are as they are, as upstream's
    if kind == "preferences" and rest in ([], ["colors"]):
        wanted = {"colors": _boolean(text)} if text and rest else {}
        changed(files.default, lambda document: document.update({"preferences": wanted}))
        return
    if kind not in _FIELDS:
        raise CommandError(f"unable to parse {name} after [] at api.Config")
    if kind == "users" and not {"auth-provider", "exec"}.isdisjoint(rest[1:-1]):
        raise CommandError(f"unable to parse one or more field values of {name}")
    if text is None:
        _take_away(files, kind, rest)
        return
    entry_name, field = _split(rest, _FIELDS[kind])
    known = files.config.entries(kind)
    if not field:
        raise CommandError(f"can't set a map to a value: map[{' '.join(sorted(known))}]")
    entry = files.resolved(kind, entry_name) if entry_name in known else {}
    entry[field] = _value(field, text, raw=values.set_raw_bytes)
    files.put(kind, entry_name, entry)


def _take_away(files: Files, kind: str, parts: Sequence[str]) -> None:
    """Take away all entries of a kind, one of them, or a field of it. Raises CommandError."""
    known = files.config.entries(kind)
    entry_name, field = _split(parts, (*_FIELDS[kind], *_MAPS))
    if field and entry_name not in known:
        raise CommandError(f"current map key `{entry_name}` is invalid")
    if field:
        entry = files.resolved(kind, entry_name)
        entry.pop(field, None)
        files.put(kind, entry_name, entry)
        return
    for one in list(known):
        if not parts or one == entry_name:
            files.remove(kind, one)


def _split(parts: Sequence[str], fields: Sequence[str]) -> tuple[str, str]:
    """Return an entry's name, which may have dots, and the field, "" for the entry itself."""
    if len(parts) > 1 and parts[-1] in fields:
        return ".".join(parts[:-1]), parts[-1]
    return ".".join(parts), ""


def _value(field: str, text: str, *, raw: bool) -> Any:
    if field in _BOOLEANS:
        return _boolean(text)
    if field == "as-groups":
        return text.split(",")
    if field.endswith("-data"):
        data = text.encode() if raw else _decoded(text)
        return base64.b64encode(data).decode()
    return text


def _decoded(text: str) -> bytes:
    from podium.api.decoding import base64_bytes

    try:
        return base64_bytes(text)
    except ValueError as exc:
        raise CommandError(f"error decoding input value: {exc}") from exc


def _boolean(text: str) -> bool:
    try:
        return boolean(text)
    except ValueError as exc:
        raise CommandError(str(exc)) from None


def _bool(name: str, usage: str) -> Flag:
    return Flag(name, False, usage, kind=Kind.BOOL)


CHILDREN = {
    "set": Command(
        "kubectl config set PROPERTY_NAME PROPERTY_VALUE [options]",
        "Set an individual value in a kubeconfig file", set_property,
        flags=(_bool("set-raw-bytes", "When writing a []byte PROPERTY_VALUE, write the given "
                     "string directly without base64 decoding."),),
    ),
    "set-cluster": Command(
        "kubectl config set-cluster NAME [--server=server] "
        "[--certificate-authority=path/to/certificate/authority] "
        "[--insecure-skip-tls-verify=true] [--tls-server-name=example.com] [options]",
        "Set a cluster entry in kubeconfig", set_cluster,
        flags=(_bool("embed-certs", "embed-certs for the cluster entry in kubeconfig"),),
    ),
    "set-context": Command(
        "kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] "
        "[--user=user_nickname] [--namespace=namespace] [options]",
        "Set a context entry in kubeconfig", set_context,
        flags=(_bool("current", "Modify the current context"),),
    ),
    "set-credentials": Command(
        "kubectl config set-credentials NAME [--client-certificate=path/to/certfile] "
        "[--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] "
        "[--password=basic_password] [--auth-provider=provider_name] "
        "[--auth-provider-arg=key=value] [--exec-command=exec_command] "
        "[--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value] [options]",
        "Set a user entry in kubeconfig", set_credentials,
        flags=(
            Flag("auth-provider", usage="Auth provider for the user entry in kubeconfig"),
            Flag("auth-provider-arg", [], "'key=value' arguments for the auth provider",
                 kind=Kind.ARRAY),
            _bool("embed-certs", "Embed client cert/key for the user entry in kubeconfig"),
            Flag("exec-api-version", usage="API version of the exec credential plugin for the user "
                 "entry in kubeconfig"),
            Flag("exec-arg", [], "New arguments for the exec credential plugin command for the "
                 "user entry in kubeconfig", kind=Kind.LIST),
            Flag("exec-command", usage="Command for the exec credential plugin for the user entry "
                 "in kubeconfig"),
            Flag("exec-env", [], "'key=value' environment values for the exec credential plugin",
                 kind=Kind.ARRAY),
            Flag("exec-interactive-mode", usage="InteractiveMode of the exec credentials plugin "
                 "for the user entry in kubeconfig"),
            _bool("exec-provide-cluster-info", "ProvideClusterInfo of the exec credentials plugin "
                  "for the user entry in kubeconfig"),
        ),
    ),
    "unset": Command(
        "kubectl config unset PROPERTY_NAME [options]",
        "Unset an individual value in a kubeconfig file", unset,
        flags=(Flag("set-raw-bytes", False, kind=Kind.BOOL, hidden=True),),
    ),
}  # fmt: skip
