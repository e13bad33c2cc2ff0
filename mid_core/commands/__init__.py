"""The commands of ``mid``, a file each: its docstring is its help.

``arguments`` says what a command takes, ``run`` does it and returns its exit status.
"""
