"""What a training leaves: its checkpoints, resumed exactly, and the model file.

It may import the method, networks, the runtime and errors.
"""
