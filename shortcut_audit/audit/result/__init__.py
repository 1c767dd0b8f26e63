"""What an audit leaves: ``audit.json``, its parts and its rules."""
