"""Image files of any mode: float32 in [0, 1], and back to what they were.

It may import the runtime and errors.
"""
