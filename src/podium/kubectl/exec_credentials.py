"""Credentials from a program that the kubeconfig names (``client.authentication.k8s.io``)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from podium.kubectl.errors import CommandError, Said
from podium.kubectl.kubeconfig import Connection

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


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
    version, program = str(config.get("apiVersion", "")), str(config.get("command", ""))
    if version not in _VERSIONS:
        raise CommandError(f'exec plugin: invalid apiVersion "{version}"')
    # Found by our own PATH, as what was allowed is: that in ``env`` is for the program itself.
    path = shutil.which(program)
    _check_allowed(path or program, connection)
    interactive = config.get("interactiveMode") != "Never" and sys.stdin.isatty()
    spec: dict[str, Any] = {"interactive": interactive}
    if config.get("provideClusterInfo"):
        spec["cluster"] = {"server": connection.server}
    info = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
    variables = {entry["name"]: entry["value"] for entry in config.get("env") or ()}
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(info)}
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
    try:
        answer = json.loads(completed.stdout)
        status: dict[str, str] = answer["status"]
    except (ValueError, KeyError, TypeError) as exc:
        raise _failed(f"decoding stdout: {exc}") from exc
    if answer.get("apiVersion") != version:
        raise _failed(
            f"exec plugin is configured to use API version {version}, plugin "
            f"returned version {answer.get('apiVersion')}"
        )
    return status
