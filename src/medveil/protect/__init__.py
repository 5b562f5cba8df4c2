"""Protect: change an image so that it may be seen. One step per file, Image -> Outcome."""
