"""Where and how it computes: devices, precision, processes, progress, interruption.

Also locks and files that appear whole. It may import nothing of the package but errors.
"""
