"""Ways to fine-tune, compared: what each training left, and the numbers that follow from it."""
