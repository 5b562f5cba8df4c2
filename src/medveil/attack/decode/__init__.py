"""Decode: what can be read of an obfuscated code without a key.

    code ──scores──> which components are true ──the S_x best at each site──> picture
    code ──────────────── network, optimiser ──────────────────────────────> picture

base            what every attack here is, and what its attacker holds; claim: what they share
floors          mean_image, random_support, naive
statistics      by_magnitude, by_value, by_frequency, by_neighbours, two_releases
without data    regression, consistency, deep_prior: the leaked network alone
with examples   classifier, translate: codes of others and what they hide; rendered: the paper's four networks
"""
