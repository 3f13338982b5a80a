"""``kubectl rollout …``: one verb a file, and the history that they share."""
