"""``kubectl annotate``."""

from podium.kubectl.metadata_changes import command

COMMAND = command("annotate", "annotation", "annotations")
