"""Labels of the attribute that are wrong or missing: what they do to the numbers, and which to get next."""
