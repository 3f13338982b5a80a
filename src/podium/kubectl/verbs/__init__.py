"""One command a module, each with its ``COMMAND``."""
