"""Attack: what an adversary does with a release and what they know. One attack per file."""
