"""Data in, matplotlib figures out, in one style; a file for each kind of picture.

It may import evaluation and all below it; not tables, and not the report.
"""
