"""The Node object: what the machine has, what is reported of it, and the lease that says alive."""
