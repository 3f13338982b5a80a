"""``nodes/proxy``, ``pods/proxy``, ``services/proxy``: any HTTP, passed on to what an object names.

Follows ``k8s.io/apimachinery/pkg/util/proxy``. Imported when it is asked for first.
"""
