"""A Pod's life on its node, decided: status, actions, and when to look again."""
