"""Networks, their cards and their files, and how masks become scores."""
