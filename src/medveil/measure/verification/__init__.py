"""How well claimed identities separate same people from different people."""
