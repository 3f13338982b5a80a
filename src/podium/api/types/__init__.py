"""Types of the API, one module per group and version; generated, but for ``scalars``."""
