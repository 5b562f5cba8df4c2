"""Nets: what the attacks on codes compute with torch; imported where they run, since the base install has none.

reader      scores published components           drawer      draws a picture of them
field       robust regression without data        agreement   how far an encoder's components are from the published
"""
