"""Guesses: how well properties of people were guessed, against what could be said without an image."""
