"""Deface: find the head, then remove what shows who it is."""
