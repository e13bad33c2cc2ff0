"""Scores in, tables out: for people as Markdown, for papers as LaTeX, for programs as CSV.

It may import evaluation and all below it; not figures, and not the report.
"""
