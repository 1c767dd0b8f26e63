"""One attribution method a file; see ``METHODS`` in ``attribution/base.py``."""
