"""What the node, its Pods and containers use: read when somebody asks, told in upstream's forms.

Nothing is measured in the background. A rate needs two samples: of CPU the last one is kept, so
that ``usageNanoCores`` is the mean since then. Who wants a fresh rate asks twice, as the API's
``metrics.k8s.io`` does.
"""
