"""Decode: what can be read of an obfuscated code without a key.

code ──scores──> which components are true ──the S_x best at each site──> picture
code ──────────────── network, optimiser ──────────────────────────────> picture

base         what every attack here is, and what its attacker holds
"""
