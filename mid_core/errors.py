"""Ends of work that a person can do something about."""


class MidError(Exception):
    """What was wrong, where, and what to do next, in a sentence.

    Commands and workflow scripts print its text alone, without a traceback.

    Attributes
    ----------
    status
        What the job's process exits with.
    """

    status = 1


class NotFinite(MidError):
    """A training whose loss or weights are no numbers any more.

    Another attempt comes to the same: hence a status of its own, BSD's EX_DATAERR.
    """

    status = 65


class Interrupted(Exception):
    """Work that was told to stop, and that the same command takes up again.

    Attributes
    ----------
    status
        What the job's process exits with: BSD's EX_TEMPFAIL, "try again later".
    """

    status = 75
