"""What is fixed before the results are seen: questions, limits, sizes; and the gate that holds an audit to it."""
