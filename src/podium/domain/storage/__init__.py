"""Which PersistentVolume a claim gets, and what becomes of both. Pure.

Follows ``pkg/controller/volume/persistentvolume`` and ``component-helpers/storage/volume``. The
controllers act on it, and the scheduler asks it which nodes' volumes would do.
"""
