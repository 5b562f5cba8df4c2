"""How much of an image survived its protection."""
