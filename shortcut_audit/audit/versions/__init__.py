"""Two versions of one model, compared on the same films."""
