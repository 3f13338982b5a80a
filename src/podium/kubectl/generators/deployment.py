"""``kubectl create deployment``."""

from __future__ import annotations

import random

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, generator, required, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def _deployment(invocation: Invocation, name: str) -> Map:
    values, command = invocation.values, list(invocation.words[1:])
    if len(values.image) > 1 and command:
        raise CommandError("cannot specify multiple --image options and command")
    labels = {"app": name}
    containers = [_container(image, command) for image in values.image]
    if values.port >= 0 and containers:
        containers[0]["ports"] = [{"containerPort": values.port}]
    spec: Map = {
        "replicas": values.replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        "strategy": {},
    }
    return {"metadata": {"labels": labels}, "spec": spec, "status": {}}


def _container(image: str, command: list[str]) -> Map:
    container: Map = {"name": container_name(image), "image": image}
    container |= {"command": command} if command else {}
    return {**container, "resources": {}}


def container_name(image: str) -> str:
    """Return the name of an image's container; one that has to be changed is made unique."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    if "_" in name or "." in name:
        ending = "".join(random.choices(_ALPHABET, k=5))
        name = f"{name.replace('_', '-').replace('.', '-')}-{ending}"
    return name


DEPLOYMENT = generator(
    "deployment NAME --image=image -- [COMMAND] [args...]",
    "Create a deployment with the specified name",
    creates(resource("apps", "v1", "deployments", "Deployment"), _deployment,
            "failed to create deployment:"),
    (
        required("image", "Image names to run. A deployment can have multiple images set for "
                 "multi-container pod.", Kind.LIST, []),
        Flag("port", -1, "The containerPort that this deployment exposes.", kind=Kind.INT32),
        Flag("replicas", 1, "Number of replicas to create. Default is 1.", short="r",
             kind=Kind.INT32),
    ),
    aliases=("deploy",),
)  # fmt: skip
