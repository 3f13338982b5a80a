"""The embedded container runtime, on runc and conmon; one verb of CRI a module."""
