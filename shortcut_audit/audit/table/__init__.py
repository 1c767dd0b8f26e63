"""From a table of scores to one question: rows, units, groups, the threshold and the place of use."""
