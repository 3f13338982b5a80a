"""Which fields of an object belong to whom: sets of paths, and what objects and schemas make of
them. Server-side apply (``podium.api.apply``) and the tracking of managedFields are built of these.

Follows ``sigs.k8s.io/structured-merge-diff``. Values are plain JSON, sets are in the form in which
``managedFields`` carries them (``FieldsV1``); neither is ever changed in place.
"""
