"""Scores under named protocols, statistics and realism of noise.

It may import everything below: stores, checkpoints, the method, networks, images.
"""
