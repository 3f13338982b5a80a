"""``kubectl set …``: one verb a file. What they have in common is ``updating``."""
