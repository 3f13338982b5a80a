"""``kubectl auth …``: one verb a file."""
