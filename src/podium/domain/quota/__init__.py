"""ResourceQuotas: what objects take, which quotas cover them, and whether there is enough left.

Pure. ``usage`` measures one object, ``scopes`` tells whether a quota covers it, ``charging`` weighs
a write against a quota, ``counting`` adds up what is there. Names and texts are those of
``pkg/quota/v1`` and of the admission plugin of Kubernetes.
"""
