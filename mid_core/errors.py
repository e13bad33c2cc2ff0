"""Errors that the user can act on, and the exit status of each."""


class MidError(Exception):
    """A sentence: what was wrong, where, and what to do next.

    Commands and workflow scripts print it without a traceback.

    Attributes
    ----------
    status
        What the job's process exits with.
    """

    status = 1


class UnlikeImage(MidError):
    """An image of another type or number of colours than the others of its store."""


class NotFinite(MidError):
    """A training whose loss or weights are NaN or infinite.

    To try again would not help: hence a status of its own, BSD's EX_DATAERR.
    """

    status = 65


class Interrupted(Exception):
    """Work that was told to stop; the same command goes on with it.

    Attributes
    ----------
    status
        What the job's process exits with: BSD's EX_TEMPFAIL, "try again later".
    """

    status = 75
