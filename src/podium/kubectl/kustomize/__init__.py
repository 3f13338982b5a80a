"""Kustomizations: directories whose ``kustomization.yaml`` says which objects, changed how.

Served is what users of Pods take it for; what else a kustomization may have is refused by name.
``build`` is the door; a transformer is a module, and pure.
"""
