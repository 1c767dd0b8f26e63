"""Numbers from arrays, each with its influence per patient, and the intervals made of it."""
