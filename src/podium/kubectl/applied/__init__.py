"""``kubectl apply …-last-applied``: the annotation of client-side apply, one verb a file."""
