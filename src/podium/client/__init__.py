"""The only door from a component to the API: requests, list and watch, events, leases.

What belongs here knows how to talk to any Kubernetes API server and nothing about what a
component wants from it.
"""
