"""The one exception for mistakes that a person can mend."""


class MidError(Exception):
    """What was wrong, where, and what to do next, in a sentence.

    Commands and workflow scripts print its text alone, without a traceback.
    """
