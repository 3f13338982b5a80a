"""The verbs of the API over the store, and the watch caches.

What a kind is lies in ``strategies``, what looks at every write in ``admission``.
"""
