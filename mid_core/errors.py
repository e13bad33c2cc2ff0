"""Ends of work that a person can do something about."""


class MidError(Exception):
    """What was wrong, where, and what to do next, in a sentence.

    Commands and workflow scripts print its text alone, without a traceback.
    """


class Interrupted(Exception):
    """Work that was told to stop, and that the same command takes up again.

    Attributes
    ----------
    status
        What the job's process exits with: BSD's EX_TEMPFAIL, "try again later".
    """

    status = 75
