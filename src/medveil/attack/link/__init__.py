"""Link: find the same person in two releases, with no face needed."""
