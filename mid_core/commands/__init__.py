"""The commands of ``mid``, a file each; ``cli`` has the line of help for each.

``arguments`` says what a command takes, ``run`` does it and returns its exit status.
"""
