"""Attributions as pseudo-masks, the store they lie in, and how well masks agree."""
