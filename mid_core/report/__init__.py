"""The report of a run: one HTML file that needs no network and no other file.

Tables, figures, a before/after slider, cards of the noise banks, settings and costs.
Facts are gathered by `compared`, `noise_cards` and `facts`, laid out by `page`.
"""
