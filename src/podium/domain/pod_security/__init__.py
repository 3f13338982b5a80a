"""The Pod security standards: which Pods a namespace's level allows, and in which words not.

Pure. ``levels`` reads a namespace's labels, ``standards`` says which check belongs to which level
since which version, ``baseline`` and ``restricted`` hold the checks, ``admission`` decides about
updates and about the Pods that a namespace has already. Names, versions and texts are those of
``k8s.io/pod-security-admission``.
"""
