"""One verb of the API a module."""
