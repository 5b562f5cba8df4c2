"""Codecs: an image as levels, and back.

jpeg2000    codec.jpeg2000: one embedded codestream a slice; codestream: its syntax
primis      codec.primis: learned sparse codes
grid        how an image's numbers lie, for the header
ranking     a choice of components as one number; entropy: a level as bytes; decoys: false components
"""
