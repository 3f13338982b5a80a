"""Credentials from a program that the kubeconfig names (``client.authentication.k8s.io``)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from podium.api import go_json
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.kubeconfig_fields import Unfit, said_kind

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_KIND = "ExecCredential"
#: What is said of a program that has printed no version.
_NO_VERSION = "client.authentication.k8s.io/__internal"


_NOT_INSTALLED = """\
It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/\
#client-go-credential-plugins"""


def _failed(text: str) -> Said:
    return Said(f"Unable to connect to the server: getting credentials: {text}")


def _check_allowed(path: str, connection: Connection) -> None:
    """Raise CommandError for a program that the user's preferences do not let run."""
    policy = connection.plugin_policy
    if policy not in ("DenyAll", "Allowlist"):
        return
    path = os.path.abspath(path) if os.sep in path else path
    if policy == "DenyAll":
        raise _failed(f'plugin "{path}" not allowed: policy set to "DenyAll"')
    if path not in [shutil.which(one) or one for one in connection.plugins_allowed]:
        raise _failed(f'plugin path "{path}" is not permitted by the credential plugin allowlist')


def credentials(config: Mapping[str, Any], connection: Connection) -> dict[str, str]:
    """Run the program; return the status of the ExecCredential that it prints.

    Raises CommandError when there is none, or it fails.
    """
    version, program = config.get("apiVersion", ""), config.get("command", "")
    if version not in _VERSIONS:
        raise CommandError(f'exec plugin: invalid apiVersion "{version}"')
    # Found by our own PATH, as what was allowed is: that in ``env`` is for the program itself.
    path = program if os.sep in program else shutil.which(program)
    _check_allowed(path or program, connection)
    mode = config.get("interactiveMode")
    if mode == "Always" and not sys.stdin.isatty():
        raise _failed(
            "exec plugin cannot support interactive mode: standard input is not a terminal"
        )
    interactive = mode != "Never" and sys.stdin.isatty()
    spec: dict[str, Any] = {"interactive": interactive}
    if config.get("provideClusterInfo"):
        spec["cluster"] = _cluster(connection)
    info = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
    variables = {entry["name"]: entry["value"] for entry in config.get("env") or ()}
    told = json.dumps(info, separators=(",", ":"), ensure_ascii=False)
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": told}
    if path is None:
        hint = config.get("installHint")
        text = f"exec: executable {program} not found\n\n{_NOT_INSTALLED}"
        raise _failed(f"{text}\n\n{hint}" if hint else text)
    try:
        completed = subprocess.run(
            [program, *(config.get("args") or ())],
            executable=path,
            env=environment,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    except OSError as exc:
        what = (exc.strerror or "").lower()
        raise _failed(f"exec: fork/exec {path}: {what}") from exc
    if completed.returncode:
        raise _failed(f"exec: executable {program} failed with exit code {completed.returncode}")
    return _status(completed.stdout, version)


def _cluster(connection: Connection) -> dict[str, Any]:
    """Return what a program is told of the cluster that it gives credentials for."""
    trusted = connection.ca_data
    if connection.ca_file and not trusted:
        with open(connection.ca_file, "rb") as file:
            trusted = file.read()
    said = {
        "server": connection.server,
        "tls-server-name": connection.tls_server_name,
        "insecure-skip-tls-verify": connection.insecure,
        "certificate-authority-data": base64.b64encode(trusted).decode(),
        "proxy-url": connection.proxy_url,
    }
    return {**{name: value for name, value in said.items() if value},
            "config": connection.exec_config}  # fmt: skip


def _status(printed: bytes, version: str) -> dict[str, str]:
    """Return the credentials of what a program prints. Raises CommandError."""
    from podium.api.yaml_json import YamlFailure, load

    try:
        answer = load(printed)[0] if printed.strip() else {}
        told, kind = said_kind(answer, _NO_VERSION, _KIND)
    except (YamlFailure, Unfit) as exc:
        raise _failed(f"decoding stdout: {exc}") from exc
    if kind != _KIND or told not in (*_VERSIONS, _NO_VERSION):
        raise _failed(
            f'decoding stdout: no kind "{kind}" is registered for version "{told}" in scheme '
            '"pkg/client/auth/exec/exec.go:64"'
        )
    status = answer.get("status")
    for name in ("token", "clientCertificateData", "clientKeyData"):
        if isinstance(status, dict) and not isinstance(status.get(name) or "", str):
            raise _failed(
                f"decoding stdout: json: cannot unmarshal {go_json.kind(status[name])} into Go "
                f"struct field ExecCredentialStatus.status.{name} of type string"
            )
    if told != version:
        raise _failed(
            f"exec plugin is configured to use API version {version}, plugin "
            f"returned version {told}"
        )
    if not isinstance(status, dict):
        raise _failed("exec plugin didn't return a status field")
    found = {name: value for name, value in status.items() if value}
    certificate, key = ("clientCertificateData" in found, "clientKeyData" in found)
    if not ("token" in found or certificate or key):
        raise _failed("exec plugin didn't return a token or cert/key pair")
    if certificate != key:
        raise _failed("exec plugin returned only certificate or key, not both")
    return found
