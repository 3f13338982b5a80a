"""The node: makes the runtime run the Pods bound to it, and says how they are.

What is decided about a Pod is ``podium.domain.pods``; here it is observed and carried out.
"""
