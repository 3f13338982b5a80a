"""HTTP in front of the registry: routes, negotiation, streams, who and whether they may.

No rule about any kind belongs here; those are strategies.
"""
