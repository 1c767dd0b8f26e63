"""Fitting networks: the loop, the losses, and what is trained on what."""
