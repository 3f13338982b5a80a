"""``kubectl create KIND``: one file for each kind, or for kinds that are almost the same."""
