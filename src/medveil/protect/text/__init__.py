"""Burned-in text: seen, reported with the evidence, and blanked in the stored pixel values."""
