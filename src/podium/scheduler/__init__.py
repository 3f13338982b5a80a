"""The scheduler: watches Pods and nodes, decides with ``podium.domain.scheduling``, binds."""
