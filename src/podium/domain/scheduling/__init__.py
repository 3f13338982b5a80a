"""Which node a Pod goes to, decided from a snapshot: filter, score, pick.

Pure. The scheduler asks :func:`podium.domain.scheduling.decision.decide`; a node's own admission
asks :func:`podium.domain.scheduling.admission.fits`, which uses the same filters. Names and texts
are those of upstream's scheduler plugins.
"""
