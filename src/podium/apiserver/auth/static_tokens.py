"""Tokens from a file, as ``--token-auth-file`` of upstream's server reads it.

Each line is ``token,user,uid[,"group1,group2"]``. Follows
``k8s.io/apiserver/pkg/authentication/token/tokenfile``.
"""

from __future__ import annotations

import csv
import logging
from pathlib import Path

from podium.api.user import UserInfo

logger = logging.getLogger(__name__)


class BadTokenFile(ValueError):
    """The file says something that cannot be; the text tells what."""


def load(path: Path) -> dict[str, UserInfo]:
    """Return users by token. Raises OSError, BadTokenFile."""
    found: dict[str, UserInfo] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for columns in csv.reader(file, skipinitialspace=True, strict=True):
                _add(found, path, columns)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadTokenFile(f"token file '{path}': {error}") from error
    return found


def _add(found: dict[str, UserInfo], path: Path, columns: list[str]) -> None:
    if not columns or columns[0].startswith("#"):
        return
    if len(columns) < 3:
        raise BadTokenFile(
            f"token file '{path}' must have at least 3 columns (token, user name, user uid), "
            f"found {len(columns)}"
        )
    token, name, uid, *rest = columns
    if not token:
        logger.warning("empty token has been found in token file", extra={"file": str(path)})
        return
    if token in found:
        logger.warning("duplicate token has been found in token file", extra={"file": str(path)})
    groups = tuple(group.strip() for group in rest[0].split(",")) if rest and rest[0] else ()
    found[token] = UserInfo(name, groups, uid)
