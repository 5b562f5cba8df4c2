"""Headers and sidecars: what may stay is listed, the rest goes."""
