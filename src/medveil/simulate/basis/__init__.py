"""People from a statistical head model that the user brings: a mean, its modes, and how they become heads."""
