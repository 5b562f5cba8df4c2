"""Scene: surfaces in millimetres in, off-screen pictures out. Knows nothing of people or attacks."""
