"""``kubectl auth whoami``."""

from __future__ import annotations

import json
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.printing.table import Aligner
from podium.kubectl.writing import MANAGED_FIELDS_FLAG, OUTPUT_FLAGS, check_output, text_of, whole

_PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def run(invocation: Invocation) -> int:
    values = invocation.values
    check_output(values)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    body = json.dumps(review).encode()
    found = invocation.session.http.request("POST", _PATH, body=body).json()
    if values.output == "name":
        name = found["metadata"].get("name") or "<unknown>"
        print(f"selfsubjectreview.authentication.k8s.io/{name}")
    elif whole(values):
        print(text_of(values, found, typed=True), end="")
    else:
        for line in Aligner().lines(_rows(found["status"]["userInfo"])):
            print(line)
    return 0


def _rows(user: dict[str, Any]) -> list[list[str]]:
    rows = [["ATTRIBUTE", "VALUE"]]
    for title, value in (
        ("Username", user.get("username")),
        ("UID", user.get("uid")),
        ("Groups", _go(user.get("groups") or [])),
    ):
        rows += [[title, value]] if value and value != "[]" else []
    extra = user.get("extra") or {}
    return rows + [[f"Extra: {key}", _go(extra[key])] for key in sorted(extra)]


def _go(texts: list[str]) -> str:
    return f"[{' '.join(texts)}]"


COMMAND = Command(
    usage="kubectl auth whoami [options]",
    short="Experimental: Check self subject attributes",
    long="Show who the server takes you for.",
    run=run,
    flags=(*OUTPUT_FLAGS, MANAGED_FIELDS_FLAG),
)
