"""``kubectl label``."""

from podium.kubectl.metadata_changes import command

COMMAND = command("label", "label", "labels")
