"""Validation of ``securityContext.windowsOptions``.

No node here runs Windows; what is meant for one is checked all the same.
"""

from __future__ import annotations

import re

from podium.api import names
from podium.api.field import Path, invalid
from podium.api.types.core_v1 import WindowsSecurityContextOptions
from podium.api.validation.common import Errors, invalid_each

_MAX_CREDENTIAL_SPEC_KIB = 64
_MAX_DOMAIN, _MAX_USER = 256, 104
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NET_BIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BAD_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')
_ONLY_DOTS = re.compile(r"[. ]+")


def validate_windows_security_options(
    path: Path, options: WindowsSecurityContextOptions | None
) -> Errors:
    if options is None:
        return
    name = options.gmsa_credential_spec_name
    if name is not None:
        at = path.child("gmsaCredentialSpecName")
        yield from invalid_each(at, name, names.dns1123_subdomain(name))
    spec, at = options.gmsa_credential_spec, path.child("gmsaCredentialSpec")
    if spec == "":
        yield invalid(at, spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec is not None and len(spec.encode()) > _MAX_CREDENTIAL_SPEC_KIB * 1024:
        text = f"gmsaCredentialSpec size must be under {_MAX_CREDENTIAL_SPEC_KIB} KiB"
        yield invalid(at, spec, text)
    user = options.run_as_user_name
    if user is not None:
        yield from invalid_each(path.child("runAsUserName"), user, _user_problems(user))


def _user_problems(text: str) -> list[str]:
    """What is wrong with ``DOMAIN\\USER`` or ``USER``."""
    if not text:
        return ["runAsUserName cannot be an empty string"]
    if _CONTROL.search(text):
        return ["runAsUserName cannot contain control characters"]
    if text.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = text.rpartition("\\")
    found = []
    if len(domain.encode()) >= _MAX_DOMAIN:
        found.append(f"Domain length must be under {_MAX_DOMAIN} characters")
    if backslash and not (_NET_BIOS.fullmatch(domain) or _DOMAIN.fullmatch(domain)):
        found.append("Domain doesn't match the NetBios nor the DNS format")
    if not user:
        found.append("User cannot be empty")
    elif len(user.encode()) > _MAX_USER:
        found.append(f"User length must not be longer than {_MAX_USER} characters")
    if _ONLY_DOTS.fullmatch(user):
        found.append("User cannot contain only periods or spaces")
    if _BAD_USER.search(user):
        found.append('User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
    return [f"runAsUserName's {problem}" for problem in found]
