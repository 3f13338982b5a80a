"""A kubectl: the command line of Kubernetes, as upstream's kubectl 1.37 has it.

``flags`` and ``command`` read a command line, ``verbs`` has one verb a file, ``printing`` turns
objects into text (pure). Everything is loaded when it is needed and not before: a short command
must be short. What goes over the wire is HTTP/1.1 by the standard library, one request at a time.
"""
