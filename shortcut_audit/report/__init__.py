"""The report: one offline page, and its twins for machines, made from ``audit.json`` alone.

Nothing here computes a statistic, opens an image or needs torch: it knows the audit result only.
"""
