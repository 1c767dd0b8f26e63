"""Data sets: manifests, images, masks, splits, and attributes that can be drawn."""
