"""How kinds that are second views of others are made of those, and the other way round."""
