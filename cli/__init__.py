"""The command line, installed as ``audit`` and ``shortcut-audit``: parse, call one function, print."""
